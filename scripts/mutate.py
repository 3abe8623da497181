#!/usr/bin/env python3
"""Asks of each check in the verifier, the decoders and the prover's input checks: which test fails when it is wrong?

    scripts/mutate.py [--build build/release] [--files PART …] [--programs NAME …] [--tests FILTER] [--jobs N] [--list]

A mutant is one change to one place:

  never, always     a condition of `if` is taken as false, as true
  flip              == and !=, < and >=, > and <= change places
  edge              < and <=, > and >= change places
  drop              one operand of && or || is left out
  swap              the two results of ?: change places
  skip              a loop, or a statement that checks or observes, does not run

All mutants of a file are compiled at once: each is switched on by its number in the environment variable WHORL_MUTANT, so a
mutant costs the run of some tests and no compiler. The tests of the build folder's programs run once without a mutant to
learn which of them reach which mutants; a mutant then faces only those, the quick ones first.

A mutant that no test notices either needs a test or changes nothing. The latter stand in tests/mutation/equivalent.txt, each
with its reason. Exit codes: 0 if every mutant is caught or listed there, 1 if not, 2 if something could not run.
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EQUIVALENT = ROOT / "tests/mutation/equivalent.txt"

# Path pattern, and a pattern of the functions to change there; None: all.
TARGETS = [
    ("src/verifier/*.cpp", None),
    ("src/proof/byte_reader.hpp", None),
    ("src/proof/*.cpp", None),
    ("src/key/*.cpp", None),
    ("src/air/check.cpp", r"check_\w+"),
    ("src/engine/check*.cpp", None),
    ("src/engine/commit.cpp", r"check_\w+"),
    ("src/engine/statement_file.cpp", None),
    ("src/engine/task.cpp", r"check_\w+"),
    ("src/prover/input.cpp", None),
]
PROGRAMS = ["unit_tests", "air_tests", "reject_tests", "prove_tests", "machine_tests"]
# Device tests add nothing: they run the same checks.
TEST_FILTER = "-*Gpu*:*Sim*:*Metal*:*Long*"
# Statements that check something or feed the transcript; without them a proof may pass that should not.
CHECKING_STATEMENTS = re.compile(
    r"WHORL_RULE|(\w+\.)?(fail|fail_at|expect_\w+|finish|bounded|spend_free)|transcript\.observe\w*|observe_\w+")
MEMORY_LIMIT_BYTES = 6 << 30

# ---- tokens ----------------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<directive>\#(?:\\\n|[^\n])*)
      | (?P<string>(?:u8|L)?"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<number>\.?\d(?:[\w.']|[eEpP][+-])*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<punct>::|->|\.\.\.|<=>|<<=|>>=|<<|[-+*/%^&|=!<>]=|&&|\|\||\+\+|--|[^\s\w])""",
    re.VERBOSE | re.DOTALL)
Token = collections.namedtuple("Token", "kind text start end")


def tokenize(text):
    """Tokens without white space and comments. `>>` stays two tokens, since templates end in it."""
    tokens = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind not in ("space", "directive"):
            tokens.append(Token(kind, match.group(), match.start(), match.end()))
    return tokens


OPEN, CLOSE = "([{", ")]}"


def match_brackets(tokens):
    partner, stack = {}, []
    for i, token in enumerate(tokens):
        if token.kind == "punct" and token.text in OPEN:
            stack.append(i)
        elif token.kind == "punct" and token.text in CLOSE:
            j = stack.pop()
            partner[i], partner[j] = j, i
    return partner


# ---- places ----------------------------------------------------------------------------------------------------------

# A place where mutants sit: tokens first … last. `operator` is the token that divides left from right, where
# there is one, or a tuple of them.
Place = collections.namedtuple("Place", "kind first last operator changes", defaults=[None, ()])

FLIPPED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
EDGES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
STOPS = {",", ";", "=", "return", "&&", "||", "?", ":", "else", "case", "+=", "|="}


class File:
    def __init__(self, path, functions):
        self.path = path
        self.text = path.read_text()
        self.tokens = tokenize(self.text)
        self.partner = match_brackets(self.tokens)
        self.functions = self.find_functions()
        self.regions = self.find_regions(functions)
        self.places = []
        self.for_headers = []
        self.find_places()

    def find_regions(self, functions):
        """(first, end) token of the text to change."""
        if functions is None:
            return [(0, len(self.tokens))]
        regions = []
        for first, last, name in self.functions:
            is_inside = any(a <= first < b for a, b in regions)
            if re.fullmatch(functions, name) and not is_inside:
                regions.append((first, last + 1))
        if not regions:
            raise Failure(f"{self.path}: no function {functions}; TARGETS is out of date")
        return regions

    def is_binary(self, i):
        """clang-format puts white space around binary operators and none around template brackets and references."""
        token = self.tokens[i]
        return self.text[token.start - 1].isspace() and self.text[token.end].isspace()

    def is_stop(self, i, stops):
        text = self.tokens[i].text
        return text in stops and (text not in FLIPPED or self.is_binary(i))

    def left_end(self, i, stops):
        j = i - 1
        while j >= 0:
            text = self.tokens[j].text
            if self.tokens[j].kind == "punct" and text in CLOSE:
                j = self.partner[j] - 1
                continue
            if self.is_stop(j, stops) or (self.tokens[j].kind == "punct" and text in OPEN):
                break
            j -= 1
        return j + 1

    def right_end(self, i, stops):
        j = i + 1
        while j < len(self.tokens):
            text = self.tokens[j].text
            if self.tokens[j].kind == "punct" and text in OPEN:
                j = self.partner[j] + 1
                continue
            if self.is_stop(j, stops) or (self.tokens[j].kind == "punct" and text in CLOSE):
                break
            j += 1
        return j - 1

    def find_places(self):
        for begin, end in self.regions:
            for i in range(begin, end):
                self.find_place(i)
        self.places = [p for p in self.places if p.kind == "skip" or
                       not any(a <= p.first and p.last <= b for a, b in self.for_headers)]

    def find_place(self, i):
        text, kind = self.tokens[i].text, self.tokens[i].kind
        following = self.tokens[i + 1].text if i + 1 < len(self.tokens) else ""
        if text == "if" and following == "(":
            self.add_condition(i + 1)
        elif text in ("for", "while") and following == "(":
            self.for_headers.append((i + 1, self.partner[i + 1]))
            self.places.append(Place("skip", i, self.partner[i + 1]))
        elif kind == "punct" and text in FLIPPED and self.is_binary(i):
            stops = STOPS | set(FLIPPED)
            left, right = self.left_end(i, stops), self.right_end(i, stops)
            changes = [("flip", FLIPPED[text])]
            if text in EDGES:
                changes.append(("edge", EDGES[text]))
            self.places.append(Place("compare", left, right, i, tuple(changes)))
        elif kind == "punct" and text in ("&&", "||") and self.is_binary(i):
            self.add_chain(i)
        elif kind == "punct" and text == "?":
            colon = self.right_end(i, {":", ";", ","}) + 1
            if colon < len(self.tokens) and self.tokens[colon].text == ":":
                last = self.right_end(colon, {",", ";", ":"})
                first = self.left_end(i, STOPS - {"&&", "||"})
                self.places.append(Place("choice", first, last, i, (("swap", ""),)))
        elif kind == "word":
            self.add_statement(i)

    def add_chain(self, i):
        """a && b && c is one place with two operators; it is added at the first."""
        text = self.tokens[i].text
        # a && b || c: && holds tighter, so a chain of && ends where || stands; one of || holds those of &&.
        stops = STOPS - {"&&", "||"} | {text} | ({"||"} if text == "&&" else set())
        first = self.left_end(i, stops)
        if first > 0 and self.tokens[first - 1].text == text:
            return
        operators = [i]
        last = self.right_end(i, stops)
        while self.tokens[last + 1].text == text:
            operators.append(last + 1)
            last = self.right_end(last + 1, stops)
        self.places.append(Place("logic", first, last, tuple(operators)))

    def add_condition(self, opening):
        closing = self.partner[opening]
        first, depth = opening + 1, 0
        for j in range(opening + 1, closing):
            if self.tokens[j].text in OPEN and self.tokens[j].kind == "punct":
                depth += 1
            elif self.tokens[j].text in CLOSE and self.tokens[j].kind == "punct":
                depth -= 1
            elif self.tokens[j].text == ";" and depth == 0:
                first = j + 1
        self.places.append(Place("condition", first, closing - 1, None, (("never", "false"), ("always", "true"))))

    def declared_name(self, place):
        """The variable of `if (T x = …)`, or None."""
        depth = 0
        for j in range(place.first, place.last + 1):
            token = self.tokens[j]
            if token.kind == "punct" and token.text in OPEN:
                depth += 1
            elif token.kind == "punct" and token.text in CLOSE:
                depth -= 1
            elif token.text == "=" and depth == 0:
                return self.tokens[j - 1].text
        return None

    def add_statement(self, i):
        before = self.tokens[i - 1].text if i > 0 else ";"
        if before not in ("{", "}", ";", ")", "else", ":"):
            return
        j = i
        while j + 2 < len(self.tokens) and self.tokens[j + 1].text == "." and self.tokens[j + 2].kind == "word":
            j += 2
        called = self.text[self.tokens[i].start:self.tokens[j].end]
        if self.tokens[j + 1].text != "(" or not CHECKING_STATEMENTS.fullmatch(called):
            return
        closing = self.partner[j + 1]
        if self.tokens[closing + 1].text == ";":
            self.places.append(Place("skip", i, closing + 1))

    def find_functions(self):
        """(first, last) token and name of each function with a body; control statements are none."""
        functions = []
        for i, token in enumerate(self.tokens[:-1]):
            if token.kind != "word" or token.text in ("if", "for", "while", "switch", "return"):
                continue
            after = self.partner.get(i + 1) if self.tokens[i + 1].text == "(" else None
            if after is None:
                continue
            body = after + 1
            while body < len(self.tokens) and self.tokens[body].text in ("const", "noexcept", "override"):
                body += 1
            if body < len(self.tokens) and self.tokens[body].text == "{":
                functions.append((i, self.partner[body], token.text))
        return functions

    def function(self, token):
        """The name of the innermost function around a token, or ''."""
        around = [f for f in self.functions if f[0] <= token <= f[1]]
        return max(around)[2] if around else ""

    def source(self, first, last):
        return self.text[self.tokens[first].start:self.tokens[last].end]

    def line(self, token):
        return self.text.count("\n", 0, self.tokens[token].start) + 1


# ---- mutants ---------------------------------------------------------------------------------------------------------

Mutant = collections.namedtuple("Mutant", "number path line function text change")


def one_line(text):
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"\s+", " ", text).strip()


class Mutator:
    """Numbers the mutants of files and writes the files' switched copies."""

    def __init__(self, root):
        self.root = root
        self.mutants = []

    def number(self, file, place, text, change):
        mutant = Mutant(len(self.mutants) + 1, file.path.relative_to(self.root).as_posix(), file.line(place.first),
                        file.function(place.first), one_line(text), change)
        self.mutants.append(mutant)
        return f"WHORL_MUTANT({mutant.number})"

    def rewrite(self, file):
        # Outer places first; of two with the same extent, the condition holds the comparison.
        rank = {"skip": 0, "condition": 1, "choice": 2, "logic": 3, "compare": 4}
        places = sorted(file.places, key=lambda p: (p.first, -p.last, rank[p.kind]))
        roots, stack = [], []
        for place in places:
            while stack and stack[-1][0].last < place.first:
                stack.pop()
            node = (place, [])
            if stack and place.last > stack[-1][0].last:
                continue  # crosses its neighbour: not understood, left alone
            (stack[-1][1] if stack else roots).append(node)
            stack.append(node)
        body = self.render_text(file, 0, len(file.text), roots)
        return f'#include "whorl_mutant.h"\n#line 1 "{file.path}"\n{body}'

    def render_text(self, file, begin, end, nodes):
        out, at = [], begin
        for node in nodes:
            first, last = file.tokens[node[0].first].start, file.tokens[node[0].last].end
            out += [file.text[at:first], self.render(file, node)]
            at = last
        return "".join(out) + file.text[at:end]

    def render(self, file, node):
        place, children = node
        source = file.source(place.first, place.last)
        begin, end = file.tokens[place.first].start, file.tokens[place.last].end

        def inner(a, b):
            return self.render_text(file, a, b, [c for c in children
                                                 if a <= file.tokens[c[0].first].start < b])

        if place.kind == "skip":
            switch = self.number(file, place, source, "skip")
            body = inner(begin, end)
            is_loop = file.tokens[place.first].text in ("for", "while")
            return f"if (!{switch}) {body}" if is_loop else f"{{ if (!{switch}) {{ {body} }} }}"
        if place.kind == "condition":
            never = self.number(file, place, f"if ({source})", "never")
            always = self.number(file, place, f"if ({source})", "always")
            body, name = inner(begin, end), file.declared_name(place)
            if name:
                return f"{body}; {never} ? false : {always} ? true : static_cast<bool>({name})"
            return f"{never} ? false : {always} ? true : static_cast<bool>({body})"
        if place.kind == "logic":
            return self.render_chain(file, place, inner)
        operator = file.tokens[place.operator]
        if place.kind == "choice":
            colon = file.right_end(place.operator, {":", ";", ","}) + 1
            swap = self.number(file, place, source, "swap")
            condition = inner(begin, operator.start)
            rest = inner(operator.end, end)
            assert file.tokens[colon].text == ":"
            return f"({swap} != static_cast<bool>({condition})) ? {rest}"
        left, right = inner(begin, operator.start), inner(operator.end, end)
        text = ""
        for name, other in place.changes:
            switch = self.number(file, place, source, f"{name} to {other}")
            text += f"{switch} ? ({left}) {other} ({right}) : "
        return f"({text}({left}) {operator.text} ({right}))"

    def render_chain(self, file, place, inner):
        operator = file.tokens[place.operator[0]].text
        neutral = "true" if operator == "&&" else "false"
        starts = [file.tokens[place.first].start] + [file.tokens[i].end for i in place.operator]
        ends = [file.tokens[i].start for i in place.operator] + [file.tokens[place.last].end]
        operands = []
        for begin, end in zip(starts, ends):
            drop = self.number(file, place, file.source(place.first, place.last),
                               "drop " + one_line(file.text[begin:end]))
            operands.append(f"({drop} ? {neutral} : static_cast<bool>({inner(begin, end)}))")
        return f"({f' {operator} '.join(operands)})"


SWITCH_HEADER = """\
// Switches for mutants, made by scripts/mutate.py.
#pragma once
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

namespace whorl_mutation {
constexpr unsigned kCount = %d;
struct State {
    unsigned active = std::getenv("WHORL_MUTANT") ? static_cast<unsigned>(std::atoi(std::getenv("WHORL_MUTANT"))) : 0;
    const char* record = std::getenv("WHORL_MUTANT_RECORD");
    std::atomic<bool> reached[kCount + 1] = {};
    ~State() {
        std::FILE* out = record ? std::fopen(record, "w") : nullptr;
        if (!out) return;
        for (unsigned i = 1; i <= kCount; ++i) {
            if (reached[i].load()) std::fprintf(out, "%%u\\n", i);
        }
        std::fclose(out);
    }
};
inline State state;
constexpr bool is_on(unsigned number) {
    if (std::is_constant_evaluated()) return false;
    if (state.record && !state.reached[number].load(std::memory_order_relaxed)) state.reached[number].store(true);
    return state.active == number;
}
}  // namespace whorl_mutation
#define WHORL_MUTANT(number) (::whorl_mutation::is_on(number))
"""


# ---- building --------------------------------------------------------------------------------------------------------


class Failure(Exception):
    pass


def call(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def choose_files(patterns):
    files = []
    for pattern, functions in TARGETS:
        paths = sorted(ROOT.glob(pattern))
        if not paths:
            raise Failure(f"{pattern}: no such file; TARGETS is out of date")
        for path in paths:
            name = path.relative_to(ROOT).as_posix()
            if not patterns or any(fnmatch.fnmatch(name, p) or p in name for p in patterns):
                files.append(File(path, functions))
    return files


def compile_copies(build, work, files, jobs):
    """Writes and compiles the copies of `files`; returns the object files."""
    mutator = Mutator(ROOT)
    for file in files:
        copy = work / file.path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(mutator.rewrite(file))
    (work / "whorl_mutant.h").write_text(SWITCH_HEADER % len(mutator.mutants))
    commands = {entry["file"]: entry for entry in json.loads((build / "compile_commands.json").read_text())}

    def compile_one(file):
        entry = commands.get(str(file.path))
        if entry is None:
            raise Failure(f"{file.path}: not in {build}/compile_commands.json; is --build configured?")
        arguments = shlex.split(entry["command"])
        if os.path.basename(arguments[0]) == "ccache":
            arguments = arguments[1:]
        copy = work / file.path.relative_to(ROOT)
        target = copy.with_suffix(".o")
        at = arguments.index("-o")
        arguments[at + 1] = str(target)
        arguments[arguments.index("-c") + 1] = str(copy)
        arguments = ["-O1" if re.fullmatch("-O.", a) else a for a in arguments if a != "-Werror"]
        # The first folders win: switched headers before the true ones.
        arguments[1:1] = ["-w", f"-I{work / 'src'}", f"-I{work}"]
        call(arguments, entry["directory"])
        return target

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(compile_one, [f for f in files if f.path.suffix == ".cpp"]))
    return mutator.mutants, objects


def link(build, work, objects, program):
    """The test program with the copies' objects before all others."""
    command = call(["ninja", "-t", "commands", "-s", program], build).strip().splitlines()[-1]
    command = re.sub(r"^: && | && :$", "", command)
    arguments = shlex.split(command.split(" && ")[0])
    at = arguments.index("-o")
    arguments[at + 1] = str(work / program)
    # The first definition wins: an archive's own object may still be taken for an inline function that only it holds.
    arguments[at + 2:at + 2] = ["-Wl,--allow-multiple-definition", *(str(o) for o in objects)]
    call(arguments, build)
    return work / program


# ---- running ---------------------------------------------------------------------------------------------------------


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_tests(program, tests, mutant, timeout, record=None):
    """None if the tests pass, else how they failed."""
    environment = dict(os.environ, WHORL_MUTANT=str(mutant))
    if record:
        environment["WHORL_MUTANT_RECORD"] = str(record)
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen([str(program), "--gtest_fail_fast", "--gtest_brief=1",
                                    "--gtest_filter=" + ":".join(tests)],
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment,
                                   preexec_fn=limit_memory, start_new_session=True)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return "timeout"
        if code == 0:
            return None
        output.seek(0)
        failed = re.search(r"\[  FAILED  \] ([\w./]+)", output.read())
        return failed.group(1) if failed else f"crash (exit {code})"


def list_tests(program, tests):
    text = call([str(program), "--gtest_list_tests", f"--gtest_filter={tests}"], program.parent)
    suite, tests = "", []
    for line in text.splitlines():
        name = line.split("#")[0].rstrip()
        if not line.startswith(" "):
            suite = name
        elif name.strip():
            tests.append(suite + name.strip())
    return [t for t in tests if "DISABLED_" not in t]


Reach = collections.namedtuple("Reach", "program test seconds mutants")


def survey_tests(work, programs, tests, slowest_s, jobs):
    """Which test reaches which mutants, and how long it takes."""
    def survey_one(job):
        program, test, index = job
        record = work / f"reached_{program.name}_{index}"
        started = time.monotonic()
        failure = run_tests(program, [test], 0, 600, record)
        if failure:
            raise Failure(f"{program.name}: {test} fails without any mutant: {failure}")
        seconds = time.monotonic() - started
        mutants = {int(line) for line in record.read_text().split()}
        record.unlink()
        return Reach(program, test, seconds, mutants)

    jobs_list = [(p, t, i) for p in programs for i, t in enumerate(list_tests(p, tests))]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        reaches = list(pool.map(survey_one, jobs_list))
    slow = [r for r in reaches if r.seconds > slowest_s]
    for reach in slow:
        print(f"left out, takes {reach.seconds:.0f} s: {reach.program.name} {reach.test}")
    return [r for r in reaches if r.seconds <= slowest_s]


def face_tests(mutant, reaches):
    """The test that catches the mutant, 'unreached', or None."""
    own = sorted((r for r in reaches if mutant.number in r.mutants), key=lambda r: r.seconds)
    if not own:
        return "unreached"
    # The quick ones in one go, then the others.
    for share in ([r for r in own if r.seconds <= 0.3], [r for r in own if r.seconds > 0.3]):
        by_program = collections.defaultdict(list)
        for reach in share:
            by_program[reach.program].append(reach)
        for program, group in by_program.items():
            timeout = 20 + 10 * sum(r.seconds for r in group)
            failure = run_tests(program, [r.test for r in group], mutant.number, timeout)
            if failure:
                return failure
    return None


def identity(mutant):
    """What stays the same when lines move."""
    return mutant.path, mutant.function, mutant.text, mutant.change


def read_equivalent():
    """(path, function, text, change) → reason."""
    known = {}
    if EQUIVALENT.exists():
        for line in EQUIVALENT.read_text().splitlines():
            if line and not line.startswith("#"):
                *key, reason = (part.strip() for part in line.split(" @ "))
                known[tuple(key)] = reason
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="a build with the tests built")
    parser.add_argument("--files", nargs="*", default=[], help="only files whose path contains this")
    parser.add_argument("--programs", nargs="*", default=PROGRAMS, help="only these test programs")
    parser.add_argument("--tests", default=TEST_FILTER, help="only these tests, as --gtest_filter takes them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--slowest", type=float, default=8.0, help="leave out tests that take longer, in seconds")
    parser.add_argument("--list", action="store_true", help="list the mutants, run nothing")
    parser.add_argument("--report", type=pathlib.Path, help="a JSON file with a line per mutant")
    options = parser.parse_args()
    build = options.build.resolve()
    work = build / "mutation"
    try:
        files = choose_files(options.files)
        if options.list:
            mutator = Mutator(ROOT)
            for file in files:
                mutator.rewrite(file)
            for m in mutator.mutants:
                print(f"{m.number} {m.path}:{m.line} {m.function}() {m.change}: {m.text}")
            return 0
        work.mkdir(exist_ok=True)
        mutants, objects = compile_copies(build, work, files, options.jobs)
        programs = [link(build, work, objects, name) for name in options.programs]
        print(f"{len(mutants)} mutants of {len(files)} files")
        reaches = survey_tests(work, programs, options.tests, options.slowest, options.jobs)
        print(f"{len(reaches)} tests, {sum(r.seconds for r in reaches):.0f} s", flush=True)
    except Failure as failure:
        print(f"mutate: {failure}", file=sys.stderr)
        return 2

    known = read_equivalent()
    rows = []
    lock = threading.Lock()

    def face(mutant):
        outcome = face_tests(mutant, reaches)
        key = identity(mutant)
        is_caught = outcome not in (None, "unreached")
        word = outcome if is_caught else "equivalent" if key in known else outcome or "survived"
        with lock:
            rows.append((mutant, is_caught, word))
            if not is_caught and key not in known:
                print(f"{word}: {mutant.number} line {mutant.line}: {' @ '.join(key)}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(face, mutants))

    if not options.files:
        for key in known.keys() - {identity(m) for m in mutants}:
            print(f"no such mutant any more: {' @ '.join(key)}")
    table = collections.defaultdict(collections.Counter)
    for mutant, is_caught, word in rows:
        kind = "caught" if is_caught else word
        table[mutant.path].update(["made", kind])
        table["all"].update(["made", kind])
        if is_caught and (word == "timeout" or word.startswith("crash")):
            table[mutant.path]["crash"] += 1
            table["all"]["crash"] += 1
    print(f"\n{'file':36} {'made':>6} {'caught':>7} {'(crash)':>8} {'listed':>7} {'survived':>9} {'unreached':>10}")
    for path in sorted(table, key=lambda p: (p == "all", p)):
        c = table[path]
        print(f"{path:36} {c['made']:6} {c['caught']:7} {c['crash']:8} {c['equivalent']:7} {c['survived']:9} "
              f"{c['unreached']:10}")
    if options.report:
        rows.sort(key=lambda row: row[0].number)
        options.report.write_text("".join(json.dumps({**m._asdict(), "outcome": w}) + "\n" for m, _, w in rows))
    return 0 if table["all"]["survived"] + table["all"]["unreached"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
