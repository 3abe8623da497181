"""The ways in: the detached driver, the command line, HTTP; and the ways to look: metrics, the report."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed")
pytest.importorskip("whorl", reason="the module is not built")

import ray
import whorl
from helpers import check_all, up_places, wait_until
from small_tasks import expected, fibonacci, wait_for
from whorl.cluster import Call, Cluster, JobError, Places, Policy
from whorl.cluster.cli import main
from whorl.cluster.report import Attempt, JobRecord, read_job, render
from whorl.cluster.store import open_store


@pytest.fixture
def head(cluster: Any, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "store", places=Places(device="cpu", threads=1), policy=Policy(backoff_s=0.05, max_backoff_s=1.0))
    yield made
    made.stop()
    wait_until(lambda: not _has_driver(), "the driver has ended")


def _has_driver() -> bool:
    try:
        ray.get_actor("whorl-cluster", namespace="whorl")
        return True
    except ValueError:
        return False


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    root = tmp_path / "tasks"
    for seed in range(8):
        whorl.save_task(fibonacci(seed), root / f"t{seed}")
    return root


def test_a_detached_driver_serves_processes_that_come_and_go(head: Cluster, tmp_path: Path) -> None:
    job = head.submit([fibonacci(seed) for seed in range(10)])
    check_all(job, list(range(10)))
    alone = head.submit([fibonacci(seed) for seed in range(20, 30)], detach=True, job="alone")
    other = Cluster(tmp_path / "store", start=False)
    assert other.handle("alone").wait(60)["proved"] == 10
    assert alone.status()["state"] == "done"
    assert set(other.jobs()) == {"alone", job.job}
    with pytest.raises(JobError, match="not in"):
        Cluster(tmp_path / "another store")
    with pytest.raises(JobError, match="nobody not found"):
        other.handle("nobody")
    states = list(alone.watch())
    assert states[-1]["state"] == "done"


def test_the_command_line_submits_watches_and_reports(
    head: Cluster, folders: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["submit", *store, "--job", "a", str(folders)]) == 0
    assert "a: done, 8 of 8 proved" in capfd.readouterr().out
    assert main(["submit", *store, "--job", "b", "--detach", "--json", str(folders / "t1"), str(folders / "t2")]) == 0
    assert json.loads(capfd.readouterr().out) == {"job": "b"}
    assert main(["watch", "b", "--quiet"]) == 0
    assert main(["status"]) == 0
    out = capfd.readouterr().out
    assert "place " in out and "store: " in out
    assert main(["status", "a", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["proved"] == 8
    assert main(["report", "a", *store, "-o", str(tmp_path / "a.html")]) == 0
    assert "<svg" in (tmp_path / "a.html").read_text()


def test_exit_codes_say_what_was_wrong(head: Cluster, folders: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path / "store")]
    whorl.save_task(fibonacci(3), tmp_path / "wrong")
    column = next((tmp_path / "wrong").glob("*main.bin"))
    data = bytearray(column.read_bytes())
    data[40] ^= 1
    column.write_bytes(data)
    assert main(["submit", *store, "--job", "wrong", str(tmp_path / "wrong"), str(folders)]) == 1
    captured = capfd.readouterr()
    assert "1 failed" in captured.out and "8 of 9" in captured.out and "constraint" in captured.err
    for arguments, code, text in [
        (["submit", *store], 2, "name at least one task folder"),
        (["submit", *store, str(tmp_path / "store")], 2, "expected a task folder"),
        (["submit", str(folders)], 2, "name a store"),
        (["submit", *store, "--job", "../x", str(folders)], 2, "job name"),
        (["submit", *store, "--job", "wrong", str(folders)], 2, "in the store already"),
        (["submit", *store, "--weight", "0", str(folders)], 2, "not more than 0"),
        (["status", "nobody"], 2, "nobody not found"),
        (["cancel", "nobody"], 2, "nobody not found"),
        (["resume", "nobody", *store], 2, "nobody not found"),
        (["report", "a", "--store", str(tmp_path / "none")], 3, "away, or is none"),
        (["nonsense"], 2, "invalid choice"),
    ]:
        assert main(arguments) == code, arguments
        assert text in capfd.readouterr().err, arguments
    assert main(["--help"]) == 0 and "examples:" in capfd.readouterr().out
    for command in ("submit", "resume", "status", "watch", "cancel", "report", "serve", "drain"):
        assert main([command, "--help"]) == 0 and "example:" in capfd.readouterr().out


def test_cancel_and_resume_from_the_command_line(head: Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    up_places(head)
    gate = tmp_path / "gate"
    job = head.submit([Call(wait_for, seed, str(gate)) for seed in range(12)], detach=True, job="c")
    wait_until(lambda: job.status()["running"] == 6, "full places")
    assert main(["cancel", "c", "--task", "11"]) == 0
    assert main(["cancel", "c"]) == 0
    gate.touch()
    assert main(["watch", "c", "--quiet"]) == 1
    assert "cancelled" in capfd.readouterr().out
    assert main(["resume", "c", "--store", str(tmp_path / "store"), "--quiet"]) == 0
    assert "12 of 12 proved" in capfd.readouterr().out


def test_drain_from_the_command_line_ends_the_driver(cluster: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = Cluster(tmp_path / "store", places=Places(device="cpu", threads=1))
    up_places(made)
    made.submit([fibonacci(1)]).wait(60)
    assert main(["drain"]) == 0
    wait_until(lambda: not _has_driver(), "the driver has ended")
    assert main(["status"]) == 2 and "no driver runs" in capfd.readouterr().err
    assert main(["status", "--store", str(tmp_path / "store")]) == 0
    assert "1 of 1 proved" in capfd.readouterr().out


def test_ctrl_c_leaves_a_job_that_can_be_resumed(tmp_path: Path, cluster: Any) -> None:
    """In a process of its own with a Ray of its own, as on a machine without a cluster."""
    for seed in range(6):
        whorl.save_task(fibonacci(seed, 18), tmp_path / "tasks" / f"t{seed}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(whorl.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])}
    environment.pop("RAY_ADDRESS", None)
    script = (
        "import sys, whorl.cluster.pool as pool\n"
        "def none(*a, **k): raise ConnectionError('none')\n"
        "pool.Cluster = type('Cluster', (), {'__init__': none})\n"  # the tests' own cluster is not to be found
        "from whorl.cluster.cli import main\n"
        f"sys.exit(main(['submit', '--store', {str(tmp_path / 'store')!r}, '--threads', '1', '--job', 'j', {str(tmp_path / 'tasks')!r}]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: process.poll() is not None or (tmp_path / "store" / "proofs").is_dir(), "a first proof", 60)
    except AssertionError:
        process.send_signal(signal.SIGINT)
        raise AssertionError(process.communicate(timeout=60)[1]) from None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "whorl-cluster resume j" in errors
    assert open_store(tmp_path / "store", create=False).exists("jobs/j/job.json")


# HTTP


class Server:
    def __init__(self, jobs: Any, **options: Any) -> None:
        uvicorn = pytest.importorskip("uvicorn")
        from whorl.cluster.http import application

        self.token = "a token of the tests"
        config = uvicorn.Config(application(jobs, self.token, **options), host="127.0.0.1", port=0, log_level="warning")
        self._socket = config.bind_socket()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: self._server.run(sockets=[self._socket]), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@pytest.fixture
def server(make_pool: Any, folders: Path) -> Iterator[Server]:
    made = Server(make_pool(), tasks_under=folders)
    yield made
    made.close()


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    httpx = pytest.importorskip("httpx")
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=60) as made:
        yield made


def test_http_submits_streams_and_gives_proofs(client: Any, folders: Path) -> None:
    answer = client.post("/v1/jobs", json={"tasks": [str(folders)], "job": "web", "priority": 2})
    assert answer.status_code == 201 and answer.json() == {"job": "web", "tasks": 8}
    kinds: list[str] = []
    digests: dict[int, str] = {}
    with client.stream("GET", "/v1/jobs/web/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        kind = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                kind = line[7:]
                kinds.append(kind)
            elif line.startswith("data: ") and kind == "task":
                event = json.loads(line[6:])
                digests[event["index"]] = event["digest"]
    assert kinds[-1] == "end" and kinds.count("task") == 8
    for seed in range(8):
        digest, proof = expected(seed)
        assert digests[seed] == digest
        answer = client.get(f"/v1/proofs/{digest}")
        assert answer.content == proof and answer.headers["content-type"] == "application/octet-stream"
    with client.stream("GET", "/v1/jobs/web/events", headers={"Last-Event-ID": "6"}) as stream:
        assert sum(line == "event: task" for line in stream.iter_lines()) == 2
    assert client.get("/v1/jobs/web").json()["proved"] == 8
    assert client.get("/v1/jobs").json() == {"jobs": ["web"]}
    assert len(client.get("/v1/status").json()["places"]) == 2
    report = client.get("/v1/jobs/web/report")
    assert report.headers["content-type"].startswith("text/html") and "<svg" in report.text


def test_http_cancels_and_resumes(client: Any, folders: Path) -> None:
    client.post("/v1/jobs", json={"tasks": [str(folders)], "job": "stop"})
    assert client.post("/v1/jobs/stop/cancel").status_code in (202,)
    wait_until(lambda: client.get("/v1/jobs/stop").json()["state"] in ("cancelled", "done"), "the job ends")
    assert client.post("/v1/jobs/stop/resume", json={}).status_code == 202
    wait_until(lambda: client.get("/v1/jobs/stop").json()["state"] == "done", "the job ends")
    status = client.get("/v1/jobs/stop").json()
    assert status["proved"] + status["finished_before"] == 8


def test_http_wants_the_token_and_refuses_what_is_wrong(server: Server, client: Any, folders: Path, tmp_path: Path) -> None:
    import httpx

    assert httpx.get(server.url + "/health").json() == {"ok": True}
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": server.token}, {"Authorization": f"Basic {server.token}"}):
        for path in ("/v1/status", "/v1/proofs/" + "0" * 64, "/v1/nothing"):
            answer = httpx.get(server.url + path, headers=header)
            assert answer.status_code == 401 and server.token not in answer.text
    whorl.save_task(fibonacci(1), tmp_path / "outside")
    (folders / "link").symlink_to(tmp_path / "outside")
    for body, code, text in [
        ({"tasks": [str(tmp_path / "outside")]}, 403, "under"),
        ({"tasks": [str(folders / "link")]}, 403, "under"),
        ({"tasks": [str(folders / ".." / "outside")]}, 403, "under"),
        ({"tasks": []}, 400, "list of task folders"),
        ({"tasks": "x"}, 400, "list of task folders"),
        ({"tasks": [str(folders / "none")]}, 400, "expected a task folder"),
        ({"tasks": [str(folders)]}, 403, "link: expected a folder under"),
        ({"tasks": [str(folders / "t1")], "weight": 0}, 400, "more than 0"),
        ({"tasks": [str(folders / "t1")], "priority": True}, 400, "expected a number"),
        ({"tasks": [str(folders / "t1")], "pickle": "x"}, 400, "unknown: pickle"),
        ({"tasks": [str(folders / "t1")], "job": "../../x"}, 409, "job name"),
    ]:
        answer = client.post("/v1/jobs", json=body)
        assert answer.status_code == code and text in answer.json()["error"], (body, answer.text)
    assert client.post("/v1/jobs", content=b"{").status_code == 400
    assert client.get("/v1/proofs/..%2f..%2fetc").status_code in (400, 404)
    assert client.get("/v1/proofs/zz").status_code == 400
    assert client.get("/v1/proofs/" + "0" * 64).status_code == 404
    assert client.get("/v1/jobs/nobody").status_code == 404
    assert client.get("/v1/jobs/nobody/events").status_code == 404
    assert client.post("/v1/jobs/nobody/cancel").status_code == 404


def test_http_refuses_bodies_that_are_hardly_json(client: Any, folders: Path, tmp_path: Path) -> None:
    for body in (b'{"tasks": ["\\ud800"]}', b'{"tasks": ["a\\u0000b"]}', b"[" * 200_000):
        answer = client.post("/v1/jobs", content=body)
        assert answer.status_code == 400, (body[:40], answer.text)
        assert answer.json()["error"]


def test_a_token_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    from whorl.cluster.http import read_token

    path = tmp_path / "token"
    path.write_text("0123456789abcdef\n")
    path.chmod(0o644)
    with pytest.raises(PermissionError, match="others can read"):
        read_token(path)
    path.chmod(0o600)
    assert read_token(path) == "0123456789abcdef"
    path.write_text("short")
    with pytest.raises(PermissionError, match="16 characters"):
        read_token(path)


def test_serve_makes_a_token_and_listens_on_this_machine_only(cluster: Any, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(whorl.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])}
    command = [
        sys.executable,
        "-m",
        "whorl.cluster",
        "serve",
        "--store",
        str(tmp_path / "store"),
        "--port",
        "0",
        "--threads",
        "1",
        "--address",
        cluster.address,
    ]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        text = ""
        while "token: " not in text:
            line = process.stderr.readline()
            assert line, f"the server has ended: {text}"
            text += line
        address = re.search(r"http://(\S+):(\d+)", text)
        token = re.search(r"token: (\S{40,})", text)
        assert address and token and address[1] == "127.0.0.1"
        request = urllib.request.Request(f"http://{address[1]}:{address[2]}/v1/jobs", headers={"Authorization": f"Bearer {token[1]}"})
        assert json.load(urllib.request.urlopen(request)) == {"jobs": []}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        actor = ray.get_actor("whorl-cluster", namespace="whorl")
        ray.kill(actor)
        wait_until(lambda: not _has_driver(), "the driver has ended")


# Metrics and the report


def test_metrics_reach_the_exporter_of_ray(pool: Any) -> None:
    pytest.importorskip("opencensus", reason="Ray's exporter needs ray[default]")
    pool.submit([fibonacci(seed) for seed in range(10)]).wait(60)
    urls = [f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics" for node in ray.nodes() if node["Alive"]]

    def scrape() -> str:
        text = ""
        for url in urls:
            try:
                text += urllib.request.urlopen(url, timeout=5).read().decode()
            except OSError:
                continue
        return text if "whorl_tasks" in text and "whorl_utilisation" in text else ""

    text = wait_until(scrape, "whorl's metrics", 120)
    for name in (
        "whorl_attempts",
        "whorl_tasks",
        "whorl_queue",
        "whorl_places",
        "whorl_stage_seconds",
        "whorl_device_memory_bytes",
        "whorl_utilisation",
    ):
        assert f"ray_{name}" in text, name
    assert re.search(r'ray_whorl_stage_seconds_count\{[^}]*stage="verify"', text, re.I) or 'stage="verify"' in text.lower()


def record_with(attempts: list[Attempt], names: dict[int, str]) -> JobRecord:
    record = JobRecord("drawn", {"created": 100.0}, names=names, sealed=len(names), attempts=attempts)
    record.states = [{"state": "running", "t": 100.0}, {"state": "done", "t": 111.0}]
    record.done = {a.index: {"t": a.end} for a in attempts if a.outcome == "proved"}
    record.last = 111.0
    record.places = [{"place": "p", "state": "up", "t": 100.0}, {"place": "p", "state": "gone", "t": 105.0, "reason": "killed"}]
    return record


def proof_at(index: int, place: str, begin: float, end: float, outcome: str = "proved", error: str = "") -> Attempt:
    return Attempt(
        index, place, outcome, begin, end, {"taken": begin, "began": begin, "proved": end, "ended": end}, {"whir": end - begin}, error
    )


def test_idle_time_counts_until_the_last_proof_begins() -> None:
    record = record_with(
        [proof_at(0, "a", 100, 101), proof_at(1, "a", 103, 104), proof_at(2, "b", 100, 104), proof_at(3, "b", 104, 111)], {}
    )
    use = record.use_of_places()
    assert use["a"] == {"busy_s": 2.0, "idle_s": 2.0, "idle_share": 0.5}
    assert use["b"]["idle_s"] == 0.0


def test_a_report_of_many_attempts_stays_small() -> None:
    attempts = [proof_at(k, f"p{k % 4}", 100 + k * 1e-4, 100 + k * 1e-4 + 3e-4) for k in range(100_000)]
    page = render(record_with(attempts, {}), now=0.0)
    assert len(page) < 3_000_000 and "100000" in page


def test_the_report_in_a_browser(pool: Any, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium: apt-get install chromium")
    bad = whorl.Task(
        fibonacci(3, right=False).vk, fibonacci(3, right=False).traces, name="</title><script>document.title='taken over'</script>"
    )
    job = pool.submit([*(fibonacci(seed) for seed in range(20)), bad])
    job.wait(60)
    pool._link._journal.flush(10.0)
    record = read_job(pool._link._store, job.job)
    page = tmp_path / "report.html"
    page.write_text(render(record), encoding="utf-8")
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path}/profile",
        "--enable-logging=stderr",
        "--v=0",
    ]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    dom = done.stdout
    assert f"<title>Job {job.job}</title>" in dom and "taken over" not in re.search(r"<title>(.*?)</title>", dom)[1]  # type: ignore[index]
    assert "<script" not in dom.lower(), "names of tasks are text"
    assert "CONSOLE" not in done.stderr, done.stderr
    timeline = dom[dom.index('id="timeline"') : dom.index('id="progress"')]
    assert timeline.count('class="bar"') == len(record.attempts) == 21
    assert all(section in dom for section in ('id="progress"', 'id="times"', 'id="stages"', 'id="places"', 'id="failures"'))
    shot = tmp_path / "report.png"
    subprocess.run(
        [*command, f"--screenshot={shot}", "--window-size=1150,1800", page.as_uri()], capture_output=True, timeout=120, check=True
    )
    assert shot.stat().st_size > 20_000


# Everything dies


_LIFE = """
import json, sys
sys.path.insert(0, {tests!r})
import ray
from ray.cluster_utils import Cluster as Nodes
from small_tasks import fibonacci, slow
from whorl.cluster import Call, Cluster, Places

nodes = Nodes(initialize_head=True, head_node_args={{"num_cpus": 0, "include_dashboard": False}})
for _ in range(2):
    nodes.add_node(num_cpus=1)
ray.init(address=nodes.address, namespace="whorl", log_to_driver=False, logging_level="ERROR")
cluster = Cluster({store!r}, places=Places(device="cpu", threads=1))
if sys.argv[1] == "first":
    job = cluster.submit([Call(slow, seed, 0.03) for seed in range(100)], detach=True, job="life")
    for status in job.watch(0.05):
        if status["proved"] >= 20:
            break
    print(json.dumps(status), flush=True)
    nodes.remove_node(nodes.head_node, allow_graceful=False)  # the control store and the driver's node, by SIGKILL
else:
    print(json.dumps(cluster.resume("life", detach=True).wait(120)), flush=True)
    cluster.stop()
import os
for node in list(nodes.worker_nodes):
    nodes.remove_node(node, allow_graceful=False)
if sys.argv[1] != "first":
    ray.shutdown()
    nodes.shutdown()
os._exit(0)
"""


def test_the_head_dies_in_mid_job_and_a_new_one_resumes(cluster: Any, tmp_path: Path, note: Any) -> None:
    script = _LIFE.format(tests=str(Path(__file__).parent), store=str(tmp_path / "store"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(whorl.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])}
    answers = []
    for phase in ("first", "second"):
        done = subprocess.run([sys.executable, "-c", script, phase], env=environment, capture_output=True, text=True, timeout=200)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr
        answers.append(json.loads(lines[-1]))
        store = open_store(tmp_path / "store", create=False)
        if phase == "first":
            time.sleep(1.0)
            there = {leaf[:-4] for folder in store.names("proofs") for leaf in store.names(f"proofs/{folder}")}
            assert 20 <= len(there) < 100
    first, second = answers
    assert first["proved"] >= 20
    assert second["state"] == "done" and second["proved"] + second["finished_before"] == 100 and second["failed"] == 0
    for seed in range(100):
        digest, proof = expected(seed)
        assert store.read(f"proofs/{digest[:2]}/{digest}.bin") == proof
    record = read_job(store, "life")
    assert sorted(record.done) == list(range(100))
    proved = sum(a.outcome == "proved" for a in record.attempts)
    found = sum(a.outcome == "stored" for a in record.attempts)
    assert proved <= 100, "what was proved before is not proved again"
    assert second["finished_before"] + found >= 20, "what the journal did not know was found in the store"
    note(
        tasks=100,
        before=second["finished_before"],
        after=second["proved"],
        found_in_store=found,
    )
