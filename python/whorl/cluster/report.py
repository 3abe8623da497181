"""What became of a job, from its journal: counts, and a page of HTML with its timeline.

The page is one file without scripts: plots are SVG, details stand in tooltips. Whatever comes from tasks is escaped.
"""

from __future__ import annotations

import html
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .events import JobError
from .store import Store, read_json_lines

__all__ = ["JobRecord", "read_job", "render"]

# Told apart with colour-blind eyes too (Okabe and Ito), and named in the legend.
COLOURS = {"proved": "#0072b2", "stored": "#56b4e9", "lost": "#d55e00", "hung": "#d55e00", "cancelled": "#999999", "withdrawn": "#cccccc"}
FAILED_COLOUR = "#cc79a7"
WIDTH = 1080
LEFT = 150
RIGHT = 44
MAX_BARS = 6000


@dataclass
class Attempt:
    """One attempt: which task, where, when (Unix seconds), and how it ended."""

    index: int
    place: str
    outcome: str
    sent: float
    got: float
    times: dict[str, float]
    stages: dict[str, float]
    error: str

    @property
    def begin(self) -> float:
        """When the proof began; for what never began to prove, when the worker took it."""
        return self.times.get("began", self.times.get("taken", self.sent))

    @property
    def end(self) -> float:
        """When the proof ended."""
        return self.times.get("proved", self.times.get("ended", self.got))


@dataclass
class JobRecord:
    """What the store knows of a job."""

    job: str
    head: dict[str, Any]
    names: dict[int, str] = field(default_factory=dict)
    sealed: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    done: dict[int, dict[str, Any]] = field(default_factory=dict)
    failed: dict[int, dict[str, Any]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    last: float = 0.0

    def state(self) -> str:
        """done, cancelled, or running: which is also what a job looks like that was interrupted and not resumed."""
        return str(self.states[-1]["state"]) if self.states else "running"

    def summary(self) -> dict[str, Any]:
        """Counts as in `Driver.job_status`, as far as the journal has them."""
        started = self.states[0]["t"] if self.states else self.head.get("created", 0.0)
        elapsed = max(0.0, self.last - started)
        cancelled = sum(1 for line in self.failed.values() if line.get("failure") == "cancelled")
        state = self.state()
        return {
            "job": self.job,
            "state": "interrupted" if state == "running" else state,
            "expected": self.sealed if self.sealed is not None else len(self.names) or None,
            "submitted": len(self.names) or len(self.done) + len(self.failed),
            "proved": len(self.done),
            "failed": len(self.failed) - cancelled,
            "cancelled": cancelled,
            "retries": sum(1 for a in self.attempts if a.outcome not in ("proved", "stored", "withdrawn", "cancelled", "bad", "too_large")),
            "running": 0,
            "waiting": max(0, len(self.names) - len(self.done) - len(self.failed)),
            "elapsed_s": elapsed,
            "proofs_per_s": len(self.done) / elapsed if elapsed else 0.0,
            "priority": self.head.get("priority", 0),
            "weight": self.head.get("weight", 1.0),
            "waits_for": "to be resumed" if state == "running" else "",
            "store_trouble": "",
            "errors": [
                {"index": i, "name": self.names.get(i, ""), "failure": line["failure"], "error": line["error"]}
                for i, line in sorted(self.failed.items())
                if line.get("failure") != "cancelled"
            ][:100],
        }

    def use_of_places(self) -> dict[str, dict[str, float]]:
        """For each place: busy_s, and idle_s and idle_share while tasks waited.

        Tasks wait until the last proof of the job has begun; what a place does afterwards is not counted.
        """
        proofs = [a for a in self.attempts if "began" in a.times]
        if not proofs:
            return {}
        until = max(a.begin for a in proofs)
        use: dict[str, dict[str, float]] = {}
        by_place: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in proofs:
            by_place[attempt.place].append(attempt)
        gone = {line["place"]: line["t"] for line in self.places if line["state"] == "gone"}
        for place, attempts in by_place.items():
            begin = min(a.begin for a in attempts)
            end = min(until, gone.get(place, until))
            busy = _covered([(a.begin, min(a.end, end)) for a in attempts])
            window = max(0.0, end - begin)
            idle = max(0.0, window - busy)
            use[place] = {
                "busy_s": _covered([(a.begin, a.end) for a in attempts]),
                "idle_s": idle,
                "idle_share": idle / window if window else 0.0,
            }
        return use


def _covered(intervals: list[tuple[float, float]]) -> float:
    """The time that lies in at least one of the intervals: a place may make several proofs at once."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def read_job(store: Store, job: str) -> JobRecord:
    """Read a job from its store. Raises `JobError` where it is not there."""
    try:
        head = json.loads(store.read(f"jobs/{job}/job.json"))
    except FileNotFoundError:
        raise JobError(f"job {job} not found in {store.url}") from None
    record = JobRecord(job, head)
    for line in read_json_lines(store, f"jobs/{job}/tasks.jsonl"):
        if "sealed" in line:
            record.sealed = int(line["sealed"])
        elif "i" in line:
            record.names[int(line["i"])] = str(line.get("name", ""))
    for line in read_json_lines(store, f"jobs/{job}/journal.jsonl"):
        event = line.get("e")
        at = float(line.get("t", line.get("got", 0.0)))
        record.last = max(record.last, at)
        if event == "attempt":
            record.attempts.append(
                Attempt(
                    int(line["i"]),
                    str(line["place"]),
                    str(line["outcome"]),
                    float(line["sent"]),
                    float(line["got"]),
                    dict(line.get("times", {})),
                    dict(line.get("stages", {})),
                    str(line.get("error", "")),
                )
            )
        elif event == "done":
            record.done[int(line["i"])] = line
            record.failed.pop(int(line["i"]), None)
        elif event == "failed":
            if int(line["i"]) not in record.done:
                record.failed[int(line["i"])] = line
        elif event == "job":
            record.states.append(line)
        elif event == "place":
            record.places.append(line)
    return record


# The page


def _text(value: object) -> str:
    printable = "".join(c if c.isprintable() else "�" for c in str(value))
    return html.escape(printable, quote=True)


def _row(*cells: object, tag: str = "td") -> str:
    """A row of a table. Cells are text; a cell in a list is a number, at the right; one in a tuple is HTML already."""
    out = []
    for cell in cells:
        if isinstance(cell, list):
            out.append(f'<{tag} class="n">{_text(cell[0])}</{tag}>')
        elif isinstance(cell, tuple):
            out.append(f"<{tag}>{cell[0]}</{tag}>")
        else:
            out.append(f"<{tag}>{_text(cell)}</{tag}>")
    return f"<tr>{''.join(out)}</tr>"


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}"><h2>{_text(title)}</h2>{body}</section>'


def _code(value: object) -> tuple[str]:
    return (f"<code>{_text(value)}</code>",)


def _seconds(value: float) -> str:
    if value < 0.001:
        return f"{value * 1e6:.0f} µs"
    if value < 1:
        return f"{value * 1e3:.1f} ms"
    if value < 120:
        return f"{value:.2f} s"
    return f"{value / 60:.1f} min" if value < 7200 else f"{value / 3600:.1f} h"


def _ticks(span: float) -> list[float]:
    """Round numbers from 0 to the span, six or so."""
    if span <= 0:
        return [0.0]
    step = 10 ** math.floor(math.log10(span / 5))
    step *= next((m for m in (1, 2, 5, 10) if span / (step * m) <= 7), 10)
    return [k * step for k in range(int(span / step) + 1)]


def _axis(x_of: Callable[[float], float], span: float, top: float, bottom: float) -> list[str]:
    parts = []
    for tick in _ticks(span):
        x = x_of(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{_text(_seconds(tick) if tick else "0")}</text>'
        )
    return parts


def _svg(height: float, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{_text(title)}" xmlns="http://www.w3.org/2000/svg">'
        + "".join(parts)
        + "</svg>"
    )


def _timeline(record: JobRecord, start: float, span: float) -> str:
    names = sorted({a.place for a in record.attempts} | {str(line["place"]) for line in record.places})
    row = {name: k for k, name in enumerate(names)}
    lane = 22.0 if len(names) <= 60 else max(4.0, 1300.0 / len(names))
    height = lane * len(names) + 34
    scale = (WIDTH - LEFT - RIGHT) / span

    def x_of(seconds: float) -> float:
        return LEFT + seconds * scale

    parts = _axis(x_of, span, 4, lane * len(names) + 6)
    up = {str(line["place"]): float(line["t"]) for line in record.places if line["state"] == "up"}
    gone = {str(line["place"]): (float(line["t"]), str(line.get("reason", ""))) for line in record.places if line["state"] == "gone"}
    for name in names:
        y = 4 + lane * row[name]
        begin = max(0.0, up.get(name, start) - start)
        end = gone[name][0] - start if name in gone else span
        parts.append(
            f'<rect class="lane" x="{x_of(begin):.1f}" y="{y:.1f}" width="{max(0.5, (end - begin) * scale):.1f}" height="{lane - 2:.1f}"/>'
        )
        if lane >= 12:
            parts.append(f'<text class="label" x="{LEFT - 8}" y="{y + lane / 2 + 3:.1f}" text-anchor="end">{_text(name)}</text>')
        if name in gone:
            x = x_of(end)
            parts.append(
                f'<path class="gone" d="M{x - 4:.1f} {y + 2:.1f}l8 {lane - 6:.1f}m0 {-(lane - 6):.1f}l-8 {lane - 6:.1f}">'
                f"<title>{_text(name)} ended: {_text(gone[name][1])}</title></path>"
            )
    shown = sorted(record.attempts, key=lambda a: (a.place, a.begin))
    for bar in _merge(shown, 0.4 / scale if len(shown) > MAX_BARS else 0.0):
        x, width = x_of(bar[0] - start), max(0.6, (bar[1] - bar[0]) * scale)
        y = 4 + lane * row[bar[2]]
        colour = COLOURS.get(bar[3], FAILED_COLOUR)
        where = f'x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{lane - 2:.1f}"'
        parts.append(f'<rect class="bar" fill="{colour}" {where}><title>{_text(bar[4])}</title></rect>')
    return _svg(height, "timeline of the places", parts)


def _merge(attempts: Sequence[Attempt], gap: float) -> list[tuple[float, float, str, str, str]]:
    """(begin, end, place, outcome, tooltip) for each bar; with a gap, neighbours that nobody could tell apart are one."""
    bars: list[tuple[float, float, str, str, str]] = []
    counts: list[int] = []
    for a in attempts:
        tip = f"task {a.index}, {a.outcome}, {_seconds(max(0.0, a.end - a.begin))} on {a.place}" + (f": {a.error}" if a.error else "")
        if gap and bars and bars[-1][2] == a.place and bars[-1][3] == a.outcome and a.begin - bars[-1][1] < gap:
            counts[-1] += 1
            bars[-1] = (bars[-1][0], max(bars[-1][1], a.end), a.place, a.outcome, f"{counts[-1]} tasks, {a.outcome}, on {a.place}")
        else:
            bars.append((a.begin, a.end, a.place, a.outcome, tip))
            counts.append(1)
    return bars


def _progress(record: JobRecord, start: float, span: float) -> str:
    height, top, bottom = 200.0, 10.0, 170.0
    ends = sorted(float(line["t"]) - start for line in record.done.values())
    total = max(1, record.sealed or len(record.names) or len(ends))
    scale = (WIDTH - LEFT - RIGHT) / span

    def x_of(seconds: float) -> float:
        return LEFT + seconds * scale

    parts = _axis(x_of, span, top, bottom)
    for share in (0, 0.5, 1):
        y = bottom - share * (bottom - top)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
        parts.append(f'<text class="label" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{round(share * total)}</text>')
    step = max(1, len(ends) // 1000)
    points = [(0.0, 0)] + [(t, k + 1) for k, t in enumerate(ends) if (k + 1) % step == 0 or k + 1 == len(ends)]
    path = " ".join(f"{x_of(t):.1f},{bottom - n / total * (bottom - top):.1f}" for t, n in points)
    parts.append(f'<polyline class="curve" points="{path}"/>')
    return _svg(height, "proofs over time", parts)


def _histogram(values: Sequence[float]) -> str:
    """Logarithmic in time: proofs of a job can differ by orders of magnitude."""
    low, high = math.log10(max(1e-6, min(values))), math.log10(max(1e-6, max(values)))
    if high - low < 0.05:
        low, high = low - 0.1, high + 0.1
    count = 40
    bins = [0] * count
    for value in values:
        bins[min(count - 1, max(0, int((math.log10(max(1e-6, value)) - low) / (high - low) * count)))] += 1
    top, bottom, width = 10.0, 120.0, (WIDTH - LEFT - RIGHT) / count
    parts = []
    for k, n in enumerate(bins):
        tall = n / max(bins) * (bottom - top)
        span = f"{_seconds(10 ** (low + k * (high - low) / count))} to {_seconds(10 ** (low + (k + 1) * (high - low) / count))}"
        parts.append(
            f'<rect class="bar" fill="{COLOURS["proved"]}" x="{LEFT + k * width:.1f}" y="{bottom - tall:.1f}" width="{width - 1:.1f}" '
            f'height="{tall:.1f}"><title>{n} proofs, {_text(span)}</title></rect>'
        )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = LEFT + share * count * width
        label = _seconds(10 ** (low + share * (high - low)))
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{_text(label)}</text>')
    parts.append(f'<text class="label" x="{LEFT - 8}" y="{top + 8}" text-anchor="end">{max(bins)}</text>')
    return _svg(140, "times of proofs", parts)


def _stages(record: JobRecord) -> str:
    sums: dict[str, float] = defaultdict(float)
    for attempt in record.attempts:
        for stage, seconds in attempt.stages.items():
            sums[stage] += seconds
    if not sums:
        return "<p>No attempt told its stages.</p>"
    total = sum(sums.values()) or 1.0
    rows = []
    for stage, seconds in sorted(sums.items(), key=lambda item: -item[1]):
        share = 100 * seconds / total
        bar = f'<rect fill="{COLOURS["proved"]}" width="{share:.2f}" height="8"/>'
        meter = f'<div class="meter"><svg viewBox="0 0 100 8" preserveAspectRatio="none">{bar}</svg></div>'
        rows.append(_row(stage, [_seconds(seconds)], [f"{share:.1f} %"], (meter,)))
    return f"<table>{_row('stage', ['sum'], ['share'], '', tag='th')}{''.join(rows)}</table>"


_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --faint: #e8e8ea; --grid: #d0d0d4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #16171a; --faint: #26282d; --grid: #3a3d44; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
body { max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--grid); stroke-width: 0.6; } .lane { fill: var(--faint); } .curve { fill: none; stroke: #0072b2; stroke-width: 2; }
.gone { stroke: #d55e00; stroke-width: 2; fill: none; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--grid); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.meter { width: 16rem; } .meter svg { height: 0.6rem; margin-top: 0.4rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; padding: 0; list-style: none; } .facts b { display: block; font-size: 1.3rem; }
.key { display: inline-block; width: 0.8em; height: 0.8em; margin: 0 0.3em 0 1em; }
code { overflow-wrap: anywhere; }
"""


def render(record: JobRecord, now: float | None = None) -> str:
    """The page of a job: facts, timeline, progress, times, stages, places, failures.

    Parameters
    ----------
    now
        Time of the report; None: the present.
    """
    summary = record.summary()
    times = [a.sent for a in record.attempts] + [float(s["t"]) for s in record.states]
    start = min(times, default=0.0)
    span = max(0.001, max([record.last, *(a.end for a in record.attempts)], default=start) - start)
    proofs = [max(0.0, a.end - a.begin) for a in record.attempts if a.outcome == "proved"]
    use = record.use_of_places()
    idle = sum(u["idle_s"] for u in use.values())
    windows = sum(u["idle_s"] / u["idle_share"] for u in use.values() if u["idle_share"]) or 1.0
    facts = [
        (summary["state"], "state"),
        (f"{summary['proved']} of {summary['expected'] if summary['expected'] is not None else '?'}", "proved"),
        (summary["failed"], "failed"),
        (summary["cancelled"], "cancelled"),
        (summary["retries"], "attempts that were tried again"),
        (_seconds(summary["elapsed_s"]), "elapsed"),
        (_seconds(sorted(proofs)[len(proofs) // 2]) if proofs else "none", "median proof"),
        (f"{100 * idle / windows:.1f} %", "idle while tasks waited"),
        (len(use), "places that proved"),
    ]
    outcomes = Counter(a.outcome for a in record.attempts)
    legend = "".join(
        f'<span class="key" style="background:{COLOURS.get(outcome, FAILED_COLOUR)}"></span>{_text(outcome)} ({count})'
        for outcome, count in sorted(outcomes.items())
    )
    made = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() if now is None else now))
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(start))
    body = [
        f"<h1>Job {_text(record.job)}</h1>",
        f"<p>Began {began}; report of {made}.</p>",
        '<ul class="facts">' + "".join(f"<li><b>{_text(value)}</b>{_text(name)}</li>" for value, name in facts) + "</ul>",
    ]
    if record.attempts:
        text = f"<p>A bar is a proof, a cross the end of a process. {legend}</p>"
        body.append(_section("timeline", "Who proved what, when", text + _timeline(record, start, span)))
        body.append(_section("progress", "Proofs over time", _progress(record, start, span)))
    if proofs:
        body.append(_section("times", "Times of proofs", _histogram(proofs)))
    body.append(_section("stages", "Seconds by stage", _stages(record)))
    if use:
        by_place = Counter(a.place for a in record.attempts)
        rows = _row("place", ["attempts"], ["busy"], ["idle while tasks waited"], ["share"], tag="th") + "".join(
            _row(place, [by_place[place]], [_seconds(u["busy_s"])], [_seconds(u["idle_s"])], [f"{100 * u['idle_share']:.1f} %"])
            for place, u in sorted(use.items())
        )
        text = "<p>Other jobs count as idle time here: this page knows one job.</p>"
        body.append(_section("places", "Places", f"{text}<table>{rows}</table>"))
    if record.failed:
        rows = _row(["task"], "name", "failure", "error", tag="th") + "".join(
            _row([index], record.names.get(index, ""), line["failure"], _code(line["error"]))
            for index, line in sorted(record.failed.items())[:500]
        )
        body.append(_section("failures", "Tasks without a proof", f"<table>{rows}</table>"))
    without = [a for a in record.attempts if a.outcome not in ("proved", "stored")]
    if without:
        rows = _row(["task"], "place", "outcome", ["at"], "error", tag="th") + "".join(
            _row([a.index], a.place, a.outcome, [_seconds(max(0.0, a.got - start))], _code(a.error)) for a in without[:500]
        )
        body.append(_section("retries", "Attempts without a proof", f"<table>{rows}</table>"))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Job {_text(record.job)}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )
