#include "backend/gpu/programs.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "poly/prismalinear.hpp"

namespace whorl::gpu {
namespace {

using Op = ConstraintProgram::Op;
using Term = ConstraintProgram::Term;

// A chunk is closed when it would grow beyond this many instructions.
constexpr std::size_t kChunkInstructions = 192;
constexpr std::size_t kSplitChunkInstructions = 32;
// Chunks grow while all of them together have more instructions than this many times the whole program.
constexpr std::size_t kMaxRecomputation = 3;

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

bool is_binary(SymbolicNode::Op op) {
    return op == SymbolicNode::Op::kAdd || op == SymbolicNode::Op::kSub || op == SymbolicNode::Op::kMul;
}

std::uint32_t operand(ProgramOperand kind, std::uint32_t index) {
    return (static_cast<std::uint32_t>(kind) << kOperandKindShift) | index;
}

struct Encoded {
    std::vector<ProgramInstruction> code;
    std::uint32_t num_registers = 0;
};

// Assigns registers anew: a result that only the next instructions use is passed on without one. The spans number the
// inputs, constants and terms of `program` in the lists of its chunk.
Encoded encode(const ConstraintProgram& program, std::span<const std::uint32_t> input_of,
               std::span<const std::uint32_t> constant_of, std::span<const std::uint32_t> coefficient_of) {
    struct Operand {
        std::uint32_t word = 0;
        std::uint32_t definition = kNone;  // the instruction whose result it is
    };
    struct Line {
        ProgramOperation operation;
        Operand a, b;
        bool has_result = true;
        std::uint32_t last_use = kNone;  // of the result as a register
    };
    const std::uint32_t num_inputs = program.num_inputs();
    std::vector<std::uint32_t> definition_of(program.num_registers, kNone);
    const auto value = [&](std::uint32_t place) -> Operand {
        if (place < num_inputs) return {operand(kOperandInput, input_of[place]), kNone};
        return {0, definition_of[place - num_inputs]};
    };
    const auto constant = [&](std::uint32_t index) -> Operand {
        return {operand(kOperandConstant, constant_of[index]), kNone};
    };
    std::vector<Line> lines;
    for (const ConstraintProgram::Instruction& in : program.code) {
        const Operand a = value(in.a);
        Line line{kProgramAdd, a, {}};
        switch (in.op) {
            case Op::kAdd:
            case Op::kSub:
            case Op::kMul:
                line.operation = in.op == Op::kAdd ? kProgramAdd : in.op == Op::kSub ? kProgramSub : kProgramMul;
                line.b = value(in.b);
                break;
            case Op::kNeg:
                line = {kProgramSub, {operand(kOperandConstant, 0), kNone}, a};
                break;
            case Op::kAddConstant:
                line.b = constant(in.b);
                break;
            case Op::kConstantMinus:
                line = {kProgramSub, constant(in.b), a};
                break;
            case Op::kMulConstant:
                line.operation = kProgramScale;
                line.b = constant(in.b);
                break;
            case Op::kAccumulate:
                line = {kProgramAccumulate, a, {operand(kOperandCoefficient, coefficient_of[in.b]), kNone}, false};
                break;
            case Op::kStore:
                line = {kProgramStore, a, {operand(kOperandPrevious, 0), kNone}, false};
                break;
        }
        if (line.has_result) definition_of[in.dst - num_inputs] = static_cast<std::uint32_t>(lines.size());
        lines.push_back(line);
    }

    std::uint32_t previous = kNone;
    for (std::uint32_t i = 0; i < lines.size(); ++i) {
        for (Operand* o : {&lines[i].a, &lines[i].b}) {
            if (o->definition == kNone) continue;
            if (o->definition == previous) {
                *o = {operand(kOperandPrevious, 0), kNone};
            } else {
                lines[o->definition].last_use = i;
            }
        }
        if (lines[i].has_result) previous = i;
    }

    Encoded out;
    std::vector<std::uint32_t> register_of(lines.size(), kNoRegister);
    std::set<std::uint32_t> free;
    const auto word = [&](const Operand& o) {
        if (o.definition == kNone) return o.word;
        const std::uint32_t r = register_of[o.definition];
        return r < kLocalRegisters ? operand(kOperandRegister, r) : operand(kOperandSpilled, r - kLocalRegisters);
    };
    for (std::uint32_t i = 0; i < lines.size(); ++i) {
        const Line& line = lines[i];
        ProgramInstruction instruction{static_cast<std::uint32_t>(line.operation), kNoRegister, word(line.a),
                                       word(line.b)};
        for (const Operand& o : {line.a, line.b}) {
            if (o.definition != kNone && lines[o.definition].last_use == i) free.insert(register_of[o.definition]);
        }
        if (line.last_use != kNone) {
            if (free.empty()) free.insert(out.num_registers++);
            instruction[1] = register_of[i] = *free.begin();
            free.erase(free.begin());
        }
        out.code.push_back(instruction);
    }
    return out;
}

// Puts chunks together.
class ChunkBuilder {
public:
    explicit ChunkBuilder(ProgramCompiler& compiler) : compiler_(compiler) { out_.code.resize(kProgramPadding); }

    // The registers that the request takes; it becomes a chunk unless those are more than `max_registers`. Its terms are
    // ascending nodes of one sum.
    std::uint32_t add(const ProgramRequest& request, std::uint32_t sum, std::uint32_t first_coefficient,
                      std::uint32_t max_registers) {
        const ConstraintProgram program = compiler_.compile(request);
        std::vector<std::uint32_t> input_of, constant_of, coefficient_of;
        for (const auto& input : program.inputs) input_of.push_back(input_index(input));
        for (const auto& constant : program.constants) constant_of.push_back(constant_index(constant));
        for (const Term& term : program.terms) {
            const auto at = std::ranges::lower_bound(request.terms, term.node, {}, &Term::node);
            coefficient_of.push_back(static_cast<std::uint32_t>(at - request.terms.begin()));
        }
        const Encoded encoded = encode(program, input_of, constant_of, coefficient_of);
        if (encoded.num_registers > max_registers) return encoded.num_registers;
        out_.code.resize(out_.code.size() - kProgramPadding);
        out_.chunks.push_back({static_cast<std::uint32_t>(out_.code.size()),
                               static_cast<std::uint32_t>(encoded.code.size()), first_coefficient, sum});
        out_.code.insert(out_.code.end(), encoded.code.begin(), encoded.code.end());
        out_.code.resize(out_.code.size() + kProgramPadding);
        if (encoded.num_registers > kLocalRegisters) {
            out_.num_spilled = std::max(out_.num_spilled, encoded.num_registers - kLocalRegisters);
        }
        return encoded.num_registers;
    }
    ChunkedProgram take() { return std::move(out_); }

private:
    std::uint32_t input_index(const ConstraintProgram::Input& input) {
        const Variable& v = input.variable;
        const auto [it, is_new] = input_index_.try_emplace(
            {static_cast<int>(input.kind), static_cast<int>(v.entry), v.part_index, v.offset, v.index},
            static_cast<std::uint32_t>(out_.inputs.size()));
        if (is_new) out_.inputs.push_back(input);
        return it->second;
    }
    std::uint32_t constant_index(const ConstraintProgram::Constant& constant) {
        const auto [it, is_new] = constant_index_.try_emplace({constant.node, constant.is_negated},
                                                              static_cast<std::uint32_t>(out_.constants.size() + 1));
        if (is_new) out_.constants.push_back(constant);
        return it->second;
    }

    ProgramCompiler& compiler_;
    ChunkedProgram out_;
    std::map<std::tuple<int, int, std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> input_index_;
    std::map<std::pair<std::uint32_t, bool>, std::uint32_t> constant_index_;
};

// Terms [begin, end) of a summand that become a chunk.
struct TermRange {
    std::uint32_t begin = 0, end = 0;
};
struct Partition {
    std::vector<TermRange> ranges;
    std::size_t num_instructions = 0;
};

// Terms in their order, a new range for each sum and where a range would have more than `limit` instructions.
class Partitioner {
public:
    Partitioner(const AirVerifyingKey& air, const std::vector<bool>& reads_trace, std::span<const Term> terms)
        : air_(air), reads_trace_(reads_trace), terms_(terms), seen_in_(air.nodes.size()) {}

    Partition partition(std::size_t limit) {
        Partition out;
        std::size_t in_range = 0;
        for (std::uint32_t i = 0; i < terms_.size(); ++i) {
            std::size_t added = 0;
            if (i != 0 && terms_[i].sum == terms_[i - 1].sum) added = new_instructions(terms_[i].node);
            if (added == 0 || in_range + added > limit) {
                if (i != 0) out.ranges.back().end = i;
                out.ranges.push_back({i, i});
                ++range_;
                in_range = 0;
                added = new_instructions(terms_[i].node);
            }
            in_range += added;
            out.num_instructions += added;
        }
        if (!terms_.empty()) out.ranges.back().end = static_cast<std::uint32_t>(terms_.size());
        return out;
    }

private:
    // Instructions that the range under way lacks for a node and its accumulation; it has them from here on.
    std::size_t new_instructions(std::uint32_t node) {
        std::size_t count = 1;
        stack_.push_back(node);
        while (!stack_.empty()) {
            const std::uint32_t at = stack_.back();
            stack_.pop_back();
            const SymbolicNode& n = air_.nodes[at];
            if ((!is_binary(n.op) && n.op != SymbolicNode::Op::kNeg) || !reads_trace_[at] || seen_in_[at] == range_) {
                continue;
            }
            seen_in_[at] = range_;
            ++count;
            stack_.push_back(n.left);
            if (is_binary(n.op)) stack_.push_back(n.right);
        }
        return count;
    }

    const AirVerifyingKey& air_;
    const std::vector<bool>& reads_trace_;
    std::span<const Term> terms_;
    std::vector<std::uint32_t> seen_in_;  // the last range that a node was met in
    std::uint32_t range_ = 0;
    std::vector<std::uint32_t> stack_;
};

ChunkedProgram chunk_terms(const AirVerifyingKey& air, ProgramCompiler& compiler, std::span<const Term> terms,
                           std::size_t max_instructions) {
    Partitioner partitioner(air, compiler.reads_trace(), terms);
    const Partition whole = partitioner.partition(std::numeric_limits<std::size_t>::max());
    Partition partition;
    for (std::size_t limit = max_instructions;; limit *= 2) {
        partition = partitioner.partition(limit);
        if (partition.num_instructions <= kMaxRecomputation * whole.num_instructions) break;
    }
    ChunkBuilder builder(compiler);
    std::vector<TermRange> left(partition.ranges.rbegin(), partition.ranges.rend());
    while (!left.empty()) {
        const TermRange range = left.back();
        left.pop_back();
        ProgramRequest request;
        for (std::uint32_t i = range.begin; i < range.end; ++i) request.terms.push_back({0, terms[i].node});
        request.num_sums = 1;
        const bool is_single = range.end == range.begin + 1;
        const std::uint32_t max_registers = is_single ? kNoRegister : kLocalRegisters;
        if (builder.add(request, terms[range.begin].sum, range.begin, max_registers) <= max_registers) continue;
        const std::uint32_t middle = (range.begin + range.end) / 2;
        left.push_back({middle, range.end});
        left.push_back({range.begin, middle});
    }
    return builder.take();
}

// Takes terms apart that are sums of more than kSplitChunkInstructions instructions.
class Splitter {
public:
    Splitter(const AirVerifyingKey& air, const std::vector<bool>& reads_trace)
        : air_(air), reads_trace_(reads_trace), sizes_(air.nodes.size()) {
        for (std::size_t i = 0; i < sizes_.size(); ++i) {
            if (!reads_trace_[i]) continue;
            const SymbolicNode& n = air_.nodes[i];
            if (is_binary(n.op)) {
                sizes_[i] = std::min(1 + sizes_[n.left] + sizes_[n.right], kSplitChunkInstructions + 1);
            } else if (n.op == SymbolicNode::Op::kNeg) {
                sizes_[i] = std::min(1 + sizes_[n.left], kSplitChunkInstructions + 1);
            }
        }
    }

    SplitProgram split(ProgramCompiler& compiler, const Summand& summand) {
        struct Part {
            Term term;  // of the split program
            std::uint32_t of = 0;
            Fp factor;
        };
        SplitProgram out;
        out.num_sums = summand.num_sums;
        std::vector<Part> parts;
        for (std::uint32_t t = 0; t < summand.terms.size(); ++t) {
            const std::uint32_t sum = summand.terms[t].sum;
            // Operands come before what is made of them, so a node's factor is complete when its turn comes.
            std::map<std::uint32_t, Fp, std::greater<>> factors{{summand.terms[t].node, Fp::one()}};
            while (!factors.empty()) {
                const auto [node, factor] = *factors.begin();
                factors.erase(factors.begin());
                const SymbolicNode& n = air_.nodes[node];
                using NodeOp = SymbolicNode::Op;
                if (!reads_trace_[node]) {
                    out.constant_shares.push_back({sum, t, node, factor});
                } else if (sizes_[node] <= kSplitChunkInstructions) {
                    parts.push_back({{sum, node}, t, factor});
                } else if (n.op == NodeOp::kAdd || n.op == NodeOp::kSub) {
                    factors[n.left] += factor;
                    factors[n.right] += n.op == NodeOp::kAdd ? factor : -factor;
                } else if (n.op == NodeOp::kNeg) {
                    factors[n.left] -= factor;
                } else if (n.op == NodeOp::kMul && air_.nodes[n.left].op == NodeOp::kConstant) {
                    factors[n.right] += factor * air_.nodes[n.left].constant;
                } else if (n.op == NodeOp::kMul && air_.nodes[n.right].op == NodeOp::kConstant) {
                    factors[n.left] += factor * air_.nodes[n.right].constant;
                } else {
                    parts.push_back({{sum, node}, t, factor});
                }
            }
        }
        std::ranges::sort(parts, {}, [](const Part& p) { return std::tuple(p.term.sum, p.term.node, p.of); });
        std::vector<Term> terms;
        for (const Part& part : parts) {
            if (terms.empty() || terms.back().sum != part.term.sum || terms.back().node != part.term.node) {
                terms.push_back(part.term);
            }
            out.shares.push_back({static_cast<std::uint32_t>(terms.size() - 1), part.of, part.factor});
        }
        out.num_coefficients = static_cast<std::uint32_t>(terms.size());
        out.program = chunk_terms(air_, compiler, terms, kSplitChunkInstructions);
        return out;
    }

private:
    const AirVerifyingKey& air_;
    const std::vector<bool>& reads_trace_;
    // Instructions of a node, shared ones counted again, at most one more than a chunk has.
    std::vector<std::size_t> sizes_;
};

LeafPrograms chunk_interactions(const AirVerifyingKey& air, ProgramCompiler& compiler) {
    LeafPrograms out;
    ChunkBuilder builder(compiler);
    for (const SymbolicInteraction& interaction : air.interactions) {
        ProgramRequest request;
        request.num_sums = 1;
        std::set<std::uint32_t> nodes;
        for (const std::uint32_t node : interaction.message) {
            if (compiler.reads_trace()[node]) nodes.insert(node);
        }
        for (const std::uint32_t node : nodes) request.terms.push_back({0, node});
        out.has_count.push_back(compiler.reads_trace()[interaction.count]);
        if (out.has_count.back()) request.stores.push_back(interaction.count);
        builder.add(request, 0, static_cast<std::uint32_t>(out.term_nodes.size()), kNoRegister);
        out.term_nodes.insert(out.term_nodes.end(), nodes.begin(), nodes.end());
    }
    out.program = builder.take();
    return out;
}

}  // namespace

std::vector<Fp4> SplitProgram::coefficients(std::span<const Fp4> of_terms) const {
    std::vector<Fp4> out(num_coefficients);
    for (const Share& share : shares) out[share.coefficient] += of_terms[share.term] * share.factor;
    return out;
}

std::vector<Fp4> SplitProgram::sum_constants(std::span<const Fp4> of_terms, std::span<const Fp> node_values) const {
    std::vector<Fp4> out(num_sums);
    for (const ConstantShare& share : constant_shares) {
        out[share.sum] += of_terms[share.term] * (share.factor * node_values[share.node]);
    }
    return out;
}

AirPrograms::AirPrograms(const AirVerifyingKey& air) : summands(air_summands(air)) {
    ProgramCompiler compiler(air);
    zerocheck = chunk_terms(air, compiler, summands.zerocheck.terms, kChunkInstructions);
    logup = chunk_terms(air, compiler, summands.logup.terms, kChunkInstructions);
    Splitter splitter(air, summands.reads_trace);
    split_zerocheck = splitter.split(compiler, summands.zerocheck);
    split_logup = splitter.split(compiler, summands.logup);
    leaves = chunk_interactions(air, compiler);
}

const AirPrograms& ProgramCache::air(std::uint32_t air_id) {
    std::unique_ptr<AirPrograms>& programs = programs_[air_id];
    if (!programs) programs = std::make_unique<AirPrograms>(vk_.airs[air_id]);
    return *programs;
}

std::vector<InputColumn> input_columns(const ChunkedProgram& program, const DeviceTraces& traces, std::uint32_t trace) {
    using Kind = ConstraintProgram::Input::Kind;
    std::vector<InputColumn> out;
    for (const ConstraintProgram::Input& input : program.inputs) {
        switch (input.kind) {
            case Kind::kVariable:
                out.push_back({traces.column(trace, input.variable), kInputColumn, input.variable.offset});
                break;
            case Kind::kIsFirstRow:
                out.push_back({0, kInputFirstRow, 0});
                break;
            case Kind::kIsLastRow:
                out.push_back({0, kInputLastRow, 0});
                break;
            case Kind::kIsTransition:
                out.push_back({0, kInputTransition, 0});
                break;
        }
    }
    return out;
}

std::vector<Fp> constant_values(const ChunkedProgram& program, std::span<const Fp> node_values) {
    std::vector<Fp> out{Fp::zero()};
    for (const auto& c : program.constants) out.push_back(c.is_negated ? -node_values[c.node] : node_values[c.node]);
    return out;
}

}  // namespace whorl::gpu
