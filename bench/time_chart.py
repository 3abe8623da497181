#!/usr/bin/env python3
"""Draws where the time of proofs goes, whorl beside the peer, from what compare.py measured.

    bench/time_chart.py build/bench/peers.json > docs/performance.svg

One pair of bars a workload, each scaled to the peer's whole time; widths are the stages' medians.
"""
import html
import json
import sys

STAGES = [
    ("codewords", "codewords", "#4e79a7"),
    ("Merkle tree", "Merkle tree", "#a0cbe8"),
    ("LogUp GKR", "LogUp GKR", "#f28e2b"),
    ("round 0 and the rest", "round 0", "#ffbe7d"),
    ("MLE rounds", "MLE rounds", "#59a14f"),
    ("stacked reduction", "stacked reduction", "#8cd17d"),
    ("WHIR", "WHIR", "#b6992d"),
]
WIDTH, LEFT, BAR, GAP, TOP = 960, 130, 26, 22, 64


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = json.load(open(sys.argv[1]))
    workloads = [name for name in ("keccakf", "logup", "segment") if name in data]
    if not workloads:
        sys.exit(f"{sys.argv[1]}: no proofs in it; run bench/peers/run.sh")
    height = TOP + len(workloads) * (2 * BAR + GAP) + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    x = 10
    for _, title, colour in STAGES:
        out.append(f'<rect x="{x}" y="14" width="13" height="13" fill="{colour}"/><text x="{x + 18}" y="25">{title}</text>')
        x += 36 + 7.2 * len(title)
    out.append(f'<text x="10" y="48" fill="#555">width: share of the peer\'s whole time; {html.escape(data["machine"]["cpu"])}, '
               f'{data["machine"]["threads"]} threads, medians of {data["runs"]}</text>')
    y = TOP
    for workload in workloads:
        stages = {stage["stage"]: stage for stage in data[workload]["stages"]}
        whole = stages["prove, excluding trace"]
        for program in ("whorl", "peer"):
            unit = (WIDTH - LEFT - 90) / whole["peer_ms"]
            x = LEFT
            out.append(f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end">{workload}: {program}</text>')
            for name, title, colour in STAGES:
                ms = stages[name][f"{program}_ms"] or 0.0
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{ms * unit:.1f}" height="{BAR - 4}" fill="{colour}">'
                           f'<title>{title}: {ms:.0f} ms</title></rect>')
                x += ms * unit
            end = LEFT + whole[f"{program}_ms"] * unit
            # What is in no stage: transcripts, grinding between stages.
            out.append(f'<rect x="{x:.1f}" y="{y}" width="{max(end - x, 0):.1f}" height="{BAR - 4}" fill="#ddd"/>')
            out.append(f'<text x="{end + 6:.1f}" y="{y + 17}">{whole[f"{program}_ms"] / 1000:.2f} s</text>')
            y += BAR
        y += GAP
    out.append("</svg>")
    print("\n".join(out))


if __name__ == "__main__":
    main()
