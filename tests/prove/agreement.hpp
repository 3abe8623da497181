// What must hold of any task whose traces satisfy its key.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include <whorl/check.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/verify.hpp>

#include "prove/bytes.hpp"
#include "prove/poisoned.hpp"
#include "vectors.hpp"

namespace whorl::test {

/// check accepts the traces, CPU and simulated GPU prove them with the same bytes, the bytes read back to the same proof, the
/// verifier accepts it, and the memory of the proof can be planned. Fresh memory is filled differently for each proof.
inline void expect_proved_alike(const VerifyingKey& vk, std::span<const AirTrace> traces) {
    const auto report = check_constraints(vk, traces);
    ASSERT_TRUE(report.has_value()) << to_string(report.error());
    ASSERT_TRUE(report->is_satisfied()) << describe(*report);
    const auto proof = [&] {
        const Poisoned poisoned(0xFF);
        return prove(vk, traces);
    }();
    ASSERT_TRUE(proof.has_value()) << to_string(proof.error());
    const std::vector<std::byte> bytes = *encode_proof(*proof);
    const auto read_back = decode_proof(bytes);
    ASSERT_TRUE(read_back.has_value()) << to_string(read_back.error());
    EXPECT_EQ(*read_back, *proof);
    const auto verdict = verify(vk, *proof);
    EXPECT_TRUE(verdict.has_value()) << to_string(verdict.error());
    const auto on_sim = [&] {
        const Poisoned poisoned(0x5A);
        return prove(vk, traces, {.device = "sim"});
    }();
    ASSERT_TRUE(on_sim.has_value()) << to_string(on_sim.error());
    expect_same_bytes(*encode_proof(*on_sim), bytes);
    const auto plan = plan_memory(vk, traces, {.device = "sim"});
    ASSERT_TRUE(plan.has_value()) << to_string(plan.error());
    EXPECT_GE(plan->arena_bytes, plan->peak_live_bytes);
}

}  // namespace whorl::test
