// Small things that the reject suites share.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <whorl/verify.hpp>

#include "vectors.hpp"

namespace whorl::test {

/// The vectors whose proofs take about a millisecond or less to verify.
inline const std::vector<std::string> kSmallVectors = {
    "cached",  "fib_2e5",      "fib_height_1",     "fib_three_airs_one_absent", "interactions",
    "mixture", "preprocessed", "mixture_l_skip_5", "preprocessed_and_cached",   "self_interactions",
};

/// What decode and verify say of proof bytes: "accept", "decode-error" or the kind of the rejection.
inline std::string verdict(const VerifyingKey& key, std::span<const std::byte> bytes) {
    const auto proof = decode_proof(bytes);
    if (!proof) return "decode-error";
    const auto verified = verify(key, *proof);
    return verified ? "accept" : std::string(name(verified.error().kind));
}

/// `proof` without the trace of an AIR, or where it has none with one of a single row; public values to match.
inline Proof with_air_dropped_or_added(const VerifyingKey& key, Proof proof, std::size_t air) {
    if (proof.trace_vdata[air]) {
        proof.trace_vdata[air].reset();
        proof.public_values[air].clear();
    } else {
        proof.trace_vdata[air] = TraceVData{0, {}};
        proof.public_values[air].resize(key.airs[air].num_public_values);
    }
    return proof;
}

/// Calls task(i) for i < count on all cores.
template <class Task>
void for_each_parallel(std::size_t count, Task task) {
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> workers;  // Apple's library has no jthread
    for (unsigned t = 0; t < std::max(1U, std::thread::hardware_concurrency()); ++t) {
        workers.emplace_back([&] {
            for (std::size_t i = next++; i < count; i = next++) task(i);
        });
    }
    for (std::thread& worker : workers) worker.join();
}

inline std::uint32_t load_u32(std::span<const std::byte> bytes, std::size_t offset) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(bytes[offset + i]) << (8 * i);
    return value;
}
inline void store_le(std::span<std::byte> bytes, std::size_t offset, std::size_t size, std::uint64_t value) {
    for (std::size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace whorl::test
