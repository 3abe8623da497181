#include "backend/gpu/gkr.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include <whorl/field.hpp>

#include "gpu/devices.hpp"
#include "poly/prismalinear.hpp"
#include "unit/random.hpp"

namespace whorl::gpu {
namespace {

struct Layer {
    std::vector<Fp4> p, q;  // by node
};

std::vector<Layer> layers_over(const Layer& leaves) {
    std::vector<Layer> layers{leaves};
    while (layers.front().q.size() > 1) {
        const Layer& below = layers.front();
        Layer layer;
        for (std::size_t i = 0; i < below.q.size(); i += 2) {
            layer.p.push_back(below.p[i] * below.q[i + 1] + below.p[i + 1] * below.q[i]);
            layer.q.push_back(below.q[i] * below.q[i + 1]);
        }
        layers.insert(layers.begin(), layer);
    }
    return layers;
}

// A layer's sumcheck as PROTOCOL.md 12 writes it: Σ_i eq(point, i)·(p0·q1 + p1·q0 + λ·q0·q1)(i).
class PlainSumcheck {
public:
    PlainSumcheck(const Layer& children, const Fp4& lambda, const std::vector<Fp4>& point) : lambda_(lambda) {
        tables_.resize(5);
        tables_[0] = eq_hypercube(point);
        for (std::size_t i = 0; i < children.q.size(); ++i) {
            tables_[1 + i % 2].push_back(children.p[i]);
            tables_[3 + i % 2].push_back(children.q[i]);
        }
    }
    std::array<Fp4, 3> message() const {
        std::array<Fp4, 3> values;
        for (std::uint32_t x = 1; x <= 3; ++x) {
            for (std::size_t i = 0; i < tables_[0].size(); i += 2) {
                std::array<Fp4, 5> at;
                for (std::size_t t = 0; t < 5; ++t) at[t] = line(t, i, Fp4(Fp::from_canonical(x)));
                const auto& [eq, p0, p1, q0, q1] = at;
                values[x - 1] += eq * (p0 * q1 + p1 * q0 + lambda_ * q0 * q1);
            }
        }
        return values;
    }
    void fold(const Fp4& r) {
        for (std::size_t t = 0; t < 5; ++t) {
            std::vector<Fp4> folded;
            for (std::size_t i = 0; i < tables_[t].size(); i += 2) folded.push_back(line(t, i, r));
            tables_[t] = folded;
        }
    }
    GkrLayerClaims claims() const { return {tables_[1][0], tables_[2][0], tables_[3][0], tables_[4][0]}; }

private:
    Fp4 line(std::size_t t, std::size_t i, const Fp4& x) const {
        return tables_[t][i] + x * (tables_[t][i + 1] - tables_[t][i]);
    }
    Fp4 lambda_;
    std::vector<std::vector<Fp4>> tables_;  // eq, p0, p1, q0, q1
};

// Uploads the first cells of `leaves`; the tree pads the others.
FractionLeaves upload_leaves(Device& device, unsigned num_layers, const std::vector<Fp>& p, const std::vector<Fp4>& q,
                             const Fp4& alpha) {
    FractionLeaves leaves = take_fraction_leaves(device, num_layers, q.size(), alpha);
    device.recorder().upload_to(leaves.p.address(), p.data(), p.size() * sizeof(Fp));
    device.recorder().upload_to(leaves.q.address(), q.data(), q.size() * sizeof(Fp4));
    return leaves;
}

// A whole proof with random leaves and challenges, next to one by definition.
void check_tree(unsigned num_layers, const FractionTuning& tuning) {
    test::Random random;
    const Fp4 alpha = random.fp4();
    const std::size_t size = std::size_t{1} << num_layers;
    const std::size_t num_cells = size - size / 3;
    const std::vector<Fp> p = random.fps(num_cells);
    const std::vector<Fp4> q = random.fp4s(num_cells);
    Layer leaves{std::vector<Fp4>(p.begin(), p.end()), q};
    leaves.p.resize(size);
    leaves.q.resize(size, alpha);
    const std::vector<Layer> layers = layers_over(leaves);

    const std::vector<Fp4> challenges = random.fp4s(num_layers * num_layers + 3 * num_layers);

    on_devices([&](Device& device) {
        FractionTree tree(device, upload_leaves(device, num_layers, p, q, alpha), tuning);
        auto challenge = challenges.begin();
        GkrLayerClaims claims = tree.root_claims();
        if (!device.is_planning()) {
            EXPECT_EQ(tree.root(), layers[0].q[0]);
            EXPECT_EQ(claims, (GkrLayerClaims{layers[1].p[0], layers[1].p[1], layers[1].q[0], layers[1].q[1]}));
        }
        std::vector<Fp4> xi;
        for (unsigned layer = 1; layer < num_layers; ++layer) {
            const Fp4 mu = *challenge++, lambda = *challenge++;
            xi.insert(xi.begin(), mu);
            PlainSumcheck plain(layers[layer + 1], lambda, xi);
            tree.begin_layer(layer, lambda, xi, claims, mu);
            xi.clear();
            for (unsigned round = 0; round < layer; ++round) {
                const std::array<Fp4, 3> message = tree.round_message();
                if (!device.is_planning()) {
                    ASSERT_EQ(message, plain.message()) << "layer " << layer << " round " << round;
                }
                xi.push_back(*challenge++);
                tree.fold(xi.back());
                plain.fold(xi.back());
            }
            claims = tree.layer_claims();
            if (!device.is_planning()) {
                ASSERT_EQ(claims, plain.claims()) << "layer " << layer;
            }
        }
    });
}

TEST(FractionTree, AllMessagesAndClaims) {
    for (unsigned num_layers = 1; num_layers <= 14; ++num_layers) {
        SCOPED_TRACE(num_layers);
        check_tree(num_layers, {});
    }
}

TEST(FractionTree, AllOnTheDevice) {
    // Also what the default leaves to large trees: several quads for a thread, many parts of a sum.
    for (unsigned num_layers = 1; num_layers <= 13; ++num_layers) {
        SCOPED_TRACE(num_layers);
        check_tree(num_layers, {.log_host_cells = 2, .log_max_groups = 1, .max_host_parts = 1});
        check_tree(num_layers, {.log_host_cells = 3, .log_max_groups = 3, .max_host_parts = 4});
    }
}

// What is submitted for 2^num_layers leaves.
DispatchCounts counts_of(unsigned num_layers) {
    DispatchCounts counts;
    on_devices([&](Device& device) {
        const std::size_t size = std::size_t{1} << num_layers;
        const std::vector<Fp> p(size, Fp::one());
        const std::vector<Fp4> q(size, Fp4::one());
        FractionTree tree(device, upload_leaves(device, num_layers, p, q, Fp4::one()));
        GkrLayerClaims claims = tree.root_claims();
        test::Random random;
        for (unsigned layer = 1; layer < num_layers; ++layer) {
            tree.begin_layer(layer, random.fp4(), random.fp4s(layer), claims, random.fp4());
            for (unsigned round = 0; round < layer; ++round) {
                tree.round_message();
                tree.fold(random.fp4());
            }
            claims = tree.layer_claims();
        }
        counts = device.recorder().counts();
    });
    return counts;
}

TEST(FractionTree, SmallTreeTakesOneSubmission) {
    EXPECT_EQ(counts_of(5).command_buffers, 1);
    EXPECT_EQ(counts_of(5).kernels, 0);
}

TEST(FractionTree, OneSubmissionARoundUntilTheHostTakesOver) {
    // Layers 7 to 9 of 10 have their children on the device. Round 0 and then a round for each fold down to 2^7 cells.
    const DispatchCounts counts = counts_of(10);
    EXPECT_EQ(counts.command_buffers, 1 + 2 + 3 + 4);
    EXPECT_EQ(counts.syncs, counts.command_buffers);
    EXPECT_EQ(counts.kernels, 1 + 3 * 2 + 2 + 3 + 4);  // the tree, eq heaps, rounds
}

}  // namespace
}  // namespace whorl::gpu
