// Proof and key codecs: the stored bytes come back, and hostile bytes are refused with section and offset.
#include <algorithm>
#include <bit>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/prove.hpp>
#include <whorl/verify.hpp>

#include "airs/small.hpp"
#include "key/height_bounds.hpp"
#include "proof/key_codec.hpp"
#include "proof/layout.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::key_bytes;
using test::load_key;
using test::load_proof;
using test::proof_bytes;
using test::value_of;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Codec : public ::testing::TestWithParam<std::string> {};

TEST_P(Codec, ProofComesBackByteForByte) {
    const auto bytes = proof_bytes(GetParam());
    const auto proof = decode_proof(bytes);
    ASSERT_TRUE(proof) << to_string(proof.error());
    EXPECT_TRUE(*encode_proof(*proof) == bytes);
}

TEST_P(Codec, KeyComesBackByteForByte) {
    const auto bytes = key_bytes(GetParam());
    const auto key = decode_verifying_key(bytes);
    ASSERT_TRUE(key) << to_string(key.error());
    EXPECT_TRUE(*encode_verifying_key(*key) == bytes);
    EXPECT_EQ(key->pre_hash, *verifying_key_pre_hash(*key));
}

TEST_P(Codec, SectionsAddUpToTheProof) {
    const auto bytes = proof_bytes(GetParam());
    std::size_t sum = 0;
    const std::vector<ProofSection> sections = *proof_sections(load_proof(GetParam()));
    for (const ProofSection& section : sections) sum += section.size_bytes;
    EXPECT_EQ(sum, bytes.size());
}

INSTANTIATE_TEST_SUITE_P(Vectors, Codec, ::testing::ValuesIn(test::kVectorNames),
                         [](const auto& info) { return info.param; });

std::vector<std::byte> with_u32(std::vector<std::byte> bytes, std::size_t offset, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) bytes.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
    return bytes;
}

TEST(ProofCodec, NamesSectionOffsetExpectedAndFound) {
    const auto bytes = proof_bytes("fib_2e5");
    const auto version = decode_proof(with_u32(bytes, 0, 4));
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().code, ErrorCode::kBadFormat);
    EXPECT_EQ(to_string(version.error()), "proof.decode: header, byte 0: codec version: expected 3, found 4");

    const auto element = decode_proof(with_u32(bytes, 8, Fp::kModulus));
    ASSERT_FALSE(element);
    EXPECT_EQ(element.error().message,
              "header, byte 8: common main commitment: expected a field element below 2013265921, found 2013265921");

    const auto count = decode_proof(with_u32(bytes, 36, 0xffffffff));
    ASSERT_FALSE(count);
    EXPECT_THAT(count.error().message, HasSubstr("trace data, byte 40: number of AIRs: expected 4294967295 items"));
}

TEST(ProofCodec, RejectsPaddingBitsInTheBitmap) {
    auto bytes = proof_bytes("fib_2e5");
    bytes[40] |= std::byte{0x80};
    const auto proof = decode_proof(bytes);
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().message, "trace data, byte 40: bitmap padding: expected zero bits, found bit 7 set");
}

TEST(ProofCodec, RejectsTrailingBytes) {
    auto bytes = proof_bytes("fib_2e5");
    bytes.push_back(std::byte{0});
    const auto proof = decode_proof(bytes);
    ASSERT_FALSE(proof);
    EXPECT_THAT(proof.error().message, HasSubstr("trailing bytes: expected none, found 1"));
}

// Where a section starts in the encoded proof.
std::size_t section_offset(const Proof& proof, const std::string& name) {
    std::size_t offset = 0;
    const std::vector<ProofSection> sections = *proof_sections(proof);
    for (const ProofSection& section : sections) {
        if (section.name == name) return offset;
        offset += section.size_bytes;
    }
    ADD_FAILURE() << "no section " << name;
    return 0;
}

// Rows without columns and paths without siblings cost no bytes: counts alone must not take memory.
TEST(ProofCodec, BoundsItemsThatTakeNoBytes) {
    const Proof proof = load_proof("fib_2e5");
    const auto bytes = *encode_proof(proof);
    const std::size_t rows = section_offset(proof, "whir initial rows");

    const auto no_queries = decode_proof(with_u32(with_u32(bytes, rows, 0xffffffff), rows + 4, 0));
    ASSERT_FALSE(no_queries);
    EXPECT_THAT(no_queries.error().message, HasSubstr("commitments without queries: expected at most 1048576 items"));

    // One commitment of width 0 and depth 0 with 2^32 − 1 queries.
    auto empty_rows = with_u32(bytes, rows + 4, 0xffffffff);
    empty_rows = with_u32(with_u32(empty_rows, rows + 8, 0), rows + 12, 0);
    const auto empty = decode_proof(empty_rows);
    ASSERT_FALSE(empty);
    EXPECT_THAT(empty.error().message, HasSubstr("opened rows: expected at most 1048576 items"));

    const auto wide = decode_proof(with_u32(with_u32(bytes, rows + 4, 0xffffffff), rows + 12, 0xffffffff));
    ASSERT_FALSE(wide);
    EXPECT_THAT(wide.error().message, HasSubstr("opened rows: expected"));
}

// As many free items as are allowed, one more, and more items that do take bytes.
TEST(ProofCodec, CountsOnlyItemsThatTakeNoBytes) {
    Proof proof = load_proof("fib_2e5");
    const auto bytes = *encode_proof(proof);
    const std::size_t rows = section_offset(proof, "whir initial rows");
    constexpr std::uint32_t kMost = 1U << 20;
    const auto most = decode_proof(with_u32(with_u32(bytes, rows, kMost), rows + 4, 0));
    ASSERT_FALSE(most);
    EXPECT_THAT(most.error().message, Not(HasSubstr("that take no bytes")));
    const auto one_more = decode_proof(with_u32(with_u32(bytes, rows, kMost + 1), rows + 4, 0));
    ASSERT_FALSE(one_more);
    EXPECT_THAT(one_more.error().message, HasSubstr("at most 1048576 items that take no bytes, found 1048577"));

    auto& leaves = proof.whir.initial_round_opened_rows[0];
    const std::size_t num_rows = leaves.size() * leaves[0].size();
    for (auto& leaf : leaves) {
        for (auto& row : leaf) row.resize(kMost / num_rows + 1);
    }
    const auto wide = decode_proof(*encode_proof(proof));
    ASSERT_TRUE(wide) << to_string(wide.error());
    EXPECT_EQ(*wide, proof);
}

// Rounds without values would be any number of lists for no bytes at all.
TEST(ProofCodec, RejectsSumcheckRoundsWithoutValues) {
    const Proof proof = load_proof("fib_2e5");
    ASSERT_FALSE(proof.batch_constraint.sumcheck_round_polys.empty());
    const std::size_t count_offset = section_offset(proof, "batch constraints") + 4 +
                                     32 * proof.batch_constraint.numerator_term_per_air.size() + 4 +
                                     16 * proof.batch_constraint.univariate_round_coeffs.size();
    const auto bytes = *encode_proof(proof);
    const auto decoded = decode_proof(with_u32(with_u32(bytes, count_offset, 0xffffffff), count_offset + 4, 0));
    ASSERT_FALSE(decoded);
    EXPECT_THAT(decoded.error().message, HasSubstr("values per sumcheck round: expected at least 1, found 0"));
}

// A proof of one WHIR round that folds `k` variables, without Merkle paths: the codeword is a single leaf.
Proof one_round_proof(std::size_t k) {
    Proof proof = load_proof("fib_2e5");
    WhirProof& whir = proof.whir;
    whir.sumcheck_polys.resize(k);
    whir.folding_pow_witnesses.resize(k);
    whir.codeword_commits.clear();
    whir.ood_values.clear();
    whir.query_phase_pow_witnesses.resize(1);
    for (auto& paths : whir.initial_round_merkle_proofs) {
        for (MerklePath& path : paths) path.clear();
    }
    whir.codeword_opened_values.clear();
    whir.codeword_merkle_proofs.clear();
    whir.final_poly.resize(1);
    return proof;
}

TEST(ProofCodec, TakesPathsOfDepth0) {
    const std::size_t rows_per_leaf = load_proof("fib_2e5").whir.initial_round_opened_rows[0][0].size();
    const Proof proof = one_round_proof(static_cast<std::size_t>(std::countr_zero(rows_per_leaf)));
    const auto decoded = decode_proof(*encode_proof(proof));
    ASSERT_TRUE(decoded) << to_string(decoded.error());
    EXPECT_EQ(*decoded, proof);
}

TEST(ProofCodec, BoundsTheVariablesOfAFold) {
    const auto refusal_of = [](std::size_t k) {
        const auto decoded = decode_proof(*encode_proof(one_round_proof(k)));
        return decoded ? "accepted" : decoded.error().message;
    };
    EXPECT_THAT(refusal_of(28), HasSubstr("variables folded per round: expected at most 27, found 28"));
    EXPECT_THAT(refusal_of(27), Not(HasSubstr("variables folded per round")));
}

TEST(ProofCodec, BoundsCommitmentsAndPaths) {
    const Proof proof = load_proof("fib_2e5");
    const auto bytes = *encode_proof(proof);
    const auto refusal_at = [&](std::size_t offset, std::uint32_t value) {
        const auto decoded = decode_proof(with_u32(bytes, offset, value));
        return decoded ? "accepted" : decoded.error().message;
    };
    const std::size_t rows = section_offset(proof, "whir initial rows");
    EXPECT_THAT(refusal_at(rows, 0), HasSubstr("number of commitments: expected at least 1, found 0"));
    EXPECT_THAT(refusal_at(rows + 8, 0xffffffff), HasSubstr("Merkle paths: expected"));
    EXPECT_THAT(refusal_at(section_offset(proof, "whir codeword paths"), 0xffffffff),
                HasSubstr("Merkle paths: expected"));
}

// Nothing decodes to such proofs, but a caller may build one.
TEST(ProofCodec, EncodesProofsWithEmptyLists) {
    EXPECT_FALSE(encode_proof(Proof{})->empty());
    Proof hollow;
    hollow.whir.initial_round_opened_rows.resize(1);
    hollow.whir.initial_round_merkle_proofs.resize(1);
    hollow.whir.codeword_opened_values.resize(1);
    hollow.whir.codeword_merkle_proofs.resize(1);
    EXPECT_FALSE(encode_proof(hollow)->empty());
    hollow.whir.initial_round_opened_rows[0].resize(1);
    EXPECT_FALSE(encode_proof(hollow)->empty());
    hollow.whir.initial_round_merkle_proofs.clear();
    EXPECT_FALSE(encode_proof(hollow)->empty());
    hollow.whir.initial_round_opened_rows.resize(2);  // one of them without queries
    EXPECT_FALSE(encode_proof(hollow)->empty());
}

TEST(ProofCodec, RejectsPathDepthsThatRunBelowZero) {
    Proof proof = load_proof("fib_2e5");
    ASSERT_EQ(proof.whir.codeword_commits.size(), 2u);
    for (auto& paths : proof.whir.codeword_merkle_proofs) {
        for (auto& path : paths) path.clear();
    }
    const auto decoded = decode_proof(*encode_proof(proof));
    ASSERT_FALSE(decoded);
    EXPECT_THAT(decoded.error().message, HasSubstr("path depth: expected at least 1 for 3 rounds, found 0"));
}

TEST(ProofCodec, SurvivesEveryTruncation) {
    const auto bytes = proof_bytes("fib_height_1");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto proof = decode_proof(std::span(bytes).first(size));
        ASSERT_FALSE(proof) << size;
        ASSERT_EQ(proof.error().code, ErrorCode::kBadFormat);
        // Noticed at the end of the bytes, and not later.
        ASSERT_THAT(proof.error().message, HasSubstr(" bytes left")) << size;
    }
}

TEST(ProofCodec, NamesTheFirstOfTwoFaults) {
    Proof proof = load_proof("fib_2e5");
    // 57 folds in 2 rounds: neither a multiple nor few enough.
    proof.whir.codeword_commits.resize(1);
    proof.whir.ood_values.resize(1);
    proof.whir.sumcheck_polys.resize(57);
    const auto decoded = decode_proof(*encode_proof(proof));
    ASSERT_FALSE(decoded);
    EXPECT_THAT(decoded.error().message, HasSubstr("number of sumcheck rounds: expected a multiple of 2 WHIR rounds"));
}

TEST(KeyCodec, SurvivesEveryTruncation) {
    for (const char* name : {"fib_2e5", "cached", "preprocessed_and_cached", "self_interactions"}) {
        const auto bytes = key_bytes(name);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto key = decode_verifying_key(std::span(bytes).first(size));
            ASSERT_FALSE(key) << name << " " << size;
            ASSERT_EQ(key.error().code, ErrorCode::kBadFormat);
            ASSERT_THAT(key.error().message, HasSubstr(" bytes left")) << name << " " << size;
        }
    }
}

TEST(KeyCodec, RejectsEveryAlteredBit) {
    const auto bytes = key_bytes("preprocessed_and_cached");
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto altered = bytes;
            altered[i] ^= static_cast<std::byte>(1u << bit);
            ASSERT_FALSE(decode_verifying_key(altered)) << "byte " << i << " bit " << bit;
        }
    }
}

TEST(KeyCodec, RejectsAnotherPreHash) {
    VerifyingKey key = load_key("cached");
    key.pre_hash[3] += Fp::one();
    const auto decoded = decode_verifying_key(*encode_verifying_key(key));
    ASSERT_FALSE(decoded);
    EXPECT_THAT(
        to_string(decoded.error()),
        ::testing::MatchesRegex("key.decode: pre-hash, byte [0-9]+: pre-hash: expected the hash of the key, .*"));
    EXPECT_TRUE(decode_verifying_key(*encode_verifying_key(key), PreHashCheck::kIgnore));
}

TEST(KeyCodec, TakesPaddedVarintsAsPostcardDoes) {
    auto bytes = key_bytes("fib_2e5");
    // l_skip = 2 as two groups: 0x82 0x00.
    ASSERT_EQ(bytes[0], std::byte{2});
    bytes[0] = std::byte{0x82};
    bytes.insert(bytes.begin() + 1, std::byte{0});
    const auto key = decode_verifying_key(bytes);
    ASSERT_TRUE(key) << to_string(key.error());
    EXPECT_EQ(*key, load_key("fib_2e5"));
    // Eleven groups are too many for 64 bits.
    bytes.insert(bytes.begin() + 1, 9, std::byte{0x80});
    const auto too_long = decode_verifying_key(bytes);
    ASSERT_FALSE(too_long);
    EXPECT_THAT(too_long.error().message, HasSubstr("l_skip: expected a varint of 64 bits"));
}

TEST(KeyCodec, RefusesNumbersOfTooManyBits) {
    const auto bytes = key_bytes("fib_2e5");
    // l_skip as ten groups, the last of which holds bit 63 alone.
    const auto with_last_group = [&](std::uint8_t last) {
        auto altered = bytes;
        altered[0] = std::byte{0x82};
        altered.insert(altered.begin() + 1, 8, std::byte{0x80});
        altered.insert(altered.begin() + 9, std::byte{last});
        return decode_verifying_key(altered);
    };
    ASSERT_TRUE(with_last_group(0));
    const auto bit_63 = with_last_group(1);
    ASSERT_FALSE(bit_63);
    EXPECT_THAT(bit_63.error().message, HasSubstr("l_skip: expected a number below 2^32, found 9223372036854775810"));
    const auto bit_64 = with_last_group(2);
    ASSERT_FALSE(bit_64);
    EXPECT_THAT(bit_64.error().message, HasSubstr("l_skip: expected a varint of 64 bits"));
}

TEST(KeyCodec, TakesNumbersBelow2To32AndNoTrailingBytes) {
    VerifyingKey key = load_key("fib_2e5");
    auto bytes = *encode_verifying_key(key);
    bytes.push_back(std::byte{0});
    const auto trailing = decode_verifying_key(bytes);
    ASSERT_FALSE(trailing);
    EXPECT_THAT(trailing.error().message, HasSubstr("trailing bytes: expected none, found 1"));
    // Read as a number; that no key can have it is another rule.
    key.params.l_skip = 0xffffffff;
    const auto largest = decode_verifying_key(*encode_verifying_key(key));
    ASSERT_FALSE(largest);
    EXPECT_THAT(largest.error().message, Not(HasSubstr("a number below 2^32")));
}

TEST(KeyCodec, RefusesWordsThatAreNoFieldElements) {
    VerifyingKey key = load_key("fib_2e5");
    key.pre_hash.back() = Fp::from_montgomery(Fp::kModulus - 1);
    auto bytes = *encode_verifying_key(key);
    EXPECT_TRUE(decode_verifying_key(bytes, PreHashCheck::kIgnore));
    // The last word is five groups, the first of which has the lowest bits.
    ASSERT_EQ(bytes[bytes.size() - 5], std::byte{0x80});
    bytes[bytes.size() - 5] = std::byte{0x81};
    const auto decoded = decode_verifying_key(bytes, PreHashCheck::kIgnore);
    ASSERT_FALSE(decoded);
    EXPECT_THAT(decoded.error().message,
                HasSubstr("pre-hash: expected a Montgomery word below 2013265921, found 2013265921"));
}

// What a key with these contents is refused for, whether it is read, used to prove or check, or saved.
std::string refusal(VerifyingKey key) {
    key.pre_hash = *verifying_key_pre_hash(key);
    const auto decoded = decode_verifying_key(*encode_verifying_key(key));
    const auto checked = check_key(key);
    EXPECT_EQ(checked.has_value(), decoded.has_value());
    EXPECT_EQ(Prover::create(key).has_value(), decoded.has_value());
    if (decoded) return "accepted";
    const std::string& reason = checked.error().message;
    EXPECT_EQ(check_constraints(key, {}).error().message, reason);
    EXPECT_EQ(check_traces(key, {}).error().message, reason);
    EXPECT_EQ(verify(key, Proof()).error().stage.substr(0, 6), "shape.");
    // The reader's message has the byte offset between place and reason.
    const auto after_place = [](const std::string& text) { return text.substr(text.rfind(": expected")); };
    EXPECT_EQ(after_place(decoded.error().message), after_place(reason));
    EXPECT_THAT(decoded.error().message, HasSubstr(", byte "));
    return decoded.error().message;
}

// The degree of a product is at least the sum of its factors' degrees, whatever the factors are.
TEST(KeyCodec, CountsTheDegreeOfEveryLeaf) {
    const VerifyingKey key = load_key("preprocessed_and_cached");
    using Op = SymbolicNode::Op;
    using Entry = Variable::Entry;
    // A square of `leaf` that claims `degree`.
    const auto square = [&](const SymbolicNode& leaf, std::uint32_t degree) {
        VerifyingKey copy = key;
        AirVerifyingKey& air = copy.airs[0];
        air.num_public_values = std::max(air.num_public_values, 1U);
        const auto at = static_cast<std::uint32_t>(air.nodes.size());
        air.nodes.push_back(leaf);
        SymbolicNode& product = air.nodes.emplace_back();
        product.op = Op::kMul;
        product.left = product.right = at;
        product.degree = degree;
        return refusal(copy);
    };
    const auto variable = [](Entry entry) {
        SymbolicNode node;
        node.op = Op::kVariable;
        node.variable.entry = entry;
        return node;
    };
    const auto plain = [](Op op) {
        SymbolicNode node;
        node.op = op;
        return node;
    };
    for (const SymbolicNode& leaf : {variable(Entry::kMain), variable(Entry::kPreprocessed), plain(Op::kIsFirstRow),
                                     plain(Op::kIsLastRow), plain(Op::kIsTransition)}) {
        EXPECT_THAT(square(leaf, 1), HasSubstr("degree: expected at least 2, found 1"));
        EXPECT_EQ(square(leaf, 2), "accepted");
    }
    EXPECT_EQ(square(variable(Entry::kPublic), 0), "accepted");
    EXPECT_EQ(square(plain(Op::kConstant), 0), "accepted");
}

// A sum has the larger of its operands' degrees, whichever side that is on; a negation that of its operand.
TEST(KeyCodec, CountsTheDegreeOfSumsAndNegations) {
    const VerifyingKey key = load_key("preprocessed_and_cached");
    using Op = SymbolicNode::Op;
    const auto of_op = [&](Op op, bool constant_first, bool constant_second, std::uint32_t degree) {
        VerifyingKey copy = key;
        std::vector<SymbolicNode>& nodes = copy.airs[0].nodes;
        const auto constant = static_cast<std::uint32_t>(nodes.size());
        nodes.emplace_back();
        nodes.emplace_back().op = Op::kIsFirstRow;
        SymbolicNode& node = nodes.emplace_back();
        node.op = op;
        node.left = constant_first ? constant : constant + 1;
        // Read for binary operations only; node 0 has degree 1.
        if (op != Op::kNeg) node.right = constant_second ? constant : constant + 1;
        node.degree = degree;
        return refusal(copy);
    };
    ASSERT_EQ(key.airs[0].nodes[0].op, Op::kVariable);
    for (const Op op : {Op::kAdd, Op::kSub}) {
        EXPECT_THAT(of_op(op, true, false, 0), HasSubstr("degree: expected at least 1, found 0"));
        EXPECT_THAT(of_op(op, false, true, 0), HasSubstr("degree: expected at least 1, found 0"));
        EXPECT_EQ(of_op(op, true, true, 0), "accepted");
        EXPECT_EQ(of_op(op, false, false, 1), "accepted");
    }
    EXPECT_THAT(of_op(Op::kNeg, false, false, 0), HasSubstr("degree: expected at least 1, found 0"));
    EXPECT_EQ(of_op(Op::kNeg, true, false, 0), "accepted");
}

TEST(KeyCodec, TakesPreprocessedHeightsFrom1ToTheStackedHeight) {
    const VerifyingKey key = load_key("preprocessed_and_cached");
    const auto with_log_height = [&](std::int32_t log_height) {
        VerifyingKey copy = key;
        const SystemParams& params = copy.params;
        PreprocessedData& data = *copy.airs[0].preprocessed;
        data.hypercube_dim = log_height - static_cast<std::int32_t>(params.l_skip);
        const MatrixShape shape{*copy.airs[0].width.preprocessed,
                                static_cast<std::uint32_t>(std::clamp<std::int32_t>(log_height, 0, 30))};
        data.stacking_width =
            static_cast<std::uint32_t>(stacked_width(params.l_skip, params.log_stacked_height(), {&shape, 1}));
        return refusal(copy);
    };
    const auto tallest = static_cast<std::int32_t>(key.params.log_stacked_height());
    EXPECT_EQ(with_log_height(0), "accepted");
    EXPECT_EQ(with_log_height(tallest), "accepted");
    EXPECT_THAT(with_log_height(-1), HasSubstr("preprocessed hypercube_dim: expected from"));
    EXPECT_THAT(with_log_height(tallest + 1), HasSubstr("preprocessed hypercube_dim: expected from"));
}

// Bytes that stand for nothing, where every other byte is right; the pre-hash would refuse them too, but later.
TEST(KeyCodec, RefusesTagsAndFlagsThatDoNotExist) {
    const VerifyingKey key = load_key("preprocessed_and_cached");
    // The byte by which two keys differ, set to `value`.
    const auto refusal_of = [&](auto&& change, auto&& other_change, std::uint8_t value) -> std::string {
        VerifyingKey one = key;
        VerifyingKey other = key;
        change(one, one.airs[0]);
        other_change(other, other.airs[0]);
        auto bytes = *encode_verifying_key(one);
        const auto other_bytes = *encode_verifying_key(other);
        const auto at = std::ranges::mismatch(bytes, other_bytes).in1 - bytes.begin();
        bytes.at(static_cast<std::size_t>(at)) = std::byte{value};
        const auto decoded = decode_verifying_key(bytes, PreHashCheck::kIgnore);
        return decoded ? "accepted" : decoded.error().message;
    };
    using Op = SymbolicNode::Op;
    using Entry = Variable::Entry;
    const auto unused = [](Entry entry) {
        return [entry](auto&, auto& air) { air.unused_variables.emplace_back().entry = entry; };
    };
    const auto last_node = [](Op op) { return [op](auto&, auto& air) { air.nodes.emplace_back().op = op; }; };
    const auto required = [](bool value) { return [value](auto&, auto& air) { air.is_required = value; }; };
    const auto bus = [](std::uint16_t index) {
        return [index](auto&, auto& air) { air.interactions.push_back({{0}, 0, index, 0}); };
    };
    EXPECT_THAT(refusal_of([](auto& vk, auto&) { vk.params.whir.proximity = UniqueDecoding{}; },
                           [](auto& vk, auto&) { vk.params.whir.proximity = ListDecoding{}; }, 3),
                HasSubstr("whir.proximity: expected a tag from 0 to 2, found 3"));
    EXPECT_THAT(refusal_of(unused(Entry::kPublic), unused(Entry::kChallenge), 4),
                HasSubstr("variable entry: expected at most 3, found 4"));
    EXPECT_EQ(refusal_of(unused(Entry::kPublic), unused(Entry::kChallenge), 3), "accepted");
    EXPECT_THAT(refusal_of(last_node(Op::kIsFirstRow), last_node(Op::kIsLastRow), 9),
                HasSubstr("node kind: expected at most 8, found 9"));
    EXPECT_THAT(refusal_of(required(false), required(true), 2), HasSubstr("is_required: expected 0 or 1, found 2"));
    EXPECT_EQ(refusal_of(required(false), required(true), 1), "accepted");
    // 65535 is three groups, the last of which has two bits.
    EXPECT_THAT(refusal_of(bus(65535), bus(49151), 3), Not(HasSubstr("bus index")));
    EXPECT_THAT(refusal_of(bus(65535), bus(49151), 4), HasSubstr("bus index: expected a varint of 16 bits"));
}

TEST(KeyCodec, ComesBackWithEveryProximity) {
    VerifyingKey key = load_key("fib_2e5");
    const Proximity proximities[] = {UniqueDecoding{}, SplitUniqueList{.m = 3, .list_start_round = 1},
                                     ListDecoding{.m = 2}};
    for (const Proximity& proximity : proximities) {
        key.params.whir.proximity = proximity;
        key.pre_hash = *verifying_key_pre_hash(key);
        const auto decoded = decode_verifying_key(*encode_verifying_key(key));
        ASSERT_TRUE(decoded) << to_string(decoded.error());
        EXPECT_EQ(*decoded, key);
    }
}

TEST(KeyCodec, RejectsKeysThatProverAndVerifierCannotRelyOn) {
    const VerifyingKey key = load_key("preprocessed_and_cached");
    EXPECT_EQ(refusal(key), "accepted");
    const auto altered = [&](auto&& change) {
        VerifyingKey copy = key;
        change(copy, copy.airs[0]);
        return refusal(copy);
    };
    using Op = SymbolicNode::Op;
    const auto inner = [](AirVerifyingKey& air) -> SymbolicNode& {
        for (SymbolicNode& node : air.nodes) {
            if (node.op == Op::kAdd || node.op == Op::kSub || node.op == Op::kMul) return node;
        }
        throw std::runtime_error("no inner node");
    };
    const auto main_variable = [](AirVerifyingKey& air) -> Variable& {
        for (SymbolicNode& node : air.nodes) {
            if (node.op == Op::kVariable && node.variable.entry == Variable::Entry::kMain) return node.variable;
        }
        throw std::runtime_error("no variable");
    };

    EXPECT_THAT(altered([&](auto&, auto& air) { inner(air).left = 1000; }), HasSubstr("left operand: expected below"));
    EXPECT_THAT(altered([&](auto&, auto& air) { inner(air).right = 1000; }),
                HasSubstr("right operand: expected below"));
    EXPECT_THAT(altered([&](auto&, auto& air) { inner(air).degree = 0; }), HasSubstr("degree: expected at least"));
    EXPECT_THAT(altered([&](auto&, auto& air) { inner(air).degree = 100; }), HasSubstr("degree: expected at most"));
    EXPECT_THAT(altered([&](auto&, auto& air) { main_variable(air).index = 99; }),
                HasSubstr("variable index: expected below"));
    EXPECT_THAT(altered([&](auto&, auto& air) { main_variable(air).part_index = 9; }),
                HasSubstr("variable part: expected at most"));
    // So far off that a read there would crash.
    EXPECT_THAT(altered([&](auto&, auto& air) { main_variable(air).part_index = 0xfffffff0; }),
                HasSubstr("variable part: expected at most"));
    EXPECT_THAT(altered([&](auto&, auto& air) { main_variable(air).offset = 2; }),
                HasSubstr("variable offset: expected at most"));
    EXPECT_THAT(altered([&](auto&, auto& air) { main_variable(air).entry = Variable::Entry::kChallenge; }),
                HasSubstr("a challenge"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.constraint_idx.push_back(air.constraint_idx.back()); }),
                HasSubstr(": expected above"));
    EXPECT_EQ(altered([&](auto& vk, auto& air) {
                  air.nodes.resize(1);
                  air.constraint_idx = {0};
                  air.interactions.clear();
                  vk.trace_height_constraints = value_of(trace_height_constraints(vk.params, vk.airs));
              }),
              "accepted");
    EXPECT_THAT(altered([&](auto&, auto& air) { air.constraint_idx.back() = 5000; }), HasSubstr(": expected below"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.max_constraint_degree = 0; }),
                HasSubstr("max_constraint_degree: expected at least"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.max_constraint_degree = 255; }),
                HasSubstr("max_constraint_degree: expected at most"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.width.preprocessed.reset(); }),
                HasSubstr("preprocessed width: expected present exactly when preprocessed data is, found absent"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.preprocessed->hypercube_dim = 100; }),
                HasSubstr("preprocessed hypercube_dim: expected from"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.preprocessed->stacking_width += 1; }),
                HasSubstr("preprocessed stacking width: expected"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.interactions.push_back({{}, 0, 0, 0}); }),
                HasSubstr("message length: expected at least 1, found 0"));
    EXPECT_THAT(
        altered([&](auto&, auto& air) { air.interactions.push_back({std::vector<std::uint32_t>(1000, 0), 0, 0, 0}); }),
        HasSubstr("message length: expected at most 127, found 1000"));
    EXPECT_THAT(altered([&](auto&, auto& air) {
                    air.interactions.push_back({{static_cast<std::uint32_t>(air.nodes.size())}, 0, 0, 0});
                }),
                HasSubstr("interaction 0, message value: expected below"));
    // The degree of a key covers what is sent.
    EXPECT_THAT(altered([&](auto&, auto& air) {
                    const auto root = static_cast<std::uint32_t>(air.nodes.size());
                    const auto degree = std::uint32_t{air.max_constraint_degree} + 1;
                    std::uint32_t variable = 0;
                    while (air.nodes[variable].op != Op::kVariable) ++variable;
                    const auto multiply = [&](std::uint32_t left, std::uint32_t product_degree) {
                        SymbolicNode product;
                        product.op = Op::kMul;
                        product.left = left;
                        product.right = variable;
                        product.degree = product_degree;
                        air.nodes.push_back(product);
                    };
                    multiply(variable, 2);
                    for (std::uint32_t d = 3; d <= degree; ++d) multiply(root + d - 3, d);
                    air.interactions.push_back({{root + degree - 2}, variable, 0, 0});
                }),
                HasSubstr("max_constraint_degree: expected at least"));
    EXPECT_THAT(altered([&](auto&, auto& air) { air.interactions = {{{0}, 0, 3, 0xffffffff}, {{0}, 0, 3, 1}}; }),
                AllOf(HasSubstr("interactions: expected trace height constraints that fit"),
                      HasSubstr("bus 3: the count weights of AIR 0 add up to 4294967296")));
    EXPECT_EQ(altered([&](auto&, auto& air) {
                  // Cached columns are enough.
                  air.nodes.resize(1);
                  air.nodes[0].op = Op::kVariable;
                  air.nodes[0].variable = {.entry = Variable::Entry::kMain, .part_index = 0, .offset = 0, .index = 0};
                  air.nodes[0].degree = 1;
                  air.constraint_idx = {0};
                  air.width.common_main = 0;
                  air.unused_variables.clear();
              }),
              "accepted");
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.trace_height_constraints.push_back({{1, 1, 1, 1, 1}, 5}); }),
                HasSubstr("number of constraints: expected"));
    // Trace height constraints are those that follow from the interactions.
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.trace_height_constraints.clear(); }),
                HasSubstr("trace height constraints, byte"));
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.trace_height_constraints[0].threshold -= 1; }),
                HasSubstr("constraint 0 (all interactions), threshold: expected 1073741824, found 1073741823"));
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.trace_height_constraints[0].coefficients[0] += 1; }),
                HasSubstr("coefficient of AIR 0: expected 0, found 1"));
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.trace_height_constraints[0].coefficients.push_back(0); }),
                HasSubstr("number of coefficients: expected 1, found 2"));
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.airs.clear(); }), HasSubstr("number of AIRs: expected at least 1"));
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.params.l_skip = 28; }), HasSubstr("system parameters: expected"));
    EXPECT_THAT(altered([&](auto& vk, auto&) { vk.params.whir.num_queries.clear(); }),
                HasSubstr("system parameters: expected"));
    EXPECT_THAT(altered([&](auto&, auto& air) {
                    air.width.common_main = 0;
                    air.width.cached_mains.clear();
                    air.nodes.clear();
                }),
                HasSubstr("main width: expected at least 1, found 0"));
}

// PROTOCOL.md 16: with one WHIR round nothing reads depth1; any value decodes, as in the published decoder.
TEST(ProofCodec, ReadsAnyDepthWhereNoLaterRoundUsesIt) {
    const SystemParams params = test_params_small(2, 8, 8);
    ASSERT_EQ(params.whir.num_rounds(), 1U);
    const ProvingKey key = value_of(keygen(params, std::vector<AnyAir>{FibonacciAir{}}));
    const std::vector<AirTrace> traces{fibonacci_trace(0, 1, 1, 16)};
    std::vector<std::byte> bytes = *encode_proof(value_of(prove(key.vk, traces)));
    const std::vector<std::byte> written = bytes;
    // At the end: depth1, a length, 2^2 coefficients.
    const std::size_t depth = bytes.size() - 4 - 4 * 16 - 4;
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(bytes[depth + i], std::byte{0});
        bytes[depth + i] = std::byte{0xff};
    }
    const auto proof = decode_proof(bytes);
    ASSERT_TRUE(proof) << to_string(proof.error());
    EXPECT_TRUE(verify(key.vk, *proof).has_value());
    EXPECT_EQ(*encode_proof(*proof), written);
}

// What no bytes can say, but a caller can build.
TEST(CheckKey, RefusesWhatOnlyMemoryCanHold) {
    const VerifyingKey key = load_key("preprocessed_and_cached");
    const auto reason = [&](auto&& change) {
        VerifyingKey copy = key;
        change(copy.airs[0]);
        const auto checked = check_key(copy);
        return checked ? "accepted" : checked.error().message;
    };
    EXPECT_EQ(reason([](auto&) {}), "accepted");
    EXPECT_THAT(reason([](auto& air) { air.nodes[0].op = static_cast<SymbolicNode::Op>(9); }),
                HasSubstr("AIR 0: node 0, kind: expected a kind from 0 to 8, found 9"));
    EXPECT_THAT(reason([](auto& air) {
                    air.nodes[0].op = SymbolicNode::Op::kVariable;
                    air.nodes[0].variable.entry = static_cast<Variable::Entry>(7);
                }),
                HasSubstr("AIR 0: node 0, variable entry: expected a kind from 0 to 3, found 7"));
    EXPECT_THAT(reason([](auto& air) {
                    air.nodes[0].op = SymbolicNode::Op::kConstant;
                    air.nodes[0].constant = Fp::from_montgomery(Fp::kModulus);
                }),
                HasSubstr("AIR 0: node 0, constant: expected a Montgomery word below"));
    // The message says where: in an AIR, in the constraints on heights, or in neither.
    VerifyingKey of_heights = key;
    of_heights.trace_height_constraints[0].threshold -= 1;
    EXPECT_THAT(check_key(of_heights).error().message, StartsWith("trace height constraints: constraint 0"));
    VerifyingKey of_params = key;
    of_params.params.l_skip = 28;
    EXPECT_THAT(check_key(of_params).error().message, StartsWith("system parameters: expected workable ones"));
    EXPECT_THAT(reason([](auto& air) { air.preprocessed->commit[0] = Fp::from_montgomery(0xffffffff); }),
                HasSubstr("preprocessed commitment: expected a Montgomery word below"));
}

// A key in which a part cannot be: the message has its offset, and parameters are judged before the rest is read.
TEST(KeyCodec, SaysWhereAFaultIs) {
    const VerifyingKey key = load_key("preprocessed_and_cached");
    VerifyingKey of_air = key;
    of_air.airs[0].constraint_idx.back() = 5000;
    const std::string in_air = refusal(of_air);
    EXPECT_THAT(in_air, HasSubstr("AIR 0, byte "));
    EXPECT_THAT(in_air, Not(HasSubstr("byte 0:")));
    VerifyingKey of_params = key;
    of_params.params.l_skip = 28;
    std::vector<std::byte> bytes = *encode_verifying_key(of_params);
    bytes.pop_back();
    EXPECT_THAT(decode_verifying_key(bytes).error().message, HasSubstr("system parameters: expected workable ones"));
}

// A signed number of the format that no 32 bits hold.
TEST(KeyCodec, RefusesHeightsOfMoreThan32Bits) {
    VerifyingKey key = load_key("preprocessed_and_cached");
    const std::vector<std::byte> bytes = *encode_verifying_key(key);
    key.airs[0].preprocessed->hypercube_dim += 1;
    const std::vector<std::byte> other = *encode_verifying_key(key);
    ASSERT_EQ(bytes.size(), other.size());
    const auto at = std::ranges::mismatch(bytes, other).in1 - bytes.begin();
    const auto with_number = [&](std::initializer_list<std::uint8_t> groups) {
        std::vector<std::byte> altered(bytes.begin(), bytes.begin() + at);
        for (const std::uint8_t group : groups) altered.push_back(std::byte{group});
        altered.insert(altered.end(), bytes.begin() + at + 1, bytes.end());
        return decode_verifying_key(altered).error().message;
    };
    EXPECT_THAT(with_number({0x80, 0x80, 0x80, 0x80, 0x10}),
                HasSubstr("expected a number of 32 bits, found 2147483648"));
    EXPECT_THAT(with_number({0x81, 0x80, 0x80, 0x80, 0x10}),
                HasSubstr("expected a number of 32 bits, found -2147483649"));
    EXPECT_THAT(with_number({0xff, 0xff, 0xff, 0xff, 0x0f}), Not(HasSubstr("32 bits")));  // the least of 32 bits
}

// A key with rounds of no queries, as a file: the codec of proofs cannot write what it would give.
TEST(KeyCodec, RefusesWhirRoundsWithoutQueries) {
    for (const std::size_t round : {0U, 1U, 2U}) {
        VerifyingKey key = load_key("fib_2e5");
        key.params.whir.num_queries[round] = 0;
        EXPECT_THAT(refusal(key),
                    HasSubstr(fmt::format("num_queries of WHIR round {} is 0, expected 1 to 1024", round)));
    }
}

}  // namespace
}  // namespace whorl
