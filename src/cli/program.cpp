#include <fmt/ranges.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <new>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/choose_params.hpp>

#include "airs/block_shapes.hpp"
#include "cli/cli.hpp"
#include "cli/command_table.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"
#include "cli/process.hpp"
#include "cli/suggest.hpp"
#include "cli/tone.hpp"
#include "cli/version_text.hpp"
#include "cli/workloads.hpp"
#include "field/instruction_sets.hpp"
#include "machine/guard.hpp"
#include "machine/memory.hpp"
#include "text/printable.hpp"

namespace whorl {
namespace {

using namespace cli;

constexpr const char* kAbout =
    "whorl: proves and verifies SWIRL, the proof system of OpenVM's stark-backend v2, with the same bytes.";

constexpr const char* kExamples = R"(Examples:
  whorl keccakf                              prove 1,024 keccak-f permutations and verify the proof
  whorl prove --task tests/vectors/fib_2e5 --out fib.proof
  whorl verify --vk tests/vectors/fib_2e5/vk.postcard --proof fib.proof --min-security 0
  whorl inspect --vk tests/vectors/mixture/vk.postcard --proof tests/vectors/mixture/proof.bin

Exit codes:
  0  done
  1  the proof is rejected, the traces break a constraint, or a device is not healthy
  2  bad input or usage
  3  the machine: memory, or a device that is not there

Results go to standard output; progress, warnings, errors and the span tree of --timings go to
standard error. "-" in the place of a file is standard input or standard output; where standard
output takes a file, results for people go to standard error. A file of that name is "./-".
`whorl COMMAND --help` explains a command.)";

constexpr const char* kKeccakfExamples =
    R"(Parameters: app_params_100_bits with a stacked height of 64 times the rows (24 a permutation,
rounded up to a power of two), at least 2^11 and at most 2^24 rows: 2^21 for 1,024 permutations,
as in tests/vectors/keccakf_1024. Without --inputs the permutations' inputs are drawn with a fixed
seed, those of that vector.

Examples:
  whorl keccakf
  whorl keccakf --permutations 64 --out keccak.proof --vk-out keccak.vk
  whorl keccakf --inputs tests/vectors/keccakf_1024/inputs.u64le --timeline keccak.json)";

constexpr const char* kProveExamples =
    R"(A task is a folder with task.json, a key and traces: see docs/formats.md. The proof is verified
before it is written: traces that break a constraint give exit code 1 and the place, and no file.
--check finds the place before time goes into a proof; --no-verify writes the proof as it is, which
a verifier then rejects.

Examples:
  whorl prove --task tests/vectors/mixture --out mixture.proof
  whorl prove --task tests/vectors/mixture --out mixture.proof --check --metrics metrics.json)";

constexpr const char* kVerifyExamples =
    R"(A proof that is well formed and wrong gives exit code 1 and the rule that it breaks; bytes that
are no proof or no key give exit code 2. With --batch every line of the list is the path of a
proof; each is answered by one line: "accepted", "rejected REASON", "malformed REASON" or
"unreadable REASON", and the exit code is 0 unless one was unreadable.

An accepted proof says that traces exist which satisfy the key with these public values and cached
commitments: they are printed. That they are the right ones, and that the key is, is for the caller
to say, by --expect and --public-values; a proof about anything else is rejected. Keys with less
than 100 bits of security get a warning; --min-security and --expect reject them.

The files of the examples are in tests/vectors/fib_2e5.

Examples:
  whorl verify --vk vk.postcard --proof proof.bin --min-security 0
  whorl verify --vk vk.postcard --proof proof.bin --public-values 0=0,1,2178309 --min-security 0
  ls proof*.bin | whorl verify --vk vk.postcard --batch - --min-security 0 --quiet)";

constexpr const char* kCheckExamples =
    R"(Evaluates every constraint on every row and balances every bus: far faster than a proof that would
be rejected.

Examples:
  whorl check --task tests/vectors/interactions)";

constexpr const char* kKeygenExamples =
    R"(Makes a key of AIRs that come with whorl, in the order in which they are given, and writes the folder's
vk.postcard and the preprocessed columns of AIR N as airN_preprocessed.bin. AIRs: keccak, fibonacci,
fibonacci-selector[:ROWS], preprocessed-cached[:ROWS], send[:FIELDS], receive[:FIELDS],
self-interaction[:COLUMNS]; selectors are 1 and 0 by turns. Keys of other AIRs are made by a C++
program: docs/adding-an-air.md. --params-file takes any JSON object with "params": task.json, a
statement, the answers of params --json (the chosen ones) and inspect --json.

Examples:
  whorl keygen --air fibonacci --params test --out new_key
  whorl keygen --air keccak --log-stacked-height 17 --out keccak_key
  whorl keygen --air send:2 --air receive:2 --params-file tests/vectors/cached/task.json --out bus)";

constexpr const char* kCommitExamples =
    R"(Prints the commitments of a task's cached and preprocessed parts, or of one matrix: what a statement
names a program by. The file of a matrix is little-endian u32, column after column; the key gives the
parameters. --json prints them as the field elements that a statement takes.

Examples:
  whorl commit --task tests/vectors/preprocessed_and_cached
  whorl commit --vk tests/vectors/fib_2e5/vk.postcard --matrix columns.bin --width 2)";

constexpr const char* kTaskExamples = R"(Examples:
  whorl task init new_task --vk tests/vectors/fib_2e5/vk.postcard --height 0=32)";

constexpr const char* kTaskInitExamples =
    R"(Writes task.json and the key into a folder, and lists the files of columns that belong there, for
columns that another program makes: see docs/formats.md. Heights come from --height, the key's
preprocessed columns, or the sizes of files that are there already; where none says it, task.json has
0, to be replaced. Where the folder has columns of some AIRs, the others have no trace.

Examples:
  whorl task init new_task --vk tests/vectors/fib_2e5/vk.postcard --height 0=32
  whorl task init sums --vk tests/vectors/mixture/vk.postcard --absent 3 --air-name 0=FibonacciAir)";

constexpr const char* kCompletionsExamples =
    R"(`cmake --install` and the Debian package put the scripts where the shells look for them.

Examples:
  whorl completions bash > whorl.bash
  whorl completions fish --out whorl.fish)";

constexpr const char* kManExamples = R"(Examples:
  whorl man --out whorl.1)";

constexpr const char* kParamsExamples =
    R"(What parameters with the wanted bits of security cost for these AIRs and trace heights: a line for
each blowup and stacked height, and an arrow at the best of them. The size of a proof is exact.
`whorl keygen --params-file FILE` and whorl::choose_params make keys with them.

Examples:
  whorl params --task tests/vectors/mixture
  whorl params --vk tests/vectors/fib_2e5/vk.postcard --height 0=1024 --goal small
  whorl params --task tests/vectors/cached --security 80 --out params.json)";

constexpr const char* kPlanExamples =
    R"(What a proof of the task takes, decided by its key and trace heights alone: every large buffer, the
stages in which it is taken and given back, and the peak. The values of the traces make no
difference. A GPU takes one arena for all buffers, which are placed in it; on the CPU memory is taken
as it is needed.

Examples:
  whorl plan --task tests/vectors/interactions
  whorl plan --task tests/vectors/interactions --device sim
  whorl plan --task tests/vectors/mixture --device cuda:1)";

constexpr const char* kDevicesExamples = R"(Examples:
  whorl devices)";

[[maybe_unused]] constexpr const char* kDoctorExamples =
    R"(Tells what a device is, then proves small tasks on it. Every dispatch is carried out on the host
too and the device's memory compared with the host's, word by word; then the same proofs are made
as always. The exit code is 1 where anything differs. Takes seconds on a GPU, up to a minute on
the simulated one.

Examples:
  whorl doctor --device cuda
  whorl doctor --device sim --json > report.json)";

constexpr const char* kInspectExamples = R"(Examples:
  whorl inspect --vk tests/vectors/keccakf_1024/vk.postcard
  whorl inspect --vk tests/vectors/mixture/vk.postcard --proof tests/vectors/mixture/proof.bin)";

constexpr const char* kBenchExamples =
    R"(Prints a JSON line for each run ("kind": "run") and one for all of them ("kind": "summary", with
medians). The time is that of proving alone, from traces in the host's memory; the spans tell
more. Every proof is verified. Memory is the peak of the process up to then, and of the device.

Examples:
  whorl bench --runs 3
  whorl bench logup --log-height 14 --runs 1 --quiet
  whorl bench segment --scale 6
  whorl bench segment --proof 171 --scale 6 --task-out leaf
  whorl bench shape --num-airs 50 --num-columns 20 --log-height 8 --runs 3
  whorl bench --task tests/vectors/mixture
  whorl bench keccakf --threads 1
  whorl bench --device cuda --warmups 2 --runs 10 > today.jsonl
  whorl bench --device cuda --warmups 2 --runs 10 --beside today.jsonl)";

/// Options of bench that mean something to some workloads alone.
struct WorkloadOptions {
    std::vector<std::string_view> names;
    std::vector<std::string_view> workloads;
};
const std::vector<WorkloadOptions> kBenchOptionsOf{
    {{"--permutations"}, {"keccakf", "all"}},
    {{"--log-height"}, {"logup", "shape", "all"}},
    {{"--proof", "--scale"}, {"segment"}},
    {{"--log-stacked-height"}, {"segment", "shape"}},
    {{"--num-airs", "--num-columns", "--num-constraints", "--num-interactions", "--num-buses", "--seed"}, {"shape"}},
};

/// Which of the common options mean something to a command.
struct CommonSet {
    bool has_device = false;   ///< and how it is used
    bool has_threads = false;  ///< the CPU's
    bool has_spans = false;    ///< metrics and timeline
    bool has_json = false;     ///< the answer as JSON
};
constexpr CommonSet kProving{.has_device = true, .has_threads = true, .has_spans = true};
constexpr CommonSet kProvingWithJson{.has_device = true, .has_threads = true, .has_spans = true, .has_json = true};

/// A text that the program makes of its own table.
struct TextOptions {
    std::string path = std::string(kStandardStream);
};
Result<ExitCode> run_text(Session& session, const TextOptions& options, std::string_view text) {
    if (auto claimed = session.claim_output("--out", options.path); !claimed) return claimed.error();
    if (auto begun = session.begin(); !begun) return begun.error();
    if (auto written = session.write(options.path, text); !written) return written.error();
    return kExitOk;
}

/// A subcommand with its options bound to the values that run_… takes.
struct Command {
    CLI::App* app = nullptr;
    CommonSet common;
    std::function<Result<ExitCode>(Session&)> run;
};

void add_device_options(CLI::App& app, CommonOptions& options) {
    app.add_option("--device", options.device,
                   "where to prove: cpu, sim, gpu (the first there is), metal[:i] or cuda[:i] (see whorl devices)")
        ->type_name("NAME")
        ->capture_default_str();
    add_choice<Dispatch>(app, "--dispatch", options.dispatch,
                         {{"staged", Dispatch::kStaged}, {"unfused", Dispatch::kUnfused}},
                         "how a GPU gets round 0: staged, one submission for all cosets; unfused, one each");
    add_choice<ConstraintKernels>(
        app, "--constraints", options.constraints,
        {{"interpreted", ConstraintKernels::kInterpreted}, {"generated", ConstraintKernels::kGenerated}},
        "how a GPU evaluates constraints: interpreted; generated, by kernels made for each AIR, where the device "
        "compiles "
        "while the program runs (metal)");
    app.add_option("--compile-timeout", options.compile_timeout_s,
                   "how many seconds to wait for generated kernels; those not ready by then are not used")
        ->type_name("S")
        ->check(in_range(0, 3600))
        ->capture_default_str();
}

void add_common_options(CLI::App& app, CommonOptions& options, const CommonSet& set) {
    if (set.has_device) add_device_options(app, options);
    if (set.has_threads) {
        app.add_option("--threads", options.num_threads, "how many threads; 0: one per core that this process may use")
            ->type_name("N")
            ->check(in_range(0, 1024))
            ->capture_default_str();
    } else {
        options.num_threads = 1;
    }
    if (set.has_spans) {
        app.add_flag("--timings", options.has_timings, "print the span tree and the totals to standard error");
        app.add_option("--metrics", options.metrics_path, "write spans and totals as JSON")->type_name("FILE");
        app.add_option("--timeline", options.timeline_path,
                       "write the spans for a trace viewer (Perfetto, chrome://tracing)")
            ->type_name("FILE");
    }
    if (set.has_json) {
        app.add_flag("--json", options.is_json, "answer with a JSON object in the place of text (docs/output.md)");
    }
    app.add_flag("-q,--quiet", options.is_quiet, "print errors, what is wrong and what was asked for, nothing else");
    app.get_formatter()->column_width(kHelpColumn);
}

/// A person gets lines that fit; in a file or a pipe a message stays on its line.
void put_message(std::string_view text) {
    std::string shown = printable_lines(text);
    if (::isatty(STDERR_FILENO) == 1) shown = wrap_help(shown);
    if (has_colours(stderr)) shown = in_colour(shown, Tone::kBad);
    put(stderr, shown);
}

/// What ends first, where memory has ended.
std::string memory_remedy() {
    const MemoryLimit limit = tightest_memory_limit();
    return fmt::format(": {} allows {}; raise the limit, use a larger machine, or prove less at once", limit.name,
                       human_bytes(limit.bytes));
}

/// `command`: none where only help or the version was asked for.
int complain(std::string_view command, const Error& error) {
    std::fflush(stdout);
    put_message(fmt::format("whorl{}{}: error: {}{}\n", command.empty() ? "" : " ", command, to_string(error),
                            is_lack_of_memory(error) ? memory_remedy() : ""));
    return exit_code(error);
}

/// Whether all that was printed has reached standard output.
bool flush_output() {
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

Error output_error() {
    return {.code = ErrorCode::kIo, .stage = "output", .message = "cannot write standard output"};
}

/// CLI11's words for too many or too few values, in ours.
std::string mismatch_text(std::string_view text) {
    const std::size_t colon = text.find(": ");
    const std::string_view name = text.substr(0, colon), what = text.substr(colon == text.npos ? 0 : colon + 2);
    constexpr std::string_view kMost = "At Most 1 required but received ", kOne = "1 required ", kMissing = " missing";
    if (what.starts_with(kMost))
        return fmt::format("{}: given {} times, expected once", name, what.substr(kMost.size()));
    if (what.starts_with(kOne) && what.ends_with(kMissing)) {
        const std::string_view type = what.substr(kOne.size(), what.size() - kOne.size() - kMissing.size());
        return fmt::format("{}: expected {}, found nothing", name, type);
    }
    return std::string(text);
}

/// Prints help or the version where they were asked for, or says what is wrong with the command line.
int answer(const CLI::App& app, const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (app.exit(error, out, err) != 0) {
        put_message("whorl: " + err.str());
        return kExitUsage;
    }
    put(stdout, printable_lines(wrap_help(out.str())));
    return flush_output() ? kExitOk : complain("", output_error());
}

std::string did_you_mean(std::string_view word, std::span<const std::string> names) {
    const std::string meant = find_meant(word, names);
    return meant.empty() ? "" : fmt::format("; did you mean {}?", meant);
}

/// Says which arguments are not known, and which options may have been meant.
int refuse_unknown(const CLI::App& app) {
    std::vector<std::string> names{"--help"};
    const auto add_names = [&](const CLI::App& of) {
        for (const CLI::Option* option : of.get_options()) {
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        }
    };
    add_names(app);
    std::vector<std::string> words;  // subcommands of the command
    for (const CLI::App* command : app.get_subcommands()) {
        add_names(*command);
        for (const CLI::App* inner : command->get_subcommands({})) words.push_back(inner->get_name());
    }
    const std::vector<std::string> unknown = app.remaining(true);
    std::string message = "whorl: not expected:";
    for (const std::string& word : unknown) message += ' ' + printable(word);
    for (const std::string& word : unknown) {
        message +=
            word.starts_with("--") ? did_you_mean(word.substr(0, word.find('=')), names) : did_you_mean(word, words);
    }
    put_message(message + "\nRun with --help for more information.\n");
    return kExitUsage;
}

/// "task init": without the program's.
std::string full_name(const CLI::App& command) {
    const CLI::App* parent = command.get_parent();
    const bool is_nested = parent != nullptr && parent->get_parent() != nullptr;
    return is_nested ? full_name(*parent) + ' ' + command.get_name() : command.get_name();
}

int run_command(const Command& command, const CommonOptions& options) {
    const std::string name = full_name(*command.app);
    Session session(options);
    const Result<ExitCode> code = command.run(session);
    if (!code) {
        session.stop_progress();
        return complain(name, code.error());
    }
    if (const Result<void> finished = session.finish(); !finished) return complain(name, finished.error());
    return flush_output() ? static_cast<int>(*code) : complain(name, output_error());
}

int parse_and_run(int argc, char** argv) {
    CLI::App app(kAbout, "whorl");
    app.footer(kExamples);
    app.set_version_flag("-V,--version", version_text(), "print version, commit, devices and instruction sets");
    app.require_subcommand(1);
    app.get_formatter()->column_width(kHelpColumn);

    std::vector<Command> commands;
    const auto add_command = [&](const char* name, const char* about, const char* examples) -> CLI::App& {
        CLI::App* command = app.add_subcommand(name, about);
        command->footer(examples);
        return *command;
    };

    KeccakfOptions keccakf;
    CLI::App& keccakf_app =
        add_command("keccakf", "prove keccak-f permutations, then verify the proof", kKeccakfExamples);
    keccakf_app
        .add_option("--permutations", keccakf.num_permutations,
                    "how many: 1,024, or all of --inputs; fewer than there are inputs takes the first ones")
        ->type_name("N")
        ->check(in_range(std::size_t{1}, kMaxPermutations));
    keccakf_app.add_option("--inputs", keccakf.inputs_path, "the permutations' inputs: 25 little-endian u64 each")
        ->type_name("FILE");
    keccakf_app.add_option("--log-stacked-height", keccakf.log_stacked_height, "log2 of the stacked height")
        ->type_name("H")
        ->check(in_range(kMinAppLogStackedHeight, kMaxAppLogStackedHeight));
    keccakf_app.add_option("-o,--out", keccakf.proof_path, "write the proof")->type_name("FILE");
    keccakf_app.add_option("--vk-out", keccakf.key_path, "write the verifying key")->type_name("FILE");
    commands.push_back({&keccakf_app, kProving, [&](Session& session) { return run_keccakf(session, keccakf); }});

    ProveOptions prove;
    CLI::App& prove_app = add_command("prove", "prove the traces of a task folder", kProveExamples);
    prove_app.add_option("--task", prove.task_path, "the task folder")->type_name("DIR")->required();
    prove_app.add_option("-o,--out", prove.proof_path, "write the proof")->type_name("FILE")->required();
    prove_app.add_flag("--check", prove.is_checked_first, "check constraints and buses first");
    prove_app.add_flag("--verify,!--no-verify", prove.is_verified,
                       "verify the proof before it is written (on unless --no-verify)");
    commands.push_back({&prove_app, kProvingWithJson, [&](Session& session) { return run_prove(session, prove); }});

    VerifyOptions verify;
    CLI::App& verify_app = add_command("verify", "verify a proof, or many under one key", kVerifyExamples);
    verify_app.add_option("--vk", verify.key_path, "the verifying key")->type_name("FILE")->required();
    CLI::Option* proof = verify_app.add_option("--proof", verify.proof_path, "the proof")->type_name("FILE");
    verify_app.add_option("--batch", verify.batch_path, "a list of proofs, a path a line")
        ->type_name("FILE")
        ->excludes(proof);
    verify_app.add_option("--expect", verify.expect_path, "what the proof must be about: a JSON file")
        ->type_name("FILE");
    verify_app
        .add_option("--public-values", verify.public_values,
                    "the public values that an AIR must have; may be given for several AIRs")
        ->type_name("AIR=V,V,...")
        ->allow_extra_args(false);
    verify_app.add_flag("--no-other-airs", verify.has_no_other_airs,
                        "reject proofs in which an AIR has a trace that neither --expect nor --public-values names");
    verify_app
        .add_option("--min-security", verify.min_security_bits,
                    "reject keys with fewer bits of security; if left out, what --expect says, or a warning below 100")
        ->type_name("BITS")
        ->check(in_range(0.0, 1000.0));
    verify_app.add_option("--threads", verify.num_threads, "how many threads open the queries of a proof")
        ->type_name("N")
        ->check(in_range(1, 1024))
        ->capture_default_str();
    verify_app.add_option("--statement-out", verify.statement_path, "write what an accepted proof says, for --expect")
        ->type_name("FILE")
        ->excludes("--batch");
    verify_app.callback([&verify] {
        if (verify.proof_path.empty() && verify.batch_path.empty()) throw CLI::RequiredError("--proof or --batch");
    });
    commands.push_back({&verify_app, {.has_spans = true, .has_json = true}, [&](Session& session) {
                            return run_verify(session, verify);
                        }});

    CheckOptions check;
    CLI::App& check_app = add_command("check", "check a task's traces without proving them", kCheckExamples);
    check_app.add_option("--task", check.task_path, "the task folder")->type_name("DIR")->required();
    commands.push_back({&check_app, {.has_threads = true, .has_spans = true, .has_json = true}, [&](Session& session) {
                            return run_check(session, check);
                        }});

    InspectOptions inspect;
    CLI::App& inspect_app = add_command("inspect", "show what a key and a proof contain", kInspectExamples);
    inspect_app.add_option("--vk", inspect.key_path, "the verifying key")->type_name("FILE")->required();
    inspect_app.add_option("--proof", inspect.proof_path, "a proof")->type_name("FILE");
    commands.push_back({&inspect_app, {.has_spans = true, .has_json = true}, [&](Session& session) {
                            return run_inspect(session, inspect);
                        }});

    KeygenOptions keygen;
    CLI::App& keygen_app = add_command("keygen", "make a key of AIRs that come with whorl", kKeygenExamples);
    keygen_app.add_option("--air", keygen.airs, "an AIR of the key; may be given several times")
        ->type_name("NAME[:SIZE]")
        ->required()
        ->allow_extra_args(false);
    CLI::Option* preset = add_choice<ParamsPreset>(keygen_app, "--params", keygen.preset,
                                                   {{"app-100", ParamsPreset::kApp},
                                                    {"leaf-100", ParamsPreset::kLeaf},
                                                    {"internal-100", ParamsPreset::kInternal},
                                                    {"root-100", ParamsPreset::kRoot},
                                                    {"hook-100", ParamsPreset::kHook},
                                                    {"test", ParamsPreset::kTest}},
                                                   "a preset of 100 bits, or test: fast and weak");
    keygen_app.add_option("--log-stacked-height", keygen.log_stacked_height, "of app-100: log2 of the stacked height")
        ->type_name("H")
        ->check(in_range(kMinAppLogStackedHeight, kMaxAppLogStackedHeight))
        ->capture_default_str();
    keygen_app.add_option("--params-file", keygen.params_path, "take the parameters from a JSON file")
        ->type_name("FILE")
        ->excludes(preset)
        ->excludes("--log-stacked-height");
    keygen_app.add_option("-o,--out", keygen.out_folder, "the folder to write")->type_name("DIR")->required();
    keygen_app.add_flag("--force", keygen.is_forced, "replace a key and preprocessed columns that are there");
    commands.push_back({&keygen_app, {.has_spans = true, .has_json = true}, [&](Session& session) {
                            return run_keygen(session, keygen);
                        }});

    CommitOptions commit;
    CLI::App& commit_app = add_command("commit", "print the commitments of columns", kCommitExamples);
    CLI::Option* commit_task =
        commit_app.add_option("--task", commit.task_path, "a task folder: its cached and preprocessed parts");
    commit_task->type_name("DIR");
    CLI::Option* commit_key =
        commit_app.add_option("--vk", commit.key_path, "the key whose parameters the matrix is committed with");
    commit_key->type_name("FILE")->excludes(commit_task);
    CLI::Option* matrix = commit_app.add_option("--matrix", commit.matrix_path, "the columns of a matrix");
    matrix->type_name("FILE")->needs(commit_key);
    CLI::Option* width = commit_app.add_option("--width", commit.width, "how many columns the matrix has");
    width->type_name("N")->needs(matrix)->check(in_range(1U, 1U << 20));
    matrix->needs(width);
    commit_key->needs(matrix);
    commit_app.callback([&commit] {
        if (commit.task_path.empty() && commit.matrix_path.empty()) throw CLI::RequiredError("--task or --matrix");
    });
    commands.push_back({&commit_app, kProvingWithJson, [&](Session& session) { return run_commit(session, commit); }});

    TaskInitOptions task_init;
    CLI::App& task_app = add_command("task", "make task folders", kTaskExamples);
    task_app.require_subcommand(1);
    CLI::App& init_app = *task_app.add_subcommand("init", "lay out a task folder for a key");
    init_app.footer(kTaskInitExamples);
    init_app.add_option("folder", task_init.folder, "the task folder")->type_name("DIR")->required();
    init_app.add_option("--vk", task_init.key_path, "the verifying key, which is copied there")
        ->type_name("FILE")
        ->required();
    init_app.add_option("--name", task_init.name, "of the task; if left out, the folder's")->type_name("NAME");
    init_app.add_option("--height", task_init.heights, "rows of an AIR's trace; may be given for several AIRs")
        ->type_name("AIR=ROWS")
        ->allow_extra_args(false);
    init_app.add_option("--public-values", task_init.public_values, "of an AIR; may be given for several AIRs")
        ->type_name("AIR=V,V,...")
        ->allow_extra_args(false);
    init_app.add_option("--air-name", task_init.air_names, "name of an AIR; may be given for several AIRs")
        ->type_name("AIR=NAME")
        ->allow_extra_args(false);
    init_app.add_option("--absent", task_init.absent_airs, "an AIR that has no trace; may be given for several AIRs")
        ->type_name("AIR")
        ->check(in_range(0U, std::numeric_limits<std::uint32_t>::max()))
        ->allow_extra_args(false);
    init_app.add_flag("--force", task_init.is_forced, "replace a task.json or vk.postcard that is there");
    commands.push_back(
        {&init_app, {.has_json = true}, [&](Session& session) { return run_task_init(session, task_init); }});

    ParamsOptions params;
    CLI::App& params_app =
        add_command("params", "list parameters for AIRs and heights, with what they cost", kParamsExamples);
    CLI::Option* params_task = params_app.add_option("--task", params.task_path, "a task folder: its AIRs and heights");
    params_task->type_name("DIR");
    CLI::Option* params_key = params_app.add_option("--vk", params.key_path, "a key: its AIRs, with any parameters");
    params_key->type_name("FILE")->excludes(params_task);
    params_app.add_option("--height", params.heights, "rows of an AIR's trace; may be given for several AIRs")
        ->type_name("AIR=ROWS")
        ->allow_extra_args(false)
        ->needs(params_key);
    params_app.add_option("--security", params.security_bits, "at least so many bits")
        ->type_name("BITS")
        ->check(in_range(1.0, kMaxSecurityBits))
        ->capture_default_str();
    add_choice<ParamsGoal>(
        params_app, "--goal", params.goal,
        {{"balanced", ParamsGoal::kBalanced}, {"fast", ParamsGoal::kFastProver}, {"small", ParamsGoal::kSmallProof}},
        "a small proof with at most a tenth more time than the fastest; the fastest; the smallest");
    params_app.add_option("-o,--out", params.params_path, "write the chosen parameters, for keygen --params-file")
        ->type_name("FILE");
    params_app.callback([&params] {
        if (params.task_path.empty() && params.heights.empty())
            throw CLI::RequiredError("--task, or --vk with --height,");
    });
    commands.push_back({&params_app, {.has_spans = true, .has_json = true}, [&](Session& session) {
                            return run_params(session, params);
                        }});

    PlanOptions plan;
    CLI::App& plan_app = add_command("plan", "show the memory that a proof takes", kPlanExamples);
    plan_app.add_option("--task", plan.task_path, "the task folder")->type_name("DIR")->required();
    commands.push_back({&plan_app, kProvingWithJson, [&](Session& session) { return run_plan(session, plan); }});

    CLI::App& devices_app = add_command("devices", "list the devices, and why one cannot be used", kDevicesExamples);
    commands.push_back({&devices_app, {.has_json = true}, [](Session& session) { return run_devices(session); }});

#ifdef WHORL_HAS_DOCTOR
    CLI::App& doctor_app = add_command("doctor", "describe a device and test every kernel on it", kDoctorExamples);
    commands.push_back({&doctor_app,
                        {.has_device = true, .has_threads = true, .has_spans = true, .has_json = true},
                        [](Session& session) { return run_doctor(session); }});
#endif

    BenchOptions bench;
    CLI::App& bench_app =
        add_command("bench", "time proofs: of benchmarks, of a block's shapes, of a task", kBenchExamples);
    add_choice<std::string>(
        bench_app, "workload", bench.workload,
        {{"keccakf", "keccakf"}, {"logup", "logup"}, {"all", "all"}, {"segment", "segment"}, {"shape", "shape"}},
        "what to prove: keccakf and logup are the reference's benchmarks, all is both; segment has the "
        "shape of a proof of a real Ethereum block; shape is AIRs alike of any size");
    bench_app.add_option("--task", bench.task_path, "prove a task folder")->type_name("DIR")->excludes("workload");
    bench_app.add_option("--permutations", bench.num_permutations, "of keccakf")
        ->type_name("N")
        ->check(in_range(std::size_t{1}, kMaxPermutations))
        ->capture_default_str();
    bench_app
        .add_option("--log-height", bench.log_height,
                    "of logup and shape: log2 of the rows of each AIR; if left out, 17 and 14")
        ->type_name("N")
        ->check(in_range(0U, kLogupLogStackedHeight));
    const auto add_shape = [&bench_app](const char* name, std::uint32_t& value, std::uint32_t least, std::uint32_t most,
                                        const char* about) {
        bench_app.add_option(name, value, about)->type_name("N")->check(in_range(least, most))->capture_default_str();
    };
    add_shape("--num-airs", bench.shape.num_airs, 1, 1000, "of shape: how many AIRs");
    add_shape("--num-columns", bench.shape.num_columns, 2, 100000, "of shape: columns of each AIR");
    add_shape("--num-constraints", bench.shape.num_constraints, 0, 100000, "of shape: constraints of each AIR");
    add_shape("--num-interactions", bench.shape.num_interactions, 0, 10000, "of shape: interactions of each AIR");
    add_shape("--seed", bench.shape.seed, 0, 0xFFFFFFFF, "of shape: the columns are drawn from it");
    add_shape("--num-buses", bench.shape.num_buses, 1, 65536, "of shape: buses, on which interactions are in turn");
    bench_app
        .add_option("--proof", bench.proof,
                    "of segment: which of the block's proofs; 0 to 148 are of the program, 149 to 208 of other proofs")
        ->type_name("N")
        ->check(in_range(std::size_t{0}, block_proofs().size() - 1))
        ->capture_default_str();
    bench_app.add_option("--scale", bench.segment.scale, "of segment: heights are divided by 2^K")
        ->type_name("K")
        ->check(in_range(0U, kMaxBlockScale))
        ->capture_default_str();
    bench_app
        .add_option(
            "--log-stacked-height", bench.segment.log_stacked_height,
            "of segment and shape: log2 of the stacked height; if left out, that of the block divided by 2^K, or what "
            "makes some 64 stacked columns")
        ->type_name("H")
        ->check(in_range(kMinAppLogStackedHeight, kMaxAppLogStackedHeight));
    CLI::Option* task_out =
        bench_app.add_option("--task-out", bench.task_out_path,
                             "write the workload as a task folder, for other programs, and prove nothing");
    task_out->type_name("DIR")->excludes("--task");
    bench_app.callback([&bench, &bench_app] {
        const std::string workload = bench.task_path.empty() ? bench.workload : "--task";
        for (const auto& [names, owners] : kBenchOptionsOf) {
            for (const std::string_view name : names) {
                if (bench_app.get_option(std::string(name))->count() == 0) continue;
                if (std::ranges::find(owners, workload) != owners.end()) continue;
                std::vector<std::string_view> single = owners;
                std::erase(single, "all");  // both others are named
                throw CLI::ValidationError(
                    std::string(name), fmt::format("an option of {}, found {}", fmt::join(single, " and "), workload));
            }
        }
        if (!bench.task_out_path.empty() && bench.workload == "all") {
            throw CLI::RequiredError("one workload, not all, for --task-out,");
        }
    });
    bench_app.add_option("--runs", bench.num_runs, "how many proofs of each")
        ->type_name("N")
        ->check(in_range(1, 100'000))
        ->capture_default_str();
    bench_app.add_option("--warmups", bench.num_warmups, "proofs before those that count")
        ->type_name("N")
        ->check(in_range(0, 1000))
        ->capture_default_str();
    bench_app
        .add_option("--instruction-set", bench.instruction_set,
                    "which the CPU's kernels use, of those that whorl --version names; if left out, the first")
        ->type_name("NAME")
        ->check(CLI::Validator(
            [](std::string& name) {
                const std::vector<std::string> names = usable_instruction_sets();
                if (std::ranges::find(names, name) != names.end()) return std::string();
                return fmt::format("expected one of \"{}\", found \"{}\"", fmt::join(names, "\", \""), name);
            },
            ""));
    bench_app.add_option("--beside", bench.beside_path, "show the spans beside those of earlier results")
        ->type_name("FILE");
    commands.push_back({&bench_app, kProving, [&](Session& session) { return run_bench(session, bench); }});

    TextOptions completions;
    enum class Shell : std::uint8_t { kBash, kZsh, kFish };
    Shell shell = Shell::kBash;
    CLI::App& completions_app =
        add_command("completions", "print a script that completes the command line", kCompletionsExamples);
    add_choice<Shell>(completions_app, "shell", shell,
                      {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}}, "whose script")
        ->required()
        ->default_str("");
    completions_app.add_option("-o,--out", completions.path, "write a file")->type_name("FILE")->capture_default_str();
    commands.push_back({&completions_app, {}, [&](Session& session) {
                            const CommandInfo table = command_table(app);
                            return run_text(session, completions,
                                            shell == Shell::kBash  ? bash_completions(table)
                                            : shell == Shell::kZsh ? zsh_completions(table)
                                                                   : fish_completions(table));
                        }});

    TextOptions man;
    CLI::App& man_app = add_command("man", "print the manual page", kManExamples);
    man_app.add_option("-o,--out", man.path, "write a file")->type_name("FILE")->capture_default_str();
    commands.push_back(
        {&man_app, {}, [&](Session& session) { return run_text(session, man, manual_page(command_table(app))); }});

    std::vector<CommonOptions> common(commands.size());
    std::vector<std::string> names{"help"};
    for (std::size_t i = 0; i < commands.size(); ++i) {
        add_common_options(*commands[i].app, common[i], commands[i].common);
    }
    for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && arguments[0] == "help") {  // `help COMMAND` is `COMMAND --help`
        arguments.erase(arguments.begin());
        arguments.emplace_back("--help");
    }
    if (!arguments.empty() && !arguments[0].starts_with('-') && std::ranges::find(names, arguments[0]) == names.end()) {
        // Only a build without the command comes here with it.
        const std::string hint = arguments[0] == "doctor" ? " in this build (configure with -DWHORL_DOCTOR=ON)"
                                                          : did_you_mean(arguments[0], names);
        put(stderr, fmt::format("whorl: no command \"{}\"{}\nRun with --help for more information.\n",
                                printable(arguments[0]), hint));
        return kExitUsage;
    }
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::RequiredError& error) {
        // What is there and unknown is the likelier mistake than what is missing.
        return app.remaining_size(true) == 0 ? answer(app, error) : refuse_unknown(app);
    } catch (const CLI::ExtrasError&) {
        return refuse_unknown(app);
    } catch (const CLI::ArgumentMismatch& error) {
        put_message(fmt::format("whorl: {}\nRun with --help for more information.\n", mismatch_text(error.what())));
        return kExitUsage;
    } catch (const CLI::ParseError& error) {
        return answer(app, error);
    }
    for (std::size_t i = 0; i < commands.size(); ++i) {
        if (!commands[i].app->parsed()) continue;
        // An empty name must not pass for an option that was left out: a script's unset variable would skip a check.
        for (const CLI::Option* option : commands[i].app->get_options()) {
            if (option->get_items_expected_max() == 0 || std::ranges::count(option->results(), "") == 0) continue;
            put_message(fmt::format("whorl: {}: expected a value, found an empty one\n", option->get_name()));
            return kExitUsage;
        }
        return run_command(commands[i], common[i]);
    }
    return kExitUsage;
}

}  // namespace

int run_program(int argc, char** argv) {
    prepare_process();
    try {
        return parse_and_run(argc, argv);
    } catch (const std::bad_alloc&) {
        std::fputs("whorl: error: out of memory\n", stderr);
    } catch (const std::exception& exception) {
        put(stderr, fmt::format("whorl: internal error: {}\n", printable(exception.what())));
    }
    return kExitMachine;
}

}  // namespace whorl
