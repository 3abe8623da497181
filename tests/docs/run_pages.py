#!/usr/bin/env python3
"""Runs the examples of README.md, docs/*.md and `whorl --help`. Exit status 0 when all do what a reader expects."""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

COMMANDS = ["keccakf", "prove", "verify", "check", "inspect", "params", "plan", "devices", "doctor", "bench", "keygen", "commit",
            "task", "task init", "completions", "man"]

# Why a command of a page is not run here, by its first word.
NOT_RUN = {
    "make": "builds, tests or installs: CI and the other tests do that",
    "cc": "compiles a reader's own program: tests/package does the like",
    "cmake": "builds: CI does that",
    "ctest": "runs the tests: this is one",
    "brew": "is for macOS",
    "git": "needs a repository of its own",
    "pip": "installs: python/run.sh does that",
    "whorl-openvm": "is the Rust crate's program: rust/openvm-whorl-backend/run.sh runs it",
    "whorl-cluster": "needs a Ray cluster: python/tests/cluster has one",
    "ray": "starts a cluster: python/tests/cluster does that",
    "python": "runs a reader's own program: python/tests does the like",
    "srun": "is for a Slurm cluster",
    "sbatch": "is for a Slurm cluster",
    "kubectl": "is for a Kubernetes cluster",
    "helm": "is for a Kubernetes cluster",
    "curl": "asks a server: python/tests/cluster does the like",
    "scripts/": "builds or measures",
    "nvidia-smi": "needs an NVIDIA GPU",
    "xcrun": "is for macOS",
    "sw_vers": "is for macOS",
    "system_profiler": "is for macOS",
}

# What stands in a page for something of the reader's, and what it is here.
PLACEHOLDERS = [
    (r"--task DIR\b", "--task tests/vectors/fib_2e5"),
    (r"--out FILE\b", "--out out.proof"),
    (r"--beside FILE\b", "--beside bench/results/original-m2-max.jsonl"),
    (r"\bnew_task\b", "new_task_$$"),
    (r"--matrix (FILE|columns.bin)", "--matrix tests/vectors/fib_2e5/air0_main.bin"),
    (r"--inputs FILE\b", "--inputs tests/vectors/keccak_5_perms/inputs.u64le"),
    (r"\bbuild/release/whorl\b", "whorl"),
]

# Work of minutes, made small: what is added to a command that does not say how much it wants.
SHORTER = {
    "keccakf": (r"--permutations", "--permutations 1"),
}

# By workload: in the place of what a command says.
BENCH_SHORTER = {
    "all": "--permutations 1 --log-height 4",
    "keccakf": "--permutations 1",
    "logup": "--log-height 4",
    "segment": "--scale 14",
    "shape": "--log-height 4",
}

# C++: by page, what the blocks leave out. A block is split at the first line that matches `body`: what comes before is at
# file scope, the rest is a function's.
CPP = {
    "README.md": {
        "body": r"^const std::vector<whorl::AnyAir>",
        "before_body": "std::vector<whorl::Fp> column(8); const std::size_t column_height = 8;",
        "after_body": "(void)is_accepted;",
    },
    "docs/adding-an-air.md": {
        "body": r"^(const std::vector<whorl::AnyAir>|auto prover =|std::atomic<bool> stop)",
        "before_file": "#include <atomic>\n#include <string_view>\n#include <whorl/prove.hpp>\n#include <whorl/telemetry.hpp>",
        "before_body": "whorl::Matrix program_table; whorl::Telemetry spans; static const auto show = [](double, std::string_view) {};",
        "after_file": """
struct Collector : Squares {};
int report(const whorl::Error&) { return 1; }
whorl::Matrix squares(std::size_t height) { return {2, height}; }""",
        "after_body": "(void)trace;",
    },
    "docs/statement.md": {
        "body": r"^whorl::Statement",
        "before_body": "const whorl::VerifyingKey vk; const whorl::Proof proof; const whorl::Digest trusted_pre_hash{}, "
                       "program_commitment{}; const std::vector<whorl::Fp> expected_values;",
        "after_body": "(void)verdict;",
    },
    "docs/embedding.md": {
        "body": r"^whorl::Transcript transcript",
        "before_file": "#include <vector>\n#include <whorl/prove.hpp>\n#include <whorl/transcript.hpp>",
        "before_body": "extern whorl::Prover& prover; const std::vector<whorl::AirTrace> traces; const std::vector<whorl::Fp> what_came_before;",
        "after_body": "(void)proof; (void)next_challenge;",
    },
    "docs/parameters.md": {
        "body": r"^const std::vector<whorl::AnyAir>",
        "before_file": """#include <string>
#include <vector>
#include <whorl/choose_params.hpp>
struct Squares {
    std::string name() const { return "Squares"; }
    std::uint32_t width() const { return 1; }
    void eval(auto& builder) const { builder.assert_bool(builder.main().local[0]); }
};
[[noreturn]] void fail(const std::string& message);""",
        "after_body": "(void)key;",
    },
    "docs/service.md": {
        "body": r"^no line of a body$",
        "before_file": "#include <cstddef>\n#include <span>",
    },
    "docs/metrics.md": {
        "body": r"^whorl::Telemetry",
        "before_file": "#include <fmt/format.h>\n#include <whorl/prove.hpp>\n#include <whorl/telemetry_export.hpp>",
        "before_body": "const whorl::VerifyingKey vk; const std::vector<whorl::AirTrace> traces;",
        "after_body": "(void)proof;",
    },
}


class Pages:
    def __init__(self, args, folder):
        self.program = os.path.abspath(args.program)
        self.source = pathlib.Path(args.source).resolve()
        self.compiler = args.compiler
        self.folder = pathlib.Path(folder)
        self.num_run = 0
        self.failures = []
        self.not_run = []
        (self.folder / "bin").mkdir()
        (self.folder / "bin/whorl").symlink_to(self.program)
        for name in ("tests", "bench", "docs"):
            (self.folder / name).symlink_to(self.source / name)
        task = self.source / "tests/vectors/fib_2e5"
        for name in ("proof.bin", "vk.postcard"):
            shutil.copy(task / name, self.folder / name)

    def fail(self, place, text):
        self.failures.append(f"{place}: {text}")

    def blocks(self, page, language):
        text = (self.source / page).read_text(encoding="utf-8")
        return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.S | re.M)

    # ---- shell -----------------------------------------------------------------------------------------------------

    def reason_not_to_run(self, command):
        if device := re.search(r"--device (cuda|metal|gpu)\S*", command):
            return f"needs {device[1]}, which machines without such a GPU lack"
        first = command.split()[0]
        for word, reason in NOT_RUN.items():
            if first == word or (word.endswith("/") and first.startswith(word)):
                return reason
        return None

    def run_command(self, place, command):
        for pattern, value in PLACEHOLDERS:
            command = re.sub(pattern, value, command)
        if reason := self.reason_not_to_run(command):
            self.not_run.append(f"{place}: {command}: {reason}")
            return
        if not re.search(r"\bwhorl ", command):
            self.fail(place, f"neither a command of whorl nor a known other one: {command}")
            return
        for name, (says_how_much, shorter) in SHORTER.items():
            if re.search(rf"\bwhorl\s+{name}\b", command) and not re.search(says_how_much, command):
                command = re.sub(rf"(\bwhorl\s+{name}\b)", rf"\1 {shorter}", command)
        if re.search(r"\bwhorl\s+bench\b", command):
            command = re.sub(r"--runs \d+", "", command) if "--runs" in command else command
            workload = re.search(r"\bbench\s+(\w+)", command)
            shorter = BENCH_SHORTER.get("--task" if "--task " in command else workload[1] if workload else "all", "")
            for option in re.findall(r"--\S+", shorter):
                command = re.sub(rf"{option} \d+", "", command)
            command = re.sub(r"(\bwhorl\s+bench(\s+\w+)?)", rf"\1 --runs 1 {shorter}", command)
        environment = dict(os.environ, PATH=f"{self.folder / 'bin'}:{os.environ['PATH']}")
        done = subprocess.run(["sh", "-c", command], cwd=self.folder, env=environment, capture_output=True, timeout=300)
        self.num_run += 1
        print(f"  ran {place}: {command}")
        if done.returncode != 0:
            self.fail(place, f"exit status {done.returncode}: {command}\n{done.stderr.decode(errors='replace')}")

    def run_shell_blocks(self, page):
        for block in self.blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                command = re.sub(r"(^|\s+)#.*$", "", line).strip()
                if command:
                    self.run_command(page, command)

    def run_help_examples(self, command):
        words = [self.program, *command.split(), "--help"]
        text = subprocess.run(words, capture_output=True, check=True).stdout.decode()
        examples = re.search(r"^Examples:\n((?:  .*\n?)+)", text, flags=re.M)
        if not examples:
            self.fail(f"whorl {command} --help", "no examples")
            return
        for line in examples[1].splitlines():
            # What a command does stands beside it.
            self.run_command(f"whorl {command} --help".replace("  ", " "), re.split(r"\s{3,}", line.strip())[0])

    # ---- C++ and JSON ----------------------------------------------------------------------------------------------

    def compile_page(self, page):
        blocks = self.blocks(page, "cpp")
        if not blocks:
            return
        if page not in CPP:
            self.fail(page, "a cpp block, but no entry in CPP that says what it leaves out")
            return
        around = CPP[page]
        file_scope, body = [around.get("before_file", "")], [around.get("before_body", "")]
        for block in blocks:
            lines = block.splitlines()
            split = next((i for i, line in enumerate(lines) if re.search(around["body"], line)), len(lines))
            file_scope += lines[:split]
            body += lines[split:]
        file_scope.append(around.get("after_file", ""))
        text = "\n".join(file_scope + ["int page() {"] + body + [around.get("after_body", ""), "return 0; }", ""])
        path = self.folder / "page.cpp"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [self.compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-I", str(self.source / "include"), str(path)],
            capture_output=True)
        self.num_run += len(blocks)
        print(f"  compiled {len(blocks)} block(s) of {page}")
        if done.returncode != 0 or done.stderr:
            self.fail(page, f"its C++ does not compile without warnings:\n{done.stderr.decode(errors='replace')}")

    def parse_json(self, page):
        documents = []
        for block in self.blocks(page, "json"):
            try:
                documents.append(json.loads(block))
                self.num_run += 1
            except ValueError as error:
                self.fail(page, f"a json block is not JSON: {error}")
        return documents

    def prove_the_task_of_the_page(self):
        page = "docs/formats.md"
        documents = self.parse_json(page)
        tasks = [document for document in documents if "num_airs" in document]
        if len(tasks) != 1:
            self.fail(page, f"expected one task.json, found {len(tasks)}")
            return
        (text,) = [block for block in self.blocks(page, "json") if '"num_airs"' in block]
        folder = self.folder / "task_of_the_page"
        folder.mkdir()
        vector = self.source / "tests/vectors/fib_2e5"
        (folder / "task.json").write_text(text, encoding="utf-8")
        for name in ("vk.postcard", "air0_main.bin"):
            shutil.copy(vector / name, folder / name)
        self.run_command(page, "whorl prove --check --task task_of_the_page --out page.proof")
        proof = self.folder / "page.proof"
        if not proof.exists() or proof.read_bytes() != (vector / "proof.bin").read_bytes():
            self.fail(page, "the task of the page does not give the proof of tests/vectors/fib_2e5")
        self.check_the_notes_of_the_page(dict(tasks[0], notes="notes.json"))
        documents = {page: tasks[0]}
        for path in sorted(self.source.glob("tests/vectors/*/task.json")):
            document = json.loads(path.read_text(encoding="utf-8"))
            if "airs" in document:
                documents[str(path)] = document
        self.check_schema("docs/task.schema.json", documents, dict(tasks[0], format=2))

    def check_the_notes_of_the_page(self, task):
        page = "docs/formats.md"
        notes = [block for block in self.blocks(page, "json") if '"buses"' in block]
        if len(notes) != 1:
            self.fail(page, f"expected one notes.json, found {len(notes)}")
            return
        folder = self.folder / "notes_of_the_page"
        shutil.copytree(self.folder / "task_of_the_page", folder)
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        (folder / "notes.json").write_text(notes[0], encoding="utf-8")
        self.run_command(page, "whorl check --task notes_of_the_page")

    def expect_the_statement_of_the_page(self):
        page = "docs/formats.md"
        statements = [block for block in self.blocks(page, "json") if '"min_security_bits"' in block]
        if len(statements) != 1:
            self.fail(page, f"expected one statement, found {len(statements)}")
            return
        (self.folder / "page_statement.json").write_text(statements[0], encoding="utf-8")
        self.check_schema("docs/statement.schema.json", {page: json.loads(statements[0])}, {"format": 1, "min_security": 5})
        vector = "tests/vectors/fib_2e5"
        self.run_command(page, f"whorl verify --vk {vector}/vk.postcard --proof {vector}/proof.bin "
                               "--expect page_statement.json")

    def check_schema(self, name, documents, broken):
        try:
            import jsonschema
        except ImportError:
            self.not_run.append(f"{name}: Python has no jsonschema here (Debian: python3-jsonschema)")
            return
        schema = json.loads((self.source / name).read_text(encoding="utf-8"))
        validator_class = getattr(jsonschema, "Draft202012Validator", jsonschema.Draft7Validator)
        validator_class.check_schema(schema)
        validator = validator_class(schema)
        for place, document in documents.items():
            for error in validator.iter_errors(document):
                self.fail(place, f"not as {name} says: {error.message}")
        print(f"  {len(documents)} document(s) are as {name} says")
        if validator.is_valid(broken):
            self.fail(name, f"accepts {broken}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--compiler", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="whorl-docs-") as folder:
        pages = Pages(args, folder)
        names = ["README.md", "CONTRIBUTING.md"] + sorted(f"docs/{path.name}" for path in pages.source.glob("docs/*.md"))
        for page in names:
            pages.run_shell_blocks(page)
            pages.compile_page(page)
            if page != "docs/formats.md":
                pages.parse_json(page)
        pages.prove_the_task_of_the_page()
        pages.expect_the_statement_of_the_page()
        for command in [""] + COMMANDS:
            pages.run_help_examples(command)
    print("not run here:")
    for line in pages.not_run:
        print(f"  {line}")
    for failure in pages.failures:
        print(f"FAILED {failure}")
    print(f"{pages.num_run} examples run, {len(pages.not_run)} not run, {len(pages.failures)} failed")
    return 1 if pages.failures or pages.num_run == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
