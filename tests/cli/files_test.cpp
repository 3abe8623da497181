// Files that are not what they should be: pipes, devices, links, names; outputs that are inputs; streams that are full or
// closed; signals.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include <whorl/task.hpp>

#include "cli/process.hpp"
#include "cli/program.hpp"
#include "engine/files.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kPatience = std::chrono::seconds(20);  // of a loaded machine; without a fix the wait has no end

/// As run_whorl, through a shell: for what only a shell sets up. Ended after a minute.
Outcome run_shell(const std::string& script) {
    return run_command({"/bin/sh", "-c", std::string("WHORL='") + WHORL_PROGRAM + "'; " + script});
}

Outcome run_in_time(std::vector<std::string> arguments) {
    const auto start = std::chrono::steady_clock::now();
    arguments.insert(arguments.begin(), {"/usr/bin/timeout", "60", WHORL_PROGRAM});
    const Outcome outcome = run_command(std::move(arguments));
    EXPECT_LT(std::chrono::steady_clock::now() - start, kPatience);
    return outcome;
}

class OddFile : public testing::Test {
protected:
    std::vector<std::string> prove() const {
        return {"prove", "--task", task.string(), "--out", scratch / "proof.bin"};
    }
    std::string in_task(const char* name) const { return (task / name).string(); }
    std::vector<std::string> verify(const std::string& key, const std::string& proof) const {
        return {"verify", "--min-security", "0", "--vk", key, "--proof", proof};
    }
    Scratch scratch;
    fs::path task = scratch.copy_of("preprocessed_and_cached");
};

TEST_F(OddFile, OfATaskThatIsAPipeOrADeviceIsRefusedAtOnce) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(task)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("air") || name == "task.json" || name == "vk.postcard") names.push_back(name);
    }
    ASSERT_GE(names.size(), 5U);
    for (const std::string& name : names) {
        const std::string before = read_text(task / name);
        for (const bool is_pipe : {true, false}) {
            fs::remove(task / name);
            if (is_pipe) {
                ASSERT_EQ(::mkfifo((task / name).c_str(), 0600), 0);
            } else {
                fs::create_symlink("/dev/zero", task / name);
            }
            const Outcome outcome = run_in_time(prove());
            EXPECT_EQ(outcome.exit_code, 2) << name << outcome;
            EXPECT_THAT(outcome.err, HasSubstr(name + ": not a regular file"));
        }
        fs::remove(task / name);
        write_text(task / name, before);
    }
}

TEST_F(OddFile, ThatIsTooLongIsRefusedBeforeItIsRead) {
    const std::string proof = in_task("proof.bin");
    const std::string sparse = scratch / "sparse";
    write_text(sparse, "x");
    fs::resize_file(sparse, std::uintmax_t{1} << 36);  // more than any memory, if it were read
    for (const std::vector<std::string>& arguments : {verify(sparse, proof),
                                                      verify(in_task("vk.postcard"), sparse),
                                                      {"inspect", "--vk", sparse},
                                                      {"inspect", "--vk", in_task("vk.postcard"), "--proof", sparse},
                                                      {"keccakf", "--inputs", sparse},
                                                      {"bench", "--beside", sparse}}) {
        const Outcome outcome = run_in_time(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("sparse has 68719476736 bytes, "));
    }
    fs::resize_file(task / "task.json", std::uintmax_t{1} << 36);
    EXPECT_THAT(run_in_time(prove()).err, HasSubstr("task.json has 68719476736 bytes, task.json has at most 16777216"));
}

TEST_F(OddFile, WithoutEndIsReadUpToItsLimit) {
    for (const std::vector<std::string>& arguments :
         {verify("/dev/zero", in_task("proof.bin")),
          verify(in_task("vk.postcard"), "/dev/zero"),
          {"keccakf", "--inputs", "/dev/zero"},
          {"bench", "--beside", "/dev/zero"},
          {"verify", "--vk", in_task("vk.postcard"), "--batch", "/dev/zero"}}) {
        const Outcome outcome = run_in_time(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("/dev/zero"));
        EXPECT_THAT(outcome.err, HasSubstr("more than"));
    }
}

TEST_F(OddFile, ThatIsAPipeWithoutWriterIsAnError) {
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    const Outcome outcome = run_in_time(verify(scratch / "pipe", in_task("proof.bin")));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("pipe: nobody writes to this pipe"));
}

TEST_F(OddFile, ThatIsAPipeWithAWriterIsRead) {
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    const Outcome outcome = run_shell("(sleep 1; cat " + in_task("vk.postcard") + ") > " + (scratch / "pipe") +
                                      " & timeout 60 $WHORL verify --min-security 0 --quiet --vk " +
                                      (scratch / "pipe") + " --proof " + in_task("proof.bin"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
}

TEST_F(OddFile, ThatIsAPipeWithoutReaderIsAnError) {
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    const Outcome outcome = run_in_time({"prove", "--quiet", "--task", task.string(), "--out", scratch / "pipe"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("pipe: nobody reads from this pipe"));
}

TEST_F(OddFile, ThatIsAPipeWithAReaderIsWritten) {
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    const Outcome outcome = run_shell("(sleep 1; cmp " + (scratch / "pipe") + " " + in_task("proof.bin") +
                                      ") & timeout 60 $WHORL prove --quiet --task " + task.string() + " --out " +
                                      (scratch / "pipe") + " && wait $!");
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
}

TEST_F(OddFile, NamesWithNulBytesAreRefused) {
    json document = json::parse(read_text(task / "task.json"));
    document["vk"] = std::string("vk.postcard\0x", 13);
    write_text(task / "task.json", document.dump());
    const Outcome outcome = run_whorl(prove());
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("task.json/vk is \"vk.postcard\\x00x\", which is not the name of a file"));

    const Result<std::vector<std::byte>> read = read_file(fs::path(std::string("/dev/null\0x", 11)), kKeyLimit);
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, HasSubstr("no NUL byte"));
    EXPECT_FALSE(write_file(fs::path((scratch / "new") + std::string("\0x", 2)), "x"));
    EXPECT_FALSE(fs::exists(scratch / "new"));
}

TEST_F(OddFile, NamesAreShownWithoutControlCharacters) {
    const std::string name = "\x1b[31mred\n\xff";
    for (const std::vector<std::string>& arguments : {verify(name, "x"),
                                                      {"prove", "--task", name, "--out", name},
                                                      {"keccakf", "--out", name + "/x"},
                                                      {name},
                                                      {"verify", "--" + name},
                                                      {"keccakf", "--device", name},
                                                      {"keccakf", "--dispatch", name},
                                                      {"bench", name},
                                                      {"keccakf", "--permutations", name}}) {
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome;
        EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos) << outcome;
        EXPECT_EQ(outcome.err.find('\xff'), std::string::npos) << outcome;
    }
    // Names inside files.
    json document = json::parse(read_text(task / "task.json"));
    document["name"] = "\x1b[31mevil\nwhorl verify: accepted";
    document["airs"][0]["name"] = "\x1b[31mevil\nair";
    write_text(task / "task.json", document.dump());
    const Outcome satisfied = run_whorl({"check", "--task", task});
    EXPECT_EQ(satisfied.exit_code, 0) << satisfied;
    EXPECT_THAT(satisfied.out, StartsWith("\\x1b[31mevil\\x0awhorl verify: accepted is satisfied"));
    std::string trace = read_text(task / "air0_main.bin");
    trace[8] = static_cast<char>(trace[8] ^ 1);
    write_text(task / "air0_main.bin", trace);
    const Outcome broken = run_whorl({"check", "--task", task});
    EXPECT_EQ(broken.exit_code, 1) << broken;
    EXPECT_THAT(broken.out, HasSubstr("\\x1b[31mevil\\x0aair"));
    EXPECT_EQ(broken.out.find('\x1b'), std::string::npos);
}

TEST_F(OddFile, ListsMayHaveCarriageReturns) {
    const std::string proof = in_task("proof.bin");
    const Outcome outcome =
        run_whorl({"verify", "--min-security", "0", "--vk", in_task("vk.postcard"), "--batch", "-", "--quiet"},
                  proof + "\r\n" + proof + "\n" + proof + std::string("\0x\r\n", 4) + proof + "\r");
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, StartsWith("accepted\naccepted\nunreadable file.read: "));
    EXPECT_THAT(outcome.out, HasSubstr("no NUL byte\naccepted\n"));
}

TEST_F(OddFile, OfATaskIsNeverReplacedByAnOutput) {
    const std::string key = in_task("vk.postcard");
    fs::create_hard_link(task / "air0_main.bin", scratch / "hard");
    fs::create_symlink(task / "task.json", scratch / "soft");
    fs::create_directory_symlink(task, scratch / "elsewhere");
    for (const std::string& path :
         {key, in_task("task.json"), in_task("air0_main.bin"), in_task("air0_preprocessed.bin"), scratch / "hard",
          scratch / "soft", scratch / "elsewhere/vk.postcard", in_task("./../preprocessed_and_cached/vk.postcard")}) {
        if (!fs::exists(path)) continue;
        const std::string before = read_text(path);
        std::vector<std::string> as_out = prove();
        as_out.back() = path;
        std::vector<std::vector<std::string>> commands{as_out};
        for (const char* option : {"--metrics", "--timeline"}) {
            commands.push_back(prove());
            commands.back().insert(commands.back().end(), {option, path});
            commands.push_back({"check", "--task", task.string(), option, path});
            commands.push_back({"plan", "--task", task.string(), "--device", "sim", option, path});
            commands.push_back({"verify", "--vk", key, "--proof", in_task("proof.bin"), option, key});
            commands.push_back({"verify", "--vk", key, "--proof", in_task("proof.bin"), "--statement-out", key});
        }
        for (const std::vector<std::string>& command : commands) {
            const Outcome outcome = run_whorl(command);
            EXPECT_EQ(outcome.exit_code, 2) << testing::PrintToString(command) << outcome;
            EXPECT_THAT(outcome.err, HasSubstr(" is the file of --"));
        }
        EXPECT_EQ(read_text(path), before) << path;
    }
    // The proof of a task may lie beside it, and be replaced.
    std::vector<std::string> beside = prove();
    beside.back() = in_task("proof.bin");
    const std::string proof = read_text(task / "proof.bin");
    EXPECT_EQ(run_whorl(beside).exit_code, 0);
    EXPECT_EQ(read_text(task / "proof.bin"), proof);
}

TEST_F(OddFile, OfAStandardStreamIsNotReplacedByAnOutput) {
    const std::string metrics = " --metrics " + (scratch / "x");
    const std::string inspect = "$WHORL inspect --vk " + in_task("vk.postcard") + metrics;
    for (const std::string& script : {inspect + " > " + (scratch / "x"), inspect + " 2> " + (scratch / "x"),
                                      "echo none > " + (scratch / "x") + "; $WHORL verify --vk " +
                                          in_task("vk.postcard") + metrics + " --batch - < " + (scratch / "x")}) {
        EXPECT_EQ(run_shell(script).exit_code, 2) << script;
    }
    EXPECT_EQ(
        run_whorl({"inspect", "--vk", in_task("vk.postcard"), "--metrics", "/dev/null", "--timeline", "/dev/null"})
            .exit_code,
        0);
}

TEST_F(OddFile, OneOutputUnderTwoNamesIsRefused) {
    const std::string folder = scratch / "new";
    fs::create_directory(folder);
    fs::create_symlink("target", fs::path(folder) / "dangling");
    // A relative name, an absolute one, and a link to a file that is not there yet.
    for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
             {"out", "./out"}, {"out", folder + "/out"}, {"target", "dangling"}, {"dangling", "target"}}) {
        const Outcome outcome = run_shell("cd '" + folder + "' && exec \"$WHORL\" prove --task '" + task.string() +
                                          "' --out " + first + " --metrics '" + second + "' -q");
        EXPECT_EQ(outcome.exit_code, 2) << first << ' ' << second << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("is the file of --out too"));
    }
}

TEST_F(OddFile, ALinkToAFileThatIsNotThereYetStaysALink) {
    const fs::path link = scratch / "link";
    fs::create_symlink("target", link);
    const Outcome outcome = run_whorl({"prove", "--task", task.string(), "--out", link.string(), "-q"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_TRUE(fs::is_regular_file(fs::path(scratch / "target")));
}

TEST_F(OddFile, ALinkToAnOpenFileWithoutANameIsWrittenThrough) {
    const Outcome outcome =
        run_shell("cd '" + (scratch / "") +
                  "' && ln -s /proc/self/fd/7 link && exec 7<>gone && rm gone && \"$WHORL\" prove --task '" +
                  task.string() + "' --out link -q && test -L link && test -s /proc/self/fd/7");
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
}

TEST_F(OddFile, ProofsOfAListAreNotReplacedByAnOutput) {
    const std::string proof = scratch / "proof.bin";
    fs::copy_file(task / "proof.bin", proof);
    write_text(scratch / "list", proof + "\n");
    const Outcome outcome =
        run_whorl({"verify", "--vk", in_task("vk.postcard"), "--batch", scratch / "list", "--metrics", proof, "-q"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_EQ(read_text(proof), read_text(task / "proof.bin"));
}

TEST_F(OddFile, QuietResultsAreNotReplacedByMetrics) {
    const std::string log = scratch / "log";
    write_text(log, "before\n");
    const Outcome outcome = run_shell("exec \"$WHORL\" inspect --vk '" + in_task("vk.postcard") + "' -q --metrics '" +
                                      log + "' >>'" + log + "'");
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(read_text(log), StartsWith("before\n"));
}

TEST_F(OddFile, AnOutputLosesSetIdBits) {
    const std::string out = scratch / "out";
    write_text(out, "old");
    ASSERT_EQ(::chmod(out.c_str(), 06755), 0);
    EXPECT_EQ(run_whorl({"prove", "--task", task.string(), "--out", out, "-q"}).exit_code, 0);
    struct stat status{};
    ASSERT_EQ(::stat(out.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0755U);
}

TEST_F(OddFile, NamesOfAirsForgeNoLines) {
    json document = json::parse(read_text(task / "task.json"));
    document["airs"][0]["name"] = "X\nwhorl check: accepted";
    document["airs"][0]["height"] = 1 << 20;
    write_text(task / "task.json", document.dump());
    const Outcome outcome = run_whorl({"check", "--task", task.string()});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, testing::Not(HasSubstr("\nwhorl check: accepted")));
}

TEST_F(OddFile, BytesAfterANulAreNotIgnored) {
    write_text(task / "task.json", read_text(task / "task.json") + std::string("\0garbage{{{", 11));
    const Outcome outcome = run_whorl({"check", "--task", task.string()});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("is NUL"));
}

TEST_F(OddFile, StreamsThatAreFullOrClosedChangeNoExitCodeOfAnError) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    const std::string missing = "$WHORL verify --vk " + in_task("vk.postcard") + " --proof " + (scratch / "none");
    for (const char* streams : {" 2>/dev/full", " 2>&-", " >&- 2>&-", " >&- 2>&- <&-", " >/dev/full 2>/dev/full"}) {
        EXPECT_EQ(run_shell(missing + streams).exit_code, 2) << streams;
        EXPECT_EQ(run_shell("$WHORL frobnicate" + std::string(streams)).exit_code, 2) << streams;
        EXPECT_EQ(run_shell("$WHORL prove --frob" + std::string(streams)).exit_code, 2) << streams;
    }
    // What was asked for cannot be printed: an error, for help too.
    for (const char* command : {"--help", "prove --help", "--version", "devices"}) {
        for (const char* stream : {" >/dev/full", " >&-"}) {
            EXPECT_EQ(run_shell("$WHORL " + std::string(command) + stream).exit_code, 2) << command << stream;
        }
    }
}

TEST_F(OddFile, NoneThatIsOpenedBecomesAStandardStream) {
    // With its number free, the proof would be written to the file that is opened as descriptor 1 or 2.
    const std::string proof = read_text(task / "proof.bin");
    const Outcome outcome = run_shell("$WHORL prove --task " + task.string() + " --out " + (scratch / "p") +
                                      " --metrics " + (scratch / "m") + " <&- >&- 2>&-");
    EXPECT_EQ(outcome.exit_code, 2) << "the line that tells of the proof has no place";
    EXPECT_EQ(read_text(scratch / "p"), proof);
    EXPECT_TRUE(json::accept(read_text(scratch / "m")));
    for (const auto& entry : fs::directory_iterator(task)) {
        EXPECT_EQ(read_text(entry.path()),
                  read_text(vector_folder("preprocessed_and_cached") / entry.path().filename()));
    }
}

TEST_F(OddFile, SizeLimitsAreErrorsAndNoCrash) {
    const Outcome outcome =
        run_shell("ulimit -f 1; $WHORL prove --quiet --task " + task.string() + " --out " + (scratch / "p"));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_FALSE(fs::exists(scratch / "p"));
}

TEST(Files, TemporaryOnesAreRemovedWhenASignalEndsTheProgram) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        const Scratch scratch;
        const pid_t pid = ::fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            ::signal(signal, SIG_DFL);
            cli::prepare_process();
            const std::vector<std::byte> bytes(std::size_t{1} << 25);
            while (true) {
                if (!write_file(scratch / "file", bytes)) ::_exit(1);
            }
        }
        const auto has_temporary = [&] {
            for (const std::string& name : scratch.file_names()) {
                if (name.ends_with(".tmp")) return true;
            }
            return false;
        };
        const auto start = std::chrono::steady_clock::now();
        while (!has_temporary() && std::chrono::steady_clock::now() - start < kPatience) std::this_thread::yield();
        EXPECT_TRUE(has_temporary());
        ::kill(pid, signal);
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_TRUE(WIFSIGNALED(status));
        EXPECT_EQ(WTERMSIG(status), signal) << "ended as signals end programs";
        EXPECT_FALSE(has_temporary()) << testing::PrintToString(scratch.file_names());
    }
}

TEST(Files, ThatBelongTogetherAreReplacedTogetherWhenASignalEndsTheProgram) {
    const Scratch scratch;
    for (int round = 0; round < 30; ++round) {
        const pid_t pid = ::fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            ::signal(SIGTERM, SIG_DFL);
            cli::prepare_process();
            for (std::uint64_t number = 0;; ++number) {
                const auto bytes = std::as_bytes(std::span(&number, 1));
                const FileContent files[] = {{scratch / "first", bytes}, {scratch / "second", bytes}};
                if (!write_files(files)) ::_exit(1);
            }
        }
        // From before the first pair to many pairs.
        std::this_thread::sleep_for(std::chrono::microseconds(700 * round));
        ::kill(pid, SIGTERM);
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_TRUE(WIFSIGNALED(status));
        EXPECT_EQ(fs::exists(scratch / "first"), fs::exists(scratch / "second"));
        if (fs::exists(scratch / "first")) {
            EXPECT_EQ(read_text(scratch / "first"), read_text(scratch / "second")) << "round " << round;
        }
        for (const std::string& name : scratch.file_names()) EXPECT_FALSE(name.ends_with(".tmp")) << name;
    }
}

TEST(Files, ThatBelongTogetherStayAsTheyWereWhereOneCannotBeWritten) {
    const Scratch scratch;
    write_text(scratch / "first", "old");
    const auto bytes = std::as_bytes(std::span("new", 3));
    const FileContent files[] = {{scratch / "first", bytes}, {scratch / "missing/second", bytes}};
    EXPECT_FALSE(write_files(files));
    EXPECT_EQ(read_text(scratch / "first"), "old");
    EXPECT_THAT(scratch.file_names(), ElementsAre("first"));
}

TEST(Files, LinesAreReadHoweverTheyAreCut) {
    const Scratch scratch;
    const std::string longest(LineReader::kMaxLineBytes - 10, 'x');
    const auto lines_of = [&](const std::string& text) {
        write_text(scratch / "list", text);
        const Result<Descriptor> file = open_for_reading(scratch / "list", FileKind::kAny);
        EXPECT_TRUE(file);
        LineReader reader(file->get(), "list");
        std::vector<std::string> lines;
        while (true) {
            const Result<std::optional<std::string>> line = reader.next();
            if (!line) {
                lines.push_back("error: " + line.error().message);
                return lines;
            }
            if (!line->has_value()) return lines;
            lines.push_back(**line);
        }
    };
    EXPECT_THAT(lines_of(""), testing::IsEmpty());
    EXPECT_THAT(lines_of("a"), ElementsAre("a"));
    EXPECT_THAT(lines_of("a\n\r\n\nb\rc\r\n"), ElementsAre("a", "", "", "b\rc"));
    EXPECT_THAT(lines_of(longest + "\n" + longest + "\nend"), ElementsAre(longest, longest, "end"));
    EXPECT_THAT(lines_of("a\n" + std::string(1 << 20, 'y')),
                ElementsAre("a", StartsWith("error: list: line 2 has more than 65536 bytes")));
}

}  // namespace
}  // namespace whorl::test
