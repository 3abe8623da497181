#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/choose_params.hpp>
#include <whorl/task.hpp>

#include "cli/air_values.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "engine/json_values.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

/// The AIRs, and how high their traces are.
struct Circuit {
    VerifyingKey vk;
    std::vector<std::string> air_names;
    std::vector<std::uint64_t> heights;
};

Result<Circuit> circuit_of(Session& session, const ParamsOptions& options) {
    Circuit circuit;
    if (!options.task_path.empty()) {
        Result<Task> task = load_task(options.task_path);
        if (!task) return std::move(task).error();
        circuit.vk = std::move(task->vk);
        circuit.air_names = std::move(task->air_names);
        circuit.heights.resize(circuit.vk.airs.size());
        for (const AirTrace& trace : task->traces) circuit.heights[trace.air_id] = trace.height();
        return circuit;
    }
    Result<VerifyingKey> vk = read_key(session, options.key_path);
    if (!vk) return std::move(vk).error();
    circuit.vk = *std::move(vk);
    std::map<std::size_t, std::uint64_t> heights;
    for (const std::string& text : options.heights) {
        const Result<AirHeight> air = parse_height(text, circuit.vk.airs.size());
        if (!air) return air.error();
        if (auto set = set_once(heights, air->air_id, air->height, "--height"); !set) return set.error();
    }
    circuit.heights.resize(circuit.vk.airs.size());
    for (const auto& [air_id, height] : heights) circuit.heights[air_id] = height;
    return circuit;
}

std::string seconds_text(double seconds) {
    return seconds < 100 ? fmt::format("{:.2f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string_view goal_text(ParamsGoal goal) {
    if (goal == ParamsGoal::kFastProver) return "the fastest prover";
    return goal == ParamsGoal::kSmallProof ? "the smallest proof" : "a small proof, near the least time";
}

std::string choices_text(const std::vector<ParamsChoice>& choices, const ParamsChoice& chosen) {
    Table table({{"", Align::kLeft},
                 {"log_blowup"},
                 {"stacked height"},
                 {"stacked columns"},
                 {"proof"},
                 {"memory"},
                 {"core time"},
                 {"security"}});
    for (const ParamsChoice& choice : choices) {
        table.add({choice == chosen ? "->" : "", fmt::to_string(choice.params.log_blowup),
                   fmt::format("2^{}", choice.params.log_stacked_height()), grouped(choice.num_stacked_columns),
                   human_bytes(choice.proof_bytes), human_bytes(choice.memory_bytes), seconds_text(choice.core_seconds),
                   bits_text(choice.security_bits)});
    }
    return table.text();
}

void write_choice(JsonWriter& json, const ParamsChoice& choice) {
    json.open('{');
    write_params(json, choice.params);
    json.member("security_bits", choice.security_bits);
    json.member("num_stacked_columns", choice.num_stacked_columns);
    json.member("proof_bytes", choice.proof_bytes);
    json.member("memory_bytes", choice.memory_bytes);
    json.member("core_seconds", choice.core_seconds);
    json.close('}');
}

std::string answer_of(const std::vector<ParamsChoice>& choices, const ParamsChoice& chosen) {
    JsonWriter json = begin_answer("params");
    json.key("chosen");
    write_choice(json, chosen);
    json.open("choices", '[');
    for (const ParamsChoice& choice : choices) {
        json.item();
        write_choice(json, choice);
    }
    json.close(']');
    return end_answer(std::move(json));
}

}  // namespace

Result<ExitCode> run_params(Session& session, const ParamsOptions& options) {
    session.claim_input("--vk", options.key_path);
    if (!options.task_path.empty()) {
        if (auto claimed = session.claim_task("--task", options.task_path); !claimed) return claimed.error();
    }
    if (auto claimed = session.claim_output("--out", options.params_path); !claimed) return claimed.error();
    if (auto begun = session.begin(); !begun) return begun.error();
    const Result<Circuit> circuit = circuit_of(session, options);
    if (!circuit) return circuit.error();
    const Result<std::vector<ParamsChoice>> choices =
        list_params(circuit->vk, circuit->heights, options.security_bits, circuit->air_names);
    if (!choices) return choices.error();
    const Result<ParamsChoice> chosen = choose_params(*choices, options.goal);
    if (!chosen) return chosen.error();
    if (!options.params_path.empty()) {
        JsonWriter json(2);
        json.open('{');
        write_params(json, chosen->params);
        if (auto written = session.write(options.params_path, end_answer(std::move(json))); !written) {
            return written.error();
        }
    }
    session.print(
        fmt::format("{}\n-> {}. Memory and time are estimates for the CPU: beside the traces, on one core with AVX2.\n",
                    choices_text(*choices, *chosen), goal_text(options.goal)));
    if (session.is_json()) session.print_exactly(answer_of(*choices, *chosen));
    return kExitOk;
}

}  // namespace whorl::cli
