#!/usr/bin/env python3
"""Writes src/airs/block_shapes.cpp from the published shapes of a real Ethereum block's proofs.

    bench/block_shapes.py ../shared/workloads/reth-block-23992138.json > src/airs/block_shapes.cpp

Per key the file lists AIRs with widths, constraints and interactions, per proof the log2 heights of their traces.
"""
import itertools
import json
import sys

HEAD = """// Made by bench/block_shapes.py, do not edit: the shapes of the 209 proofs of Ethereum block 23992138, proved with OpenVM 2, from
// the published profile of the stark-backend repository (benchmarks/synthetic).
#include "airs/block_shapes.hpp"

#include <array>

// clang-format off
namespace whorl {
namespace {
"""


def runs_of(air):
    """Interactions alike that follow one another: (bus, message length, count weight, how many)."""
    listed = zip(air["buses"], air["message_lens"], air["count_weights"])
    return [(*alike, len(list(group))) for alike, group in itertools.groupby(listed)]


def wrapped(items, indent="    ", columns=140):
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) > columns:
            lines.append(line.rstrip())
            line = indent
        line += item + ", "
    return "\n".join([*lines, line.rstrip()])


def main():
    data = json.load(open(sys.argv[1]))
    print(HEAD)
    keys = [{int(i): air for i, air in key.items()} for key in data["keys"]]
    # Many AIRs have the same interactions, those of the two kinds of verifiers nearly all.
    names = {}
    for k, key in enumerate(keys):
        for air_id in sorted(key):
            runs = tuple(runs_of(key[air_id]))
            if runs in names:
                continue
            names[runs] = f"kRuns{len(names)}"
            text = wrapped(["{%d, %d, %d, %d}" % run for run in runs])
            print(f"constexpr InteractionRun {names[runs]}[] = {{\n{text}\n}};")
        print(f"constexpr AirShape kAirs{k}[] = {{")
        for air_id in sorted(key):
            air = key[air_id]
            if air["preprocessed"] is not None:
                sys.exit("preprocessed columns are not expected")
            cached = sum(air["cached_mains"])
            if len(air["cached_mains"]) > 1:
                sys.exit("at most one cached part is expected")
            print(f'    {{"{air["name"]}", {air["common_main"]}, {cached}, {air["num_constraints"]}, '
                  f'{air["max_constraint_degree"]}, {names[tuple(runs_of(air))]}}},')
        print("};\n")
    heights = []
    print(f"// -1: no trace.\nconstexpr std::int8_t kLogHeights[] = {{")
    for proof in data["proofs"]:
        row = [proof["log_heights"].get(str(air_id), -1) for air_id in sorted(keys[proof["key"]])]
        heights.append((proof["key"], sum(len(keys[p]) for p, _ in heights)))
        print(wrapped([str(h) for h in row]))
    print("};\n")
    print("constexpr BlockProof kProofs[] = {")
    print(wrapped([f"{{{key}, {start}}}" for key, start in heights]))
    print("};\n")
    print("constexpr std::array<std::span<const AirShape>, %d> kKeys{%s};" %
          (len(keys), ", ".join(f"kAirs{k}" for k in range(len(keys)))))
    print("""
}  // namespace

std::span<const std::span<const AirShape>> block_keys() {
    return kKeys;
}

std::span<const BlockProof> block_proofs() {
    return kProofs;
}

std::span<const std::int8_t> log_heights(const BlockProof& proof) {
    return std::span(kLogHeights).subspan(proof.first_height, kKeys[proof.key].size());
}

}  // namespace whorl""")


if __name__ == "__main__":
    main()
