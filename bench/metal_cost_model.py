#!/usr/bin/env python3
"""What a keccakf proof should cost on an Apple M2 Max, stage by stage, from the work that the kernels do.

    bench/metal_cost_model.py                   # the tables, as Markdown
    bench/metal_cost_model.py --update FILE     # puts them into FILE, between the marks cost-model:begin and cost-model:end
    bench/metal_cost_model.py --check FILE      # exit code 1 unless they are there, word for word

For every kernel that a proof dispatches it counts arithmetic and bytes from the parameters of the workload and from what
src/kernels and src/backend/gpu do: each function below says which. A kernel takes the longer of its arithmetic and its
traffic, a stage its kernels one after another plus what dispatches and waits cost. The same counts with an H200's rates,
beside what an H200 took, show how far to trust that. Dispatches and submissions must be those that the H200 counted.
"""

import argparse
import math
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

H200_LOG = Path(__file__).parent / "results" / "h200-2026-11-22.txt"

# The workload: tests/vectors/keccakf_1024 (`whorl inspect`). -----------------------------------------------------------
COLUMNS = 2633
LOG_HEIGHT = 15  # 1,024 permutations of 24 rows, padded
L_SKIP = 4
N_STACK = 17
LOG_BLOWUP = 1
K_WHIR = 4
QUERIES = (193, 88, 81)
LOGUP_POW_BITS, MU_POW_BITS, QUERY_POW_BITS = 18, 15, 20
DEGREE = 3
ROTATIONS = 2  # every column is opened on the row and on the next

LOG_STACKED = L_SKIP + N_STACK
LOG_CODEWORD = LOG_STACKED + LOG_BLOWUP
N_LIFT = LOG_HEIGHT - L_SKIP
CELLS = COLUMNS << LOG_HEIGHT
STACKED_COLUMNS = -(-CELLS // 2**LOG_STACKED)


@dataclass(frozen=True)
class Program:
    """A constraint program in chunks, as src/backend/gpu/programs.cpp makes it; tests/gpu/programs_test.cpp compares."""

    chunks: int
    additions: int  # and subtractions
    multiplications: int
    accumulations: int
    input_operands: int
    chunk_inputs: int  # different inputs of a chunk, over all chunks
    longest_chunk: int

    @property
    def instructions(self):
        return self.additions + self.multiplications + self.accumulations


INPUTS = 2859
ZEROCHECK = Program(275, 29341, 10221, 3182, 31033, 15820, 192)
SPLIT_ZEROCHECK = Program(1397, 23260, 10221, 6346, 31018, 15764, 32)

# Sizes of src/kernels and src/backend/gpu. ------------------------------------------------------------------------------
THREADS = 256
NTT_LOG_TILE, NTT_LOG_STRIDED, NTT_GROUPS = 13, 8, 1024
MERKLE_LOG_TOP = 10
CODEWORD_GROUP_BYTES = 128 << 20
ROUND0_GROUP_POINTS, MAX_ROUND0_GROUPS = 1024, 4096
PAIRS_PER_GROUP, MIN_ROUND_GROUPS = 64, 2048
MAX_STACKED_GROUPS, MAX_WHIR_GROUPS = 256, 1024
STREAMING_THREADS = 1 << 18
MIN_WAVE, MAX_WAVE = 1 << 16, 1 << 18
WORD, EXT = 4, 16  # bytes


# Arithmetic. ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Work:
    """Multiplications of 32-bit words (each half of a product counts), other instructions, permutations, and bytes from
    and to memory."""

    multiplies: float = 0
    plain: float = 0
    permutations: float = 0
    bytes: float = 0

    def __add__(self, other):
        return Work(self.multiplies + other.multiplies, self.plain + other.plain,
                    self.permutations + other.permutations, self.bytes + other.bytes)

    def __rmul__(self, count):
        return Work(count * self.multiplies, count * self.plain, count * self.permutations, count * self.bytes)


def traffic(num_bytes):
    return Work(bytes=num_bytes)


# src/kernels/field.h. A product takes a low and a high half, a Montgomery reduction two more.
FP_ADD = Work(plain=3)
PRODUCT = Work(multiplies=2)
WIDE_ADD = Work(plain=2)
WIDE_FOLD = Work(plain=2)
FP_REDUCE = Work(multiplies=2, plain=3)
FP_MUL = PRODUCT + FP_REDUCE
EXT_ADD = 4 * FP_ADD
EXT_SCALE = 4 * FP_MUL
FP_TIMES_11 = 5 * FP_ADD
EXT_MUL = 16 * PRODUCT + 12 * WIDE_ADD + 4 * WIDE_FOLD + 4 * FP_REDUCE + 3 * FP_TIMES_11
EXT_LINE = EXT_MUL + 2 * EXT_ADD
# column_sum_add (column_sum.h), for one of its two words.
COLUMN_SUM = 4 * PRODUCT + 4 * WIDE_ADD + 2 * WIDE_FOLD
PERMUTATION = Work(permutations=1)

# poseidon2.h, for the rates below: S-boxes are four products, reduced, with a correction at the end.
POSEIDON_SBOX = 4 * (PRODUCT + Work(multiplies=2, plain=1)) + FP_ADD
POSEIDON_EXTERNAL = 16 * POSEIDON_SBOX + 72 * FP_ADD
POSEIDON_INTERNAL = POSEIDON_SBOX + 45 * FP_ADD + Work(multiplies=7, plain=21)
POSEIDON2 = 8 * POSEIDON_EXTERNAL + 72 * FP_ADD + 13 * POSEIDON_INTERNAL

# The interpreter (program.h): an instruction word, two operands' kinds, the operation, the destination.
DECODE = Work(plain=24)


@dataclass
class Kernel:
    name: str
    work: Work
    dispatches: int = 1
    chain: int = 0  # loads of one thread that wait for each other


@dataclass
class Stage:
    span: str
    kernels: list = field(default_factory=list)
    submissions: int = 0
    is_host: bool = False  # most of its time is the host's

    @property
    def work(self):
        return sum((k.work for k in self.kernels), Work())

    @property
    def dispatches(self):
        return sum(k.dispatches for k in self.kernels)


# Transforms and trees. --------------------------------------------------------------------------------------------------
def butterflies(stages):
    """Work on 16 words in registers: stages with twiddles from a table (ntt_stages.h)."""
    return stages * 8 * (FP_MUL + FP_ADD + Work(plain=2))


SPLIT16 = butterflies(4) + (7 + 3 + 1 + 3 + 1) * FP_MUL  # twiddles, squares, and a power from two halves


def message(words, bytes_read):
    """message_small, message_ext_small: blocks of 16, an inverse transform, subset sums, a scale."""
    block = butterflies(3) + 8 * 2 * FP_ADD + 32 * FP_ADD + 16 * FP_MUL
    return Kernel("message", (words / 16) * block + traffic(bytes_read + WORD * words))


def encode(columns, log_n, log_blowup, is_in_place):
    """record_encode (ntt.cpp): strided passes of eight stages, then blocks of up to 2^13 neighbours."""
    message_words = columns << log_n
    words = message_words << log_blowup
    strided = 0 if log_n <= NTT_LOG_TILE else -(-(log_n - NTT_LOG_TILE) // NTT_LOG_STRIDED)
    coset_groups = 1
    tiles = -(-message_words // 2**NTT_LOG_TILE)
    while not is_in_place and coset_groups < 1 << log_blowup and coset_groups * tiles < NTT_GROUPS:
        coset_groups *= 2
    first_bytes = WORD * (coset_groups * message_words + words)
    shifted = words - message_words  # words of cosets other than the first
    kernels = []
    for done in range(strided):
        work = (words / 16) * (2 * SPLIT16)
        if done == 0:
            work += 2 * shifted * FP_MUL
        kernels.append(Kernel("ntt_strided", work + traffic(first_bytes if done == 0 else 2 * WORD * words)))
    log_block = log_n - strided * NTT_LOG_STRIDED
    work = (words / 16) * (butterflies(log_block - 1) + 16 * FP_ADD)
    if strided == 0:
        work += 2 * shifted * FP_MUL
    kernels.append(Kernel("ntt_blocks", work + traffic(first_bytes if strided == 0 else 2 * WORD * words)))
    return kernels


def column_groups():
    """StackedCommitments::column_groups: blocks of the sponge's rate."""
    block_bytes = 8 * WORD << LOG_CODEWORD
    blocks = STACKED_COLUMNS // 8
    groups = -(-blocks // max(CODEWORD_GROUP_BYTES // block_bytes, 1))
    ends = [8 * ((g + 1) * blocks // groups) for g in range(groups - 1)] + [STACKED_COLUMNS]
    return [end - begin for begin, end in zip([0] + ends, ends)]


def code_matrix(count):
    """A group of stacked columns, from the trace to codewords."""
    words = count << LOG_STACKED
    return [message(words, WORD * CELLS * count / STACKED_COLUMNS)] + encode(count, LOG_STACKED, LOG_BLOWUP, True)


def absorb(columns, log_rows, is_first=True, is_last=True):
    """merkle_absorb: a permutation for each eight columns; half of the state stays in memory between calls."""
    words = columns + (0 if is_first else 8) + 8
    return Kernel("merkle_absorb", (-(-columns // 8) << log_rows) * PERMUTATION + traffic(WORD * words << log_rows))


def layers(log_rows):
    """MerkleTree::record_layers: rows to leaves, leaves to a layer that one threadgroup takes to the root."""
    log_leaves = log_rows - K_WHIR
    dispatches = K_WHIR + max(log_leaves - MERKLE_LOG_TOP, 0) + 1
    nodes = (1 << log_rows) - 1
    return Kernel("merkle_fold", nodes * PERMUTATION + traffic(3 * 8 * WORD * nodes), dispatches)


def grind(bits):
    """find_pow_witness (transcript.cpp): waves until one has a witness, the mean over all proofs."""
    wave = min(max(1 << bits, MIN_WAVE), MAX_WAVE)
    dispatched = max(MIN_WAVE, 4 << bits) // wave
    mean_waves = 1 / (1 - math.exp(-wave / 2**bits))
    return Kernel("grind", mean_waves * wave * PERMUTATION, dispatched)


def eq_heaps():
    return Kernel("eq_heap", Work(), 2)


# Stages. ----------------------------------------------------------------------------------------------------------------
def main_trace_commit():
    """commitment.cpp, a submission."""
    codes = Stage("rs_code_matrix", submissions=1)
    tree = Stage("merkle_tree")
    groups = column_groups()
    for g, count in enumerate(groups):
        codes.kernels += code_matrix(count)
        tree.kernels.append(absorb(count, LOG_CODEWORD, g == 0, g == len(groups) - 1))
    tree.kernels.append(layers(LOG_CODEWORD))
    return [codes, tree]


def logup_gkr():
    """No interactions: only the proof of work is left."""
    return Stage("prover.rap_constraints.logup_gkr", [grind(LOGUP_POW_BITS)], 1)


def round0():
    """constraints.cpp: for each coset, inputs are brought to it, then chunks are evaluated, four points a thread."""
    points = 1 << LOG_HEIGHT
    cosets = DEGREE - 1
    stage = Stage("prover.rap_constraints.round0", submissions=1)
    block = 2 * (17 * FP_MUL + 64 * FP_ADD) + 16 * FP_MUL  # 15 of 32 twiddles are 1
    steps = max(-(-points // ROUND0_GROUP_POINTS) * ZEROCHECK.chunks // MAX_ROUND0_GROUPS, 1)
    quad = (ZEROCHECK.instructions * DECODE + 4 * ZEROCHECK.additions * FP_ADD + 4 * ZEROCHECK.multiplications * FP_MUL +
            4 * ZEROCHECK.accumulations * (EXT_SCALE + EXT_ADD) + ZEROCHECK.chunks * (5 * EXT_MUL + 4 * EXT_ADD))
    for _ in range(cosets):
        stage.kernels.append(Kernel("round0_interpolate_inputs",
                                    INPUTS * (points / 16) * block + traffic(2 * WORD * INPUTS * points)))
        # Chunks share no inputs but by way of caches, which are not counted on.
        stage.kernels.append(Kernel("round0_evaluate_cosets",
                                    (points / 4) * quad + traffic(WORD * ZEROCHECK.chunk_inputs * points),
                                    chain=steps * ZEROCHECK.longest_chunk))
    return stage


def mle_rounds():
    """constraints.cpp: columns become tables over the extension, then a submission a round."""
    stage = Stage("prover.rap_constraints.mle_rounds", submissions=N_LIFT)
    tables = ROTATIONS * COLUMNS + 3
    stage.kernels.append(Kernel("mle_bind_columns", ROTATIONS * CELLS * COLUMN_SUM +
                                traffic(WORD * CELLS + EXT * (tables << N_LIFT))))
    # An input at X = 1, 2, 3 of the line through two rows, of which X = 1 is the second.
    inputs = 2 * (EXT_ADD + EXT_ADD) + EXT_SCALE
    for round_number in range(1, N_LIFT + 1):
        pairs = 1 << (N_LIFT - round_number)
        if round_number > 1:
            stage.kernels.append(Kernel("fold_pairs", 2 * tables * pairs * (EXT_LINE + traffic(3 * EXT))))
        is_split = -(-pairs // PAIRS_PER_GROUP) * ZEROCHECK.chunks * DEGREE < MIN_ROUND_GROUPS
        program = SPLIT_ZEROCHECK if is_split else ZEROCHECK
        point = (program.instructions * DECODE + program.additions * EXT_ADD + program.multiplications * EXT_MUL +
                 program.accumulations * (EXT_MUL + EXT_ADD) + program.chunks * 2 * EXT_MUL)
        stage.kernels.append(Kernel("mle_evaluate_pairs",
                                    pairs * (DEGREE * point + program.input_operands * inputs +
                                             traffic((2 * DEGREE - 1) * EXT * program.chunk_inputs)),
                                    chain=program.longest_chunk))
        stage.kernels.append(Kernel("sum_segments", Work()))
    return stage


def rest_of_constraints():
    """Tables of eq before round 0, the last fold, the openings; on the host, programs are bound and openings observed."""
    return Stage("the rest of prover.rap_constraints", [eq_heaps(), Kernel("fold_pairs", Work())], 2, is_host=True)


def stacked_reduction():
    """stacking.cpp: sums over columns weighted by lambda, rounds on four tables of blocks, sums weighted by u."""
    stage = Stage("prover.openings.stacked_reduction", submissions=1 + N_LIFT + 1)
    height, blocks = 1 << LOG_HEIGHT, 1 << N_LIFT
    runs = max(1, STREAMING_THREADS >> LOG_HEIGHT)
    sums = ROTATIONS * runs * height
    stage.kernels += [
        Kernel("combine_columns", ROTATIONS * CELLS * COLUMN_SUM + traffic(WORD * CELLS + EXT * sums)),
        eq_heaps(),
        Kernel("sum_tables", sums * EXT_ADD + traffic(EXT * (sums + ROTATIONS * height)), 2),
        Kernel("eq_table", blocks * (EXT_MUL + traffic(EXT))),
        Kernel("stacked_sum_blocks", 3 * height * (EXT_LINE + traffic(EXT))),
        Kernel("sum_strided", Work()),
        Kernel("stacked_bind_blocks", ROTATIONS * height * (EXT_MUL + EXT_ADD + traffic(EXT))),
    ]
    for round_number in range(1, N_LIFT + 1):
        pairs = blocks >> round_number
        # Two elements of each table, or four that are folded to two.
        table = traffic(2 * EXT) if round_number == 1 else 2 * EXT_LINE + traffic(6 * EXT)
        stage.kernels.append(Kernel("stacked_round", pairs * (2 * ROTATIONS * (table + EXT_MUL))))
        if min(MAX_STACKED_GROUPS, -(-pairs // THREADS)) > 1:
            stage.kernels.append(Kernel("sum_strided", Work()))
    stage.kernels += [
        eq_heaps(),
        Kernel("stacked_row_weights", height * (2 * EXT_MUL + traffic(EXT))),
        # Eight columns share a reading of the weights.
        Kernel("dot_columns", CELLS * COLUMN_SUM + traffic((WORD + EXT / 8) * CELLS)),
        Kernel("sum_tables", Work()),
    ]
    return stage


def whir():
    """whir.cpp and prover/whir.hpp: f and w, four rounds of sumcheck, a code and queries; three times."""
    stage = Stage("prover.openings.whir")
    size = 1 << LOG_STACKED
    stage.kernels += [
        grind(MU_POW_BITS),
        eq_heaps(),
        Kernel("combine_columns", CELLS * COLUMN_SUM + traffic(WORD * CELLS + 3 * EXT * size)),
        Kernel("eq_table", size * (EXT_MUL + traffic(EXT))),
        message(4 * size, EXT * size),
    ]
    stage.submissions += 1
    log_size = LOG_STACKED
    for number, queries in enumerate(QUERIES):
        is_last = number + 1 == len(QUERIES)
        for step in range(K_WHIR):
            log_size -= 1
            pairs = 1 << log_size
            # Folding: four reads and two writes for each pair of f and w.
            folding = 4 * EXT_MUL + traffic(2 * (4 + 2) * EXT) if step > 0 else traffic(2 * 2 * EXT)
            stage.kernels.append(Kernel("whir_round", pairs * (folding + 2 * EXT_MUL)))
            if min(MAX_WHIR_GROUPS, -(-pairs // THREADS)) > 1:
                stage.kernels.append(Kernel("sum_strided", Work()))
            stage.submissions += 1
        stage.kernels.append(Kernel("whir_fold", (1 << log_size) * (2 * EXT_MUL + traffic(6 * EXT))))
        stage.submissions += 1  # of the code, or of the last polynomial
        if not is_last:
            log_rows = LOG_CODEWORD - number - 1
            stage.kernels += encode(4, log_size, log_rows - log_size, False)
            stage.kernels += [absorb(4, log_rows), layers(log_rows)]
            stage.kernels += [Kernel("whir_point_powers", Work()),
                              Kernel("whir_evaluate", (1 << log_size) * (2 * EXT_MUL + traffic(EXT))),
                              Kernel("sum_strided", Work())]
            stage.submissions += 1
        stage.kernels.append(grind(QUERY_POW_BITS))
        if number == 0:  # the code matrix again, for the rows that are asked for
            for count in column_groups():
                stage.kernels += code_matrix(count) + [Kernel("merkle_rows", Work())]
            stage.kernels.append(Kernel("merkle_paths", Work()))
        else:
            stage.kernels += [Kernel("merkle_rows", Work()), Kernel("merkle_paths", Work())]
        stage.submissions += 2
        if not is_last:
            stage.kernels += [Kernel("whir_query_powers", Work()),
                              Kernel("whir_add_points", (1 << log_size) * (queries * COLUMN_SUM + EXT_MUL +
                                                                           traffic(2 * EXT)))]
    return stage


# Devices. ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Rates:
    permutations: float  # all per second
    multiplies: float
    plain: float
    bytes: float
    has_two_pipes: bool  # for multiplications and the rest
    load_s: float  # of a load that another waits for
    dispatch_s: float
    wait_s: float  # from a submission to its results on the host

    def time_ms(self, kernel):
        work = kernel.work
        arithmetic = (work.multiplies / self.multiplies, work.plain / self.plain)
        compute = max(arithmetic) if self.has_two_pipes else sum(arithmetic)
        compute += work.permutations / self.permutations
        return 1e3 * (max(compute, work.bytes / self.bytes, kernel.chain * self.load_s) +
                      kernel.dispatches * self.dispatch_s)

    def stage_ms(self, stage):
        return sum(self.time_ms(k) for k in stage.kernels) + 1e3 * stage.submissions * self.wait_s


# 38 cores of 128 lanes at 1.4 GHz; 400 GB/s, of which 85 % are within reach; products and permutations scaled from
# published figures of an M1 and an M3. What dispatches and waits cost is assumed.
M2_MAX = Rates(permutations=0.45e9, multiplies=4 * 370e9, plain=38 * 128 * 1.398e9, bytes=0.85 * 400e9,
               has_two_pipes=False, load_s=0.4e-6, dispatch_s=5e-6, wait_s=150e-6)
# 132 SMs, two pipes of 64 lanes at 1.98 GHz; 4.8 TB/s, of which 90 % are within reach. merkle_absorb runs at 3.4 G
# permutations a second; in integers alone 2.91 G, which multiplications limit.
H200 = Rates(permutations=3.4e9, multiplies=2.91e9 * POSEIDON2.multiplies, plain=132 * 64 * 1.98e9, bytes=0.9 * 4.8e12,
             has_two_pipes=True, load_s=0.15e-6, dispatch_s=3e-6, wait_s=10e-6)

# Milestone 9 (bench/results/original-m2-max.jsonl). It does not record the two in brackets: merkle_tree is what
# rs_code_matrix leaves of the commitment, the other from the log before it (2.42 s).
ORIGINAL_MS = {
    "rs_code_matrix": "634", "merkle_tree": "(221)", "prover.rap_constraints.round0": "876",
    "prover.rap_constraints.mle_rounds": "150", "prover.openings.stacked_reduction": "(102)",
    "prover.openings.whir": "301", "all": "2,270",
}
# The roofline of the design: nothing but the protocol's own work, and what was thought attainable.
ROOFLINE_MS = {
    "rs_code_matrix": ("6 – 8", "20 – 30"), "merkle_tree": ("65", "80 – 110"),
    "prover.rap_constraints.round0": ("12", "25 – 40"), "prover.rap_constraints.mle_rounds": ("3", "10 – 15"),
    "prover.openings.stacked_reduction": ("3", "6 – 10"), "prover.openings.whir": ("18", "40 – 50"),
    "all": ("110", "200 – 280"),
}


def all_stages():
    return main_trace_commit() + [logup_gkr(), round0(), mle_rounds(), rest_of_constraints(), stacked_reduction(),
                                  whir()]


@dataclass
class Measured:
    ms: float
    kernels: int
    submissions: int


def measured_on_h200():
    """The spans of a proof, by the last part of their names: the log has whorl's own."""
    text = H200_LOG.read_text().split("== spans of a first keccakf proof")[1].split("==")[0]
    spans = {}
    for name, ms, fields in re.findall(r"^ *(\S+) +([\d.]+) ms +[\d.]+%(.*)$", text, re.MULTILINE):
        counts = dict(re.findall(r"(\w+)=(\d+)", fields))
        spans[name.split(".")[-1]] = Measured(float(ms), int(counts.get("kernel_count", 0)),
                                              int(counts.get("command_buffer_count", 0)))
    rest = spans["rap_constraints"]
    parts = [spans[name] for name in ("logup_gkr", "round0", "mle_rounds")]
    spans["the rest of prover.rap_constraints"] = Measured(rest.ms - sum(p.ms for p in parts),
                                                           rest.kernels - sum(p.kernels for p in parts),
                                                           rest.submissions - sum(p.submissions for p in parts))
    return spans


def measured_of(stages, spans):
    """A span, or the one that a GPU has for both of its stages."""
    name = "main_trace_commit" if len(stages) == 2 else stages[0].span
    return spans[name if name in spans else name.split(".")[-1]]


def thousands(number):
    return f"{number:,.0f}"


def rows(titles, lines):
    yield "| " + " | ".join(titles) + " |"
    yield "|---" * len(titles) + "|"
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def tables():
    stages = all_stages()
    spans = measured_on_h200()
    measured_units = [stages[:2]] + [[s] for s in stages[2:]]

    corrected_ms = {}
    validation = []
    for unit in measured_units:
        measured = measured_of(unit, spans)
        model = sum(H200.stage_ms(s) for s in unit)
        counted = (sum(s.dispatches for s in unit), sum(s.submissions for s in unit))
        if counted != (measured.kernels, measured.submissions):
            raise SystemExit(f"{unit[0].span}: {counted} kernels and submissions, the H200 had "
                             f"({measured.kernels}, {measured.submissions})")
        for s in unit:
            ms = M2_MAX.stage_ms(s)
            corrected_ms[s.span] = ms + measured.ms - model if s.is_host else ms * measured.ms / model
        validation.append((" and ".join(s.span for s in unit), f"{model:.2f}", f"{measured.ms:.2f}",
                           f"{measured.ms / model:.1f}"))
    total = sum(H200.stage_ms(s) for s in stages)
    whole = spans["stark_prove_excluding_trace"].ms
    validation.append(("all", f"{total:.1f}", f"{whole:.1f}", f"{whole / total:.1f}"))

    def estimate_row(name, work, dispatches, submissions, model_ms, corrected):
        bound, attainable = ROOFLINE_MS.get(name, ("", ""))
        return (name, f"{work.permutations / 1e6:.1f}", f"{work.multiplies / 1e9:.1f}", f"{work.plain / 1e9:.1f}",
                thousands(work.bytes / 1e6), thousands(dispatches), thousands(submissions), f"{model_ms:.1f}",
                f"{corrected:.0f}", bound, attainable, ORIGINAL_MS.get(name, ""))

    estimates = []
    for s in stages:
        estimates.append(estimate_row(s.span, s.work, s.dispatches, s.submissions, M2_MAX.stage_ms(s),
                                      corrected_ms[s.span]))
    estimates.append(estimate_row("all", sum((s.work for s in stages), Work()), sum(s.dispatches for s in stages),
                                  sum(s.submissions for s in stages), sum(M2_MAX.stage_ms(s) for s in stages),
                                  sum(corrected_ms.values())))

    yield "Apple M2 Max, estimated (only the last column was measured):"
    yield ""
    yield from rows(("stage", "M permutations", "G multiplies", "G other instructions", "MB", "kernels", "submissions",
                     "model, ms", "corrected, ms", "roofline, ms", "thought attainable, ms",
                     "original, ms"), estimates)
    yield ""
    yield "The same counts on an NVIDIA H200:"
    yield ""
    yield from rows(("stage", "model, ms", "measured, ms", "factor"), validation)


def parts_of(path):
    text = path.read_text()
    match = re.search(r"(?s)(.*<!-- cost-model:begin -->\n)(.*)(<!-- cost-model:end -->.*)", text)
    if match is None:
        raise SystemExit(f"{path} has no marks cost-model:begin and cost-model:end")
    return match.groups()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--update", metavar="FILE", type=Path)
    parser.add_argument("--check", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    text = "\n".join(tables()) + "\n"
    if arguments.update:
        before, _, after = parts_of(arguments.update)
        arguments.update.write_text(before + text + after)
    elif arguments.check:
        if parts_of(arguments.check)[1] != text:
            print(text, end="")
            sys.exit(f"{arguments.check} has other tables: {sys.argv[0]} --update {arguments.check}")
        print(f"{arguments.check} has these tables")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
