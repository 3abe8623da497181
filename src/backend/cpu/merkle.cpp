#include "backend/cpu/merkle.hpp"

#include "backend/cpu/parallel.hpp"
#include "field/simd.hpp"
#include "hash/batch.hpp"
#include "transforms/ntt.hpp"

namespace whorl::cpu {
namespace {

// Rows hashed by a task; a multiple of every leaf size in use.
constexpr std::size_t kRowsPerTask = 8192;
constexpr std::size_t kNodesPerTask = 1024;

}  // namespace

MerkleTree::MerkleTree(std::span<const std::uint32_t* const> columns, unsigned log_rows, unsigned k)
    : MerkleTree(log_rows - k, [&](std::uint32_t* planes, std::size_t stride) {
          const std::size_t grain = std::max(kRowsPerTask, std::size_t{1} << k);
          parallel_chunks(std::size_t{1} << log_rows, grain, [&](std::size_t begin, std::size_t end) {
              hash_rows(columns, begin, end - begin, k, planes, stride);
          });
      }) {}

MerkleTree::MerkleTree(unsigned log_leaves, const std::function<void(std::uint32_t*, std::size_t)>& write_leaves) {
    const auto make_layer = [](std::size_t nodes) {
        Layer layer;
        layer.stride = padded_size(nodes);
        // Half layers below a vector are read a vector further.
        layer.planes = WordBuffer(8 * layer.stride + kLaneAlignment);
        layer.planes.fill_zero();
        return layer;
    };
    layers_.push_back(make_layer(std::size_t{1} << log_leaves));
    write_leaves(layers_[0].planes.data(), layers_[0].stride);
    for (unsigned log_nodes = log_leaves; log_nodes > 0; --log_nodes) {
        const std::size_t half = std::size_t{1} << (log_nodes - 1);
        Layer parent = make_layer(half);
        const Layer& child = layers_.back();
        parallel_chunks(half, kNodesPerTask, [&](std::size_t begin, std::size_t end) {
            compress_layer(child.planes.data() + begin, child.planes.data() + half + begin, child.stride, end - begin,
                           parent.planes.data() + begin, parent.stride);
        });
        layers_.push_back(std::move(parent));
    }
}

Digest MerkleTree::node(std::size_t layer, std::size_t i) const {
    const Layer& l = layers_[layer];
    Digest digest;
    for (std::size_t w = 0; w < digest.size(); ++w) digest[w] = Fp::from_montgomery(l.planes.data()[w * l.stride + i]);
    return digest;
}

MerklePath MerkleTree::path(std::size_t q) const {
    MerklePath path;
    std::size_t at = reverse_bits(q, depth());
    for (unsigned layer = 0; layer < depth(); ++layer) {
        const std::size_t half = std::size_t{1} << (depth() - layer - 1);
        path.push_back(node(layer, at ^ half));
        at &= half - 1;
    }
    return path;
}

}  // namespace whorl::cpu
