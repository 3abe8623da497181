"""whorl-cluster: jobs from the command line."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .events import JobError
from .store import StoreError, open_store

__all__ = ["main"]

OK, REJECTED, USAGE, MACHINE, INTERRUPTED = 0, 1, 2, 3, 130

EPILOG = """examples:
  whorl-cluster submit --store proofs tasks/            prove all tasks under tasks/ on this machine, with a bar
  ray start --head                                      or: on a cluster of Ray, where the job goes on when this program ends
  whorl-cluster submit --store s3://bucket/proofs --job monday --detach tasks/
  whorl-cluster watch monday
  whorl-cluster status                                  places and jobs
  whorl-cluster resume monday --store s3://bucket/proofs   after everything died
  whorl-cluster report monday --store proofs -o monday.html

environment:
  WHORL_CLUSTER_STORE   in place of --store
  RAY_ADDRESS           in place of --address

exit codes:
  0    done
  1    a task has no proof: it is wrong, or was given up or cancelled
  2    usage or input: an unknown job, a folder that is no task
  3    the machine: the store or Ray cannot be reached, no place can prove
  130  Ctrl-C
"""


class _Usage(Exception):
    pass


class _Machine(Exception):
    pass


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not at least 1")
    return value


def _weight(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="whorl-cluster", description="Proves tasks by the thousand on Ray: one machine or many.", epilog=EPILOG, formatter_class=form
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    store = argparse.ArgumentParser(add_help=False)
    store.add_argument("--store", default=os.environ.get("WHORL_CLUSTER_STORE"), help="directory or fsspec URL that keeps proofs and jobs")
    store.add_argument(
        "--address", default=os.environ.get("RAY_ADDRESS"), help="Ray cluster (default: one on this machine, where there is one)"
    )
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON in place of text")
    places = argparse.ArgumentParser(add_help=False)
    places.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "sim", "cuda"), help="what proves (default: GPUs where there are, else cores)"
    )
    places.add_argument("--threads", type=_positive, default=4, help="cores of a place (default 4)")
    places.add_argument("--at-once", type=_positive, help="proofs that a place makes at once (default: 3 on a GPU, else 1)")
    places.add_argument("--slots", type=_positive, default=3, help="tasks at a place: one proves, others load or are stored (default 3)")
    watching = argparse.ArgumentParser(add_help=False)
    watching.add_argument("--quiet", action="store_true", help="no bar")

    def command(name: str, help: str, parents: Sequence[argparse.ArgumentParser], example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=help,
            description=f"{help[0].upper()}{help[1:]}.",
            parents=list(parents),
            formatter_class=form,
            epilog=f"example:\n  {example}",
        )

    submit = command(
        "submit",
        "submit task folders as a job, and watch it",
        [store, places, as_json, watching],
        "whorl-cluster submit --store proofs --job monday tasks/",
    )
    submit.add_argument("tasks", nargs="*", metavar="TASK", help="a task folder, or a folder of task folders")
    submit.add_argument("--from", dest="listing", metavar="FILE", help="read task folders from a file, one a line; - is standard input")
    submit.add_argument("--job", help="name of the job (default: made from the time)")
    submit.add_argument("--priority", type=int, default=0, help="jobs of a higher priority are served first")
    submit.add_argument("--weight", type=_weight, default=1.0, help="share among jobs of one priority (default 1)")
    submit.add_argument("--deadline", type=_weight, metavar="SECONDS", help="a place that finishes nothing for this long counts as hung")
    submit.add_argument("--detach", action="store_true", help="do not wait for the end; needs a running Ray cluster")

    resume = command(
        "resume", "go on with a job of the store", [store, places, as_json, watching], "whorl-cluster resume monday --store proofs"
    )
    resume.add_argument("job", metavar="JOB")
    resume.add_argument("--retry-failed", action="store_true", help="try tasks again that failed")
    resume.add_argument("--detach", action="store_true", help="do not wait for the end; needs a running Ray cluster")

    status = command("status", "show a job, or all jobs and places", [store, as_json], "whorl-cluster status monday --json")
    status.add_argument("job", metavar="JOB", nargs="?")
    watch = command("watch", "follow a job to its end", [store, as_json, watching], "whorl-cluster watch monday")
    watch.add_argument("job", metavar="JOB")
    cancel = command("cancel", "cancel a job, or some of its tasks", [store], "whorl-cluster cancel monday --task 17 --task 18")
    cancel.add_argument("job", metavar="JOB")
    cancel.add_argument("--task", type=int, action="append", metavar="INDEX", help="this task only; may be repeated")
    report = command(
        "report", "write a page of HTML with the timeline of a job", [store], "whorl-cluster report monday --store proofs -o monday.html"
    )
    report.add_argument("job", metavar="JOB")
    report.add_argument("-o", "--out", default="-", help="file; - is standard output (default)")
    serve = command(
        "serve", "answer HTTP: submit, status, events, cancel, proofs", [store, places], "whorl-cluster serve --store proofs --port 8642"
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1: this machine only)")
    serve.add_argument("--port", type=int, default=8642, help="port (default 8642; 0: any)")
    serve.add_argument("--token-file", metavar="FILE", help="read the token from a file (default: one is made and printed once)")
    serve.add_argument("--tasks-under", metavar="DIR", help="accept only task folders under this one")
    command("drain", "finish what runs, start nothing more, and end the driver", [store], "whorl-cluster drain")
    return parser


def _is_task(path: Path) -> bool:
    return (path / "task.json").is_file()


def expand(paths: Sequence[str]) -> list[str]:
    """Task folders among paths, where a folder of task folders counts as those in it, by name.

    Raises
    ------
    ValueError
        A path that is neither.
    """
    found: list[str] = []
    for text in paths:
        path = Path(text)
        if _is_task(path):
            found.append(str(path.absolute()))
            continue
        inside = sorted(p for p in path.iterdir() if _is_task(p)) if path.is_dir() else []
        if not inside:
            raise ValueError(f"{text}: expected a task folder (with task.json), or a folder of such")
        found += [str(p.absolute()) for p in inside]
    return found


@contextlib.contextmanager
def _jobs(arguments: argparse.Namespace, *, may_start: bool, must_outlive: bool = False) -> Iterator[Any]:
    """A Cluster where Ray runs; else, for a command that may start one, a Pool in this process."""
    from .places import Places
    from .pool import Cluster, Pool

    places = (
        Places(device=arguments.device, threads=arguments.threads, slots=arguments.slots, at_once=arguments.at_once) if may_start else None
    )
    if may_start and arguments.store is None:
        raise _Usage("name a store: --store DIR, or WHORL_CLUSTER_STORE")
    try:
        cluster = Cluster(arguments.store, places=places, address=arguments.address or "auto", start=may_start)
    except ConnectionError:
        if arguments.address:
            raise _Machine(f"no Ray cluster at {arguments.address}") from None
        if not may_start or must_outlive:
            raise _Machine("no Ray cluster runs on this machine: start one with `ray start --head`, or name one with --address") from None
    else:
        with cluster:
            yield cluster
        return
    with Pool(arguments.store, places=places) as pool:
        yield pool


def _line_of(status: dict[str, Any]) -> str:
    parts = [f"{status['job']}: {status['state']}", f"{status['proved'] + status.get('finished_before', 0)} of {_total(status)} proved"]
    for key in ("failed", "cancelled", "running", "waiting"):
        if status.get(key):
            parts.append(f"{status[key]} {key}")
    if status.get("failed_before"):
        parts.append(f"{status['failed_before']} failed before")
    if status.get("retries"):
        parts.append(f"{status['retries']} retries")
    if status.get("waits_for"):
        parts.append(f"waits for {status['waits_for']}")
    return ", ".join(parts)


def _total(status: dict[str, Any]) -> int | str:
    return status["expected"] if status.get("expected") is not None else "?"


def _follow(handle: Any, arguments: argparse.Namespace) -> int:
    """Watch a job to its end with a bar; print what failed; give the exit code."""
    from tqdm import tqdm

    shown: set[tuple[int, str]] = set()
    status: dict[str, Any] = {}
    is_silent = arguments.quiet or not sys.stderr.isatty()
    with tqdm(total=None, unit="proof", desc=handle.job, disable=is_silent, file=sys.stderr, dynamic_ncols=True) as bar:
        for status in handle.watch():
            if not bar.disable:
                bar.total = status["expected"]
                bar.set_postfix_str(
                    f"waits for {status['waits_for']}"[:80]
                    if status["waits_for"]
                    else f"{status['failed']} failed"
                    if status["failed"]
                    else "",
                    refresh=False,
                )
                bar.n = status["proved"] + status["finished_before"] + status["failed"] + status["cancelled"] + status["failed_before"]
                bar.refresh()
            for error in status["errors"]:
                key = (error["index"], error["error"])
                if key not in shown and not arguments.json:
                    shown.add(key)
                    name = f" ({error['name']})" if error.get("name") else ""
                    tqdm.write(f"task {error['index']}{name}: {error.get('failure', 'note')}: {error['error']}", file=sys.stderr)
    print(json.dumps(status) if arguments.json else _line_of(status))
    return (
        OK if status["state"] == "done" and not status["failed"] and not status["failed_before"] and not status["cancelled"] else REJECTED
    )


def _submit(arguments: argparse.Namespace) -> int:
    listed = list(arguments.tasks)
    if arguments.listing:
        with contextlib.ExitStack() as stack:
            source = sys.stdin if arguments.listing == "-" else stack.enter_context(open(arguments.listing))
            listed += [line.rstrip("\r\n") for line in source if line.strip()]
    if not listed:
        raise _Usage("name at least one task folder, or --from FILE")
    try:
        tasks = expand(listed)
    except ValueError as error:
        raise _Usage(str(error)) from None
    with _jobs(arguments, may_start=True, must_outlive=arguments.detach) as jobs:
        handle = jobs.submit(
            tasks, job=arguments.job, priority=arguments.priority, weight=arguments.weight, deadline_s=arguments.deadline, detach=True
        )
        return _go_on(handle, jobs, arguments)


def _resume(arguments: argparse.Namespace) -> int:
    with _jobs(arguments, may_start=True, must_outlive=arguments.detach) as jobs:
        handle = jobs.resume(arguments.job, detach=True, retry_failed=arguments.retry_failed)
        return _go_on(handle, jobs, arguments)


def _go_on(handle: Any, jobs: Any, arguments: argparse.Namespace) -> int:
    from .pool import Cluster

    if arguments.detach:
        print(json.dumps({"job": handle.job}) if arguments.json else handle.job)
        return OK
    try:
        return _follow(handle, arguments)
    except KeyboardInterrupt:
        if isinstance(jobs, Cluster):
            print(f"\njob {handle.job} goes on: whorl-cluster watch {handle.job}, or cancel {handle.job}", file=sys.stderr)
        else:
            print(f"\njob {handle.job} stands still: whorl-cluster resume {handle.job} --store {arguments.store}", file=sys.stderr)
        return INTERRUPTED


def _from_store(arguments: argparse.Namespace, running: Callable[[Any], int], stored: Callable[[Any], int]) -> int:
    """Ask the driver where one runs; else the store, where one is named."""
    try:
        with _jobs(arguments, may_start=False) as jobs:
            return running(jobs)
    except (_Machine, JobError) as error:
        is_about_driver = isinstance(error, _Machine) or "no driver runs" in str(error)
        if not is_about_driver or arguments.store is None or arguments.address:
            raise
    return stored(open_store(arguments.store, create=False))


def _status(arguments: argparse.Namespace) -> int:
    def show(status: dict[str, Any]) -> int:
        if arguments.json:
            print(json.dumps(status))
        else:
            print(_line_of(status))
            for error in status["errors"]:
                print(f"  task {error['index']}: {error.get('failure', 'note')}: {error['error']}")
        return OK

    def running(jobs: Any) -> int:
        if arguments.job:
            return show(jobs.handle(arguments.job).status())
        status = jobs.status()
        status["all_jobs"] = jobs.jobs()
        if arguments.json:
            print(json.dumps(status))
            return OK
        print(f"store: {status['store']}" + (f" (trouble: {status['store_trouble']})" if status["store_trouble"] else ""))
        for place in status["places"]:
            proving = next(
                (
                    f"{r['stage']} {100 * r['fraction']:.0f} %"
                    for r in place["report"].get("running", {}).values()
                    if r["stage"] not in ("load", "wait")
                ),
                "",
            )
            detail = (
                place["problem"]
                if place["state"] != "up" and place["problem"]
                else f"{place.get('attempts', 0)} tasks" + (f", {proving}" if proving else "")
            )
            print(f"place {place['name']}: {place['state']}, {detail}")
        for job in status["jobs"]:
            print(f"job {_line_of(jobs.handle(job).status())}")
        return OK

    def stored(store: Any) -> int:
        from .report import read_job

        if arguments.job:
            return show(read_job(store, arguments.job).summary())
        summaries = [read_job(store, job).summary() for job in store.names("jobs")]
        if arguments.json:
            print(json.dumps({"store": store.url, "jobs": summaries}))
        else:
            print(f"store: {store.url}, no driver runs")
            for summary in summaries:
                print(f"job {_line_of(summary)}")
        return OK

    return _from_store(arguments, running, stored)


def _watch(arguments: argparse.Namespace) -> int:
    with _jobs(arguments, may_start=False) as jobs:
        handle = jobs.handle(arguments.job)
        if handle.status()["state"] == "interrupted":
            raise _Usage(f"job {arguments.job} does not run: whorl-cluster resume {arguments.job}")
        try:
            return _follow(handle, arguments)
        except JobError:
            status = handle.status()  # it ended, and the driver has forgotten it
            print(json.dumps(status) if arguments.json else _line_of(status))
            return OK if not status["failed"] and not status["cancelled"] else REJECTED


def _cancel(arguments: argparse.Namespace) -> int:
    with _jobs(arguments, may_start=False) as jobs:
        jobs.handle(arguments.job).cancel(arguments.task)
    return OK


def _report(arguments: argparse.Namespace) -> int:
    from .report import read_job, render

    store = arguments.store
    if store is None:
        with _jobs(arguments, may_start=False) as jobs:
            store = jobs.store_url
    page = render(read_job(open_store(store, create=False), arguments.job))
    if arguments.out == "-":
        sys.stdout.write(page)
    else:
        Path(arguments.out).write_text(page, encoding="utf-8")
    return OK


def _serve(arguments: argparse.Namespace) -> int:
    from .http import serve

    with _jobs(arguments, may_start=True) as jobs:
        serve(jobs, host=arguments.host, port=arguments.port, token_file=arguments.token_file, tasks_under=arguments.tasks_under)
    return OK


def _drain(arguments: argparse.Namespace) -> int:
    with _jobs(arguments, may_start=False) as jobs:
        jobs.drain()
        jobs.stop()
    return OK


_COMMANDS = {
    "submit": _submit,
    "resume": _resume,
    "status": _status,
    "watch": _watch,
    "cancel": _cancel,
    "report": _report,
    "serve": _serve,
    "drain": _drain,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of whorl-cluster. Returns the exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as exit:
        return int(exit.code or 0)
    try:
        return _COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (_Usage, JobError) as error:
        print(f"whorl-cluster {arguments.command}: {error}", file=sys.stderr)
        return USAGE
    except (StoreError, _Machine, ConnectionError) as error:
        print(f"whorl-cluster {arguments.command}: {error}", file=sys.stderr)
        return MACHINE
    except OSError as error:
        print(f"whorl-cluster {arguments.command}: {error}", file=sys.stderr)
        return USAGE


if __name__ == "__main__":
    sys.exit(main())
