#include "airs/keccak.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <new>

#include "threads/parallel.hpp"

namespace whorl {
namespace {

using Columns = KeccakColumns;
constexpr std::size_t kRounds = Columns::kNumRounds;

// Permutations computed together: their rows make runs of 1.5 KB in each of the 2,633 columns, and all their words
// (16·24 rows × 111 words × 8 bytes) stay in a 2nd-level cache while the columns are written.
constexpr std::size_t kBlockPermutations = 16;
constexpr std::size_t kBlockRows = kBlockPermutations * kRounds;

// The words of a row that columns are cut from, in the order of the columns.
enum Word : std::size_t {
    kPreimageWord = 0,
    kAWord = kPreimageWord + 25,
    kCWord = kAWord + 25,
    kCPrimeWord = kCWord + 5,
    kAPrimeWord = kCPrimeWord + 5,
    kAPrimePrimeWord = kAPrimeWord + 25,
    kAPrimePrimePrime00Word = kAPrimePrimeWord + 25,
    kNumWords,
};
using BlockWords = std::array<std::array<std::uint64_t, kBlockRows>, kNumWords>;  // [word][row]

// One round on `state`; `record(word, value)` receives the words of the row.
template <class Record>
void keccak_round(KeccakState& state, std::uint64_t round_constant, Record record) {
    std::array<std::uint64_t, 5> parity{}, parity_prime{};
    for (std::size_t i = 0; i < 25; ++i) {
        record(kAWord + i, state[i]);
        parity[i % 5] ^= state[i];
    }
    for (std::size_t x = 0; x < 5; ++x) {
        parity_prime[x] = parity[x] ^ parity[(x + 4) % 5] ^ std::rotl(parity[(x + 1) % 5], 1);
        record(kCWord + x, parity[x]);
        record(kCPrimeWord + x, parity_prime[x]);
    }
    for (std::size_t i = 0; i < 25; ++i) {
        state[i] ^= parity[i % 5] ^ parity_prime[i % 5];
        record(kAPrimeWord + i, state[i]);
    }
    KeccakState rotated;
    for (std::size_t y = 0; y < 5; ++y) {
        for (std::size_t x = 0; x < 5; ++x) {
            const std::size_t from_x = (x + 3 * y) % 5;
            rotated[x + 5 * y] = std::rotl(state[from_x + 5 * x], kKeccakRotations[from_x][x]);
        }
    }
    for (std::size_t y = 0; y < 5; ++y) {
        for (std::size_t x = 0; x < 5; ++x) {
            state[x + 5 * y] = rotated[x + 5 * y] ^ (~rotated[(x + 1) % 5 + 5 * y] & rotated[(x + 2) % 5 + 5 * y]);
            record(kAPrimePrimeWord + x + 5 * y, state[x + 5 * y]);
        }
    }
    state[0] ^= round_constant;
    record(kAPrimePrimePrime00Word, state[0]);
}

void compute_words(const KeccakState& input, std::size_t first_row, BlockWords& words) {
    KeccakState state = input;
    for (std::size_t round = 0; round < kRounds; ++round) {
        const std::size_t row = first_row + round;
        for (std::size_t i = 0; i < 25; ++i) words[kPreimageWord + i][row] = input[i];
        keccak_round(state, kKeccakRoundConstants[round],
                     [&](std::size_t word, std::uint64_t value) { words[word][row] = value; });
    }
}

// One column per bit, low bit first.
void write_bits(const std::uint64_t* words, std::size_t num_rows, Matrix& trace, std::size_t column,
                std::size_t first_row) {
    for (unsigned z = 0; z < 64; ++z) {
        Fp* out = &trace.at(first_row, column + z);
        for (std::size_t row = 0; row < num_rows; ++row) {
            const auto bit = static_cast<std::uint32_t>(words[row] >> z & 1);
            out[row] = Fp::from_montgomery(Fp::one().montgomery() & (0 - bit));
        }
    }
}

// One column per 16 bits, low limb first.
void write_limbs(const std::uint64_t* words, std::size_t num_rows, Matrix& trace, std::size_t column,
                 std::size_t first_row) {
    for (unsigned limb = 0; limb < Columns::kNumLimbs; ++limb) {
        Fp* out = &trace.at(first_row, column + limb);
        for (std::size_t row = 0; row < num_rows; ++row) {
            const std::uint64_t value = words[row] >> (Columns::kLimbBits * limb) & 0xffff;
            out[row] = Fp::from_canonical(static_cast<std::uint32_t>(value));
        }
    }
}

void write_columns(const BlockWords& words, std::size_t num_rows, Matrix& trace, std::size_t first_row) {
    for (std::size_t row = 0; row < num_rows; ++row) {
        trace.at(first_row + row, Columns::step_flag(static_cast<std::uint32_t>(row % kRounds))) = Fp::one();
    }
    const auto bits = [&](std::size_t word, std::size_t count, std::size_t column) {
        for (std::size_t i = 0; i < count; ++i) {
            write_bits(words[word + i].data(), num_rows, trace, column + 64 * i, first_row);
        }
    };
    const auto limbs = [&](std::size_t word, std::size_t count, std::size_t column) {
        for (std::size_t i = 0; i < count; ++i) {
            write_limbs(words[word + i].data(), num_rows, trace, column + Columns::kNumLimbs * i, first_row);
        }
    };
    limbs(kPreimageWord, 25, Columns::kPreimage);
    limbs(kAWord, 25, Columns::kA);
    bits(kCWord, 5, Columns::kC);
    bits(kCPrimeWord, 5, Columns::kCPrime);
    bits(kAPrimeWord, 25, Columns::kAPrime);
    limbs(kAPrimePrimeWord, 25, Columns::kAPrimePrime);
    bits(kAPrimePrimeWord, 1, Columns::kAPrimePrime00Bits);
    limbs(kAPrimePrimePrime00Word, 1, Columns::kAPrimePrimePrime00Limbs);
}

// The 32-bit words that the rand crate's StdRng draws after seed_from_u64: ChaCha with 12 rounds, a zero nonce and a
// block counter from 0, keyed by eight outputs of PCG32.
class StdRng {
public:
    explicit StdRng(std::uint64_t seed) {
        for (std::uint32_t& word : key_) {
            seed = seed * 6364136223846793005U + 11634580027462260723U;
            const auto shifted = static_cast<std::uint32_t>(((seed >> 18) ^ seed) >> 27);
            word = std::rotr(shifted, static_cast<int>(seed >> 59));
        }
    }

    std::uint64_t next_u64() {
        if (position_ == block_.size()) refill();
        const std::uint64_t low = block_[position_];
        const std::uint64_t high = block_[position_ + 1];
        position_ += 2;
        return low | high << 32;
    }

private:
    void refill() {
        std::array<std::uint32_t, 16> input{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
        std::copy(key_.begin(), key_.end(), input.begin() + 4);
        input[12] = static_cast<std::uint32_t>(counter_);
        input[13] = static_cast<std::uint32_t>(counter_ >> 32);
        ++counter_;
        block_ = input;
        const auto quarter_round = [this](std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
            const auto step = [this](std::size_t to, std::size_t from, std::size_t turned, int by) {
                block_[to] += block_[from];
                block_[turned] = std::rotl(block_[turned] ^ block_[to], by);
            };
            step(a, b, d, 16);
            step(c, d, b, 12);
            step(a, b, d, 8);
            step(c, d, b, 7);
        };
        for (unsigned double_round = 0; double_round < 6; ++double_round) {
            for (std::size_t i = 0; i < 4; ++i) quarter_round(i, 4 + i, 8 + i, 12 + i);
            for (std::size_t i = 0; i < 4; ++i) {
                quarter_round(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
            }
        }
        for (std::size_t i = 0; i < block_.size(); ++i) block_[i] += input[i];
        position_ = 0;
    }

    std::array<std::uint32_t, 8> key_{};
    std::uint64_t counter_ = 0;
    std::array<std::uint32_t, 16> block_{};
    std::size_t position_ = block_.size();
};

}  // namespace

void keccak_f(KeccakState& state) {
    for (const std::uint64_t constant : kKeccakRoundConstants) {
        keccak_round(state, constant, [](std::size_t, std::uint64_t) {});
    }
}

Matrix keccak_trace(std::span<const KeccakState> inputs) {
    const std::size_t height = std::bit_ceil(std::max<std::size_t>(inputs.size() * kRounds, 1));
    const std::size_t num_blocks = (height + kBlockRows - 1) / kBlockRows;
    Matrix trace(Columns::kWidth, height);
    if (!trace.is_valid()) throw std::bad_alloc();
    for_each_part(tbb::blocked_range<std::size_t>(0, num_blocks), [&](const tbb::blocked_range<std::size_t>& range) {
        const auto words = std::make_unique<BlockWords>();
        for (std::size_t block = range.begin(); block != range.end(); ++block) {
            for (std::size_t i = 0; i < kBlockPermutations; ++i) {
                const std::size_t permutation = block * kBlockPermutations + i;
                compute_words(permutation < inputs.size() ? inputs[permutation] : KeccakState{}, i * kRounds, *words);
            }
            const std::size_t first_row = block * kBlockRows;
            write_columns(*words, std::min(kBlockRows, height - first_row), trace, first_row);
        }
    });
    return trace;
}

std::vector<KeccakState> random_keccak_inputs(std::size_t num_permutations, std::uint64_t seed) {
    StdRng rng(seed);
    std::vector<KeccakState> inputs(num_permutations);
    for (KeccakState& input : inputs) {
        for (std::uint64_t& word : input) word = rng.next_u64();
    }
    return inputs;
}

}  // namespace whorl
