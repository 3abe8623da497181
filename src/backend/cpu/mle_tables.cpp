#include "backend/cpu/mle_tables.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/mle_tables.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>
#include <mutex>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

using cpu::kExtBlock;
using cpu::kExtSlot;

// values[slot] = even rows, deltas[slot] = odd − even rows of kExtBlock pairs from pair `first`.
void LoadPairBlock(const std::uint32_t* const* tables, std::size_t num_tables, std::size_t stride, std::size_t first,
                   std::uint32_t* values, std::uint32_t* deltas) {
    for (std::size_t i = 0; i < num_tables; ++i) {
        for (unsigned c = 0; c < 4; ++c) {
            const std::uint32_t* p = tables[i] + c * stride + 2 * first;
            std::uint32_t* v = values + i * kExtSlot + c * kExtBlock;
            std::uint32_t* d = deltas + i * kExtSlot + c * kExtBlock;
            for (std::size_t x = 0; x < kExtBlock; x += num_lanes()) {
                const VPair pair = load_pairs(p + 2 * x);
                store(pair.even, v + x);
                store(sub(pair.odd, pair.even), d + x);
            }
        }
    }
}

void AddWords(std::uint32_t* values, const std::uint32_t* deltas, std::size_t n) {
    for (std::size_t i = 0; i < n; i += num_lanes()) store(add(load(values + i), load(deltas + i)), values + i);
}

void FoldTables(const std::uint32_t* in, std::size_t in_stride, std::uint32_t* out, std::size_t out_stride,
                std::size_t num_tables, std::size_t rows, const Fp4& r) {
    const V4 rv = broadcast4(r);
    for (std::size_t t = 0; t < num_tables; ++t, in += 4 * in_stride, out += 4 * out_stride) {
        for (std::size_t i = 0; i < rows; i += num_lanes()) {
            const V4Pair p = load4_pairs(in + 2 * i, in_stride);
            store4(add4(p.even, mul4(sub4(p.odd, p.even), rv)), out + i, out_stride);
        }
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {
HWY_EXPORT(LoadPairBlock);
HWY_EXPORT(AddWords);
HWY_EXPORT(FoldTables);
}  // namespace whorl

namespace whorl::cpu {
namespace {

// Rows that a table has room for, however few it has: tiles are written whole, blocks of pairs are read whole, and a fold reads two
// vectors.
constexpr std::size_t kMinStride = 64;
static_assert(kMinStride >= kTileBlocks && kMinStride >= 2 * kExtBlock && kMinStride >= 2 * kLaneAlignment);

}  // namespace

MleTables::MleTables(const ProverInput& input, std::uint32_t trace, std::span<const Fp4> basis)
    : rows_(std::size_t{1} << input.n_lift(trace)) {
    const AirVerifyingKey& air = input.air(trace);
    const AirTrace& source = *input.traces[trace];
    const unsigned l = input.params().l_skip;
    const std::size_t n = std::size_t{1} << l;
    const std::size_t height = source.height();
    stride_ = std::max(rows_, kMinStride);
    rows_per_column_ = air.need_rot ? 2 : 1;

    std::vector<ColumnView> columns;
    std::size_t common = 0;
    std::vector<std::size_t> cached;
    for (const PartRef& part : input.parts(trace)) {
        if (part.kind == PartRef::Kind::kPreprocessed) preprocessed_offset_ = columns.size();
        if (part.kind == PartRef::Kind::kCachedMain) cached.push_back(columns.size());
        if (part.kind == PartRef::Kind::kCommonMain) common = columns.size();
        const Matrix& matrix = input.part(part);
        for (std::size_t c = 0; c < matrix.width(); ++c) columns.push_back({column_words(matrix, c), matrix.height()});
    }
    main_offset_ = cached;
    main_offset_.push_back(common);
    num_columns_ = columns.size();

    const std::size_t num_tables = num_columns_ * rows_per_column_ + 3;
    words_ = WordBuffer(num_tables * 4 * stride_);
    parallel_chunks(num_columns_, 1, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint32_t> tile((n + 1) * kTileBlocks);
        for (std::size_t c = begin; c < end; ++c) {
            std::uint32_t* out = words_.data() + c * rows_per_column_ * 4 * stride_;
            for (std::size_t first = 0; first < rows_; first += kTileBlocks) {
                // Row N of a block is the first of the next: the rotated column starts at row 1.
                load_tile(columns[c], l, first, std::min(kTileBlocks, rows_ - first), 0, n + 1, tile.data());
                fold_tile(tile.data(), basis, out + first, stride_);
                if (air.need_rot) fold_tile(tile.data() + kTileBlocks, basis, out + 4 * stride_ + first, stride_);
            }
        }
    });

    // Selectors: 0/1 columns of the unlifted trace, repeated where it is short.
    std::uint32_t* first_row = words_.data() + num_columns_ * rows_per_column_ * 4 * stride_;
    std::uint32_t* last_row = first_row + 4 * stride_;
    std::uint32_t* transition = last_row + 4 * stride_;
    std::fill_n(first_row, 12 * stride_, 0);
    const std::size_t period = std::min(height, n);
    Fp4 first_value, last_value;
    for (std::size_t z = 0; z < n; z += period) {
        first_value += basis[z];
        last_value += basis[z + period - 1];
    }
    for (std::size_t x = 0; x < rows_; ++x) transition[x] = Fp::one().montgomery();
    const Fp4 not_last = Fp4::one() - last_value;
    for (unsigned c = 0; c < 4; ++c) {
        first_row[c * stride_] = first_value.c[c].montgomery();
        last_row[c * stride_ + rows_ - 1] = last_value.c[c].montgomery();
        transition[c * stride_ + rows_ - 1] = not_last.c[c].montgomery();
    }
}

const std::uint32_t* MleTables::table_of(const ConstraintProgram::Input& input) const {
    using Kind = ConstraintProgram::Input::Kind;
    const std::size_t selectors = num_columns_ * rows_per_column_;
    switch (input.kind) {
        case Kind::kIsFirstRow:
            return table(selectors);
        case Kind::kIsLastRow:
            return table(selectors + 1);
        case Kind::kIsTransition:
            return table(selectors + 2);
        case Kind::kVariable:
            break;
    }
    const Variable& v = input.variable;
    const std::size_t first =
        v.entry == Variable::Entry::kPreprocessed ? preprocessed_offset_ : main_offset_[v.part_index];
    return table((first + v.index) * rows_per_column_ + v.offset);
}

std::vector<std::vector<Fp4>> MleTables::round_sums(const ProgramArgs& args, unsigned num_points,
                                                    const ExtTable& eq) const {
    const ConstraintProgram& program = *args.program;
    std::vector<std::vector<Fp4>> totals(num_points, std::vector<Fp4>(program.num_sums));
    if (program.terms.empty()) return totals;
    std::vector<const std::uint32_t*> tables;
    for (const auto& in : program.inputs) tables.push_back(table_of(in));
    const std::size_t num_blocks = (rows_ / 2 + kExtBlock - 1) / kExtBlock;
    std::mutex mutex;
    parallel_chunks(num_blocks, 1, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint32_t> values(tables.size() * kExtSlot), deltas(tables.size() * kExtSlot);
        std::vector<std::uint32_t> registers(std::size_t{program.num_registers} * kExtSlot);
        std::vector<std::uint32_t> sums(std::size_t{program.num_sums} * kExtSlot);
        std::vector<std::vector<Fp4>> part(num_points, std::vector<Fp4>(program.num_sums));
        for (std::size_t block = begin; block < end; ++block) {
            HWY_DYNAMIC_DISPATCH(LoadPairBlock)
            (tables.data(), tables.size(), stride_, block * kExtBlock, values.data(), deltas.data());
            for (std::vector<Fp4>& at_point : part) {
                HWY_DYNAMIC_DISPATCH(AddWords)(values.data(), deltas.data(), values.size());
                run_ext(args, values.data(), registers.data(), sums.data());
                add_weighted_sums(sums.data(), program.num_sums, kExtBlock, eq.data() + block * kExtBlock, eq.stride(),
                                  at_point.data());
            }
        }
        const std::lock_guard lock(mutex);
        for (unsigned x = 0; x < num_points; ++x) {
            for (std::uint32_t f = 0; f < program.num_sums; ++f) totals[x][f] += part[x][f];
        }
    });
    return totals;
}

void MleTables::fold(const Fp4& r) {
    const std::size_t num_tables = num_columns_ * rows_per_column_ + 3;
    const std::size_t rows = rows_ / 2;
    const std::size_t stride = std::max(rows, kMinStride);
    WordBuffer folded(num_tables * 4 * stride);
    // Short tables are read past their rows, in whole blocks.
    if (rows < kMinStride) folded.fill_zero();
    parallel_chunks(num_tables, 16, [&](std::size_t begin, std::size_t end) {
        HWY_DYNAMIC_DISPATCH(FoldTables)
        (table(begin), stride_, folded.data() + begin * 4 * stride, stride, end - begin, rows, r);
    });
    words_ = std::move(folded);
    stride_ = stride;
    rows_ = rows;
}

std::vector<Fp4> MleTables::values() const {
    std::vector<Fp4> out(num_columns_ * rows_per_column_);
    for (std::size_t i = 0; i < out.size(); ++i) {
        for (unsigned c = 0; c < 4; ++c) out[i].c[c] = Fp::from_montgomery(table(i)[c * stride_]);
    }
    return out;
}

}  // namespace whorl::cpu
#endif
