"""The cluster over HTTP: submit, status, events, cancel, proofs, report.

    GET    /health                      without a token: {"ok": true}
    GET    /v1/status                   places, totals, running jobs
    GET    /v1/jobs                     names
    POST   /v1/jobs                     {"tasks": [folders], "job": name, "priority": 0, "weight": 1, "deadline_s": s}
                                        → 201 {"job": name, "tasks": n}
    GET    /v1/jobs/JOB                 status
    GET    /v1/jobs/JOB/events          server-sent events: `task` for each delivery, `status`, and `end`
    POST   /v1/jobs/JOB/cancel          {} or {"tasks": [indices]}
    POST   /v1/jobs/JOB/resume          {} or {"retry_failed": true}
    GET    /v1/jobs/JOB/report          the page of report.py
    GET    /v1/proofs/DIGEST            bytes of a proof

Every path but /health wants `Authorization: Bearer TOKEN`. Whoever has the token can have any folder read as a task that the workers
can read, unless `tasks_under` says which. No pickles are taken: they would run code.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
import socket
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .events import JobError
from .report import read_job, render
from .store import StoreError, open_store

__all__ = ["application", "serve"]

MAX_BODY_BYTES = 64 << 20


class _Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _TokenCheck:
    """Answers 401 to what has no token or a wrong one, before anything of the request is read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = b"Bearer " + token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/health":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                response = JSONResponse({"error": "a token is needed: Authorization: Bearer TOKEN"}, 401, {"WWW-Authenticate": "Bearer"})
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _body(request: Request) -> dict[str, Any]:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY_BYTES:
            raise _Refused(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    if not data:
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _Refused(400, f"the body is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise _Refused(400, "the body is no JSON object")
    return value


def _number(values: dict[str, Any], name: str, default: Any, kind: type) -> Any:
    value = values.get(name, default)
    if value is default:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
        raise _Refused(400, f"{name} is {value!r}, expected a number")
    if kind is float and not 0 < value < float("inf"):
        raise _Refused(400, f"{name} is {value}, expected more than 0")
    return kind(value)


def application(jobs: Any, token: str, *, tasks_under: str | os.PathLike[str] | None = None) -> ASGIApp:
    """The ASGI application.

    Parameters
    ----------
    jobs
        A `Pool` or a `Cluster`.
    token
        What clients must show.
    tasks_under
        Accept only task folders under this one, links resolved.
    """
    root = None if tasks_under is None else Path(tasks_under).resolve()

    def checked(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                return await endpoint(request)
            except _Refused as error:
                return JSONResponse({"error": str(error)}, error.code)
            except JobError as error:
                return JSONResponse({"error": str(error)}, 404 if "not found" in str(error) else 409)
            except StoreError as error:
                return JSONResponse({"error": str(error)}, 503, {"Retry-After": "5"})

        return guarded

    async def health(request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def status(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(jobs.status))

    async def list_jobs(request: Request) -> Response:
        return JSONResponse({"jobs": await run_in_threadpool(jobs.jobs)})

    def folders(values: dict[str, Any]) -> list[str]:
        listed = values.get("tasks")
        if not isinstance(listed, list) or not listed or not all(isinstance(t, str) and t for t in listed):
            raise _Refused(400, "tasks: expected a list of task folders")
        from .cli import expand

        def check_place(text: str) -> None:
            if root is not None and not Path(text).resolve().is_relative_to(root):
                raise _Refused(403, f"{text}: expected a folder under {root}")

        try:
            for text in listed:
                text.encode()
                check_place(text)
            found = expand(listed)
            # A link in a folder may lead out of it.
            for text in found:
                check_place(text)
            return found
        except (ValueError, OSError) as error:
            raise _Refused(400, f"tasks: {error}".encode(errors="backslashreplace").decode()) from None

    async def submit(request: Request) -> Response:
        values = await _body(request)
        unknown = set(values) - {"tasks", "job", "priority", "weight", "deadline_s"}
        if unknown:
            raise _Refused(400, f"unknown: {', '.join(sorted(unknown))}")
        name = values.get("job")
        if name is not None and not isinstance(name, str):
            raise _Refused(400, "job: expected a name")
        tasks = await run_in_threadpool(folders, values)
        options = {
            "priority": _number(values, "priority", 0, int),
            "weight": _number(values, "weight", 1.0, float),
            "deadline_s": _number(values, "deadline_s", None, float),
        }
        handle = await run_in_threadpool(lambda: jobs.submit(tasks, job=name, detach=True, **options))
        return JSONResponse({"job": handle.job, "tasks": len(tasks)}, 201, {"Location": f"/v1/jobs/{handle.job}"})

    async def job_status(request: Request) -> Response:
        name = request.path_params["job"]
        return JSONResponse(await run_in_threadpool(lambda: jobs.handle(name).status()))

    async def cancel(request: Request) -> Response:
        name = request.path_params["job"]
        values = await _body(request)
        indices = values.get("tasks")
        if indices is not None and not (isinstance(indices, list) and all(type(i) is int for i in indices)):
            raise _Refused(400, "tasks: expected a list of indices")
        handle = await run_in_threadpool(jobs.handle, name)
        await run_in_threadpool(handle.cancel, indices)
        return JSONResponse({"job": name}, 202)

    async def resume(request: Request) -> Response:
        name = request.path_params["job"]
        values = await _body(request)
        retry = values.get("retry_failed", False)
        if not isinstance(retry, bool):
            raise _Refused(400, "retry_failed: expected true or false")
        await run_in_threadpool(lambda: jobs.resume(name, detach=True, retry_failed=retry))
        return JSONResponse({"job": name}, 202)

    async def events(request: Request) -> Response:
        name = request.path_params["job"]
        text = request.headers.get("last-event-id", request.query_params.get("after", "0"))
        if not text.isdecimal():
            raise _Refused(400, f"after is {text!r}, expected a number")
        handle = await run_in_threadpool(jobs.handle, name)
        await run_in_threadpool(handle.status)

        async def stream() -> AsyncIterator[str]:
            after = int(text)
            while not await request.is_disconnected():
                try:
                    found, seq, is_end = await run_in_threadpool(jobs._link.events, name, after, 1.0)
                except JobError:
                    found, seq, is_end = [], after, True  # it is not running: its status is all there is
                if found and found[0]["seq"] > after + 1:
                    yield f"event: missed\ndata: {found[0]['seq'] - after - 1}\n\n"
                for event in found:
                    yield f"id: {event['seq']}\nevent: task\ndata: {json.dumps(event)}\n\n"
                after = max(after, seq)
                state = await run_in_threadpool(handle.status)
                yield f"event: status\ndata: {json.dumps(state)}\n\n"
                if is_end:
                    yield "event: end\ndata: {}\n\n"
                    return
                await asyncio.sleep(0.2)

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def proof(request: Request) -> Response:
        try:
            data = await run_in_threadpool(jobs._link.read_proof, request.path_params["digest"])
        except ValueError as error:
            raise _Refused(400, str(error)) from None
        except FileNotFoundError:
            raise _Refused(404, "no proof of this digest") from None
        return Response(data, media_type="application/octet-stream")

    async def report(request: Request) -> Response:
        name = request.path_params["job"]

        def make() -> str:
            jobs.handle(name)
            jobs._link.flush()
            return render(read_job(open_store(jobs.status()["store"], create=False), name))

        return HTMLResponse(await run_in_threadpool(make))

    routes = [
        Route("/health", health),
        Route("/v1/status", checked(status)),
        Route("/v1/jobs", checked(list_jobs)),
        Route("/v1/jobs", checked(submit), methods=["POST"]),
        Route("/v1/jobs/{job}", checked(job_status)),
        Route("/v1/jobs/{job}/events", checked(events)),
        Route("/v1/jobs/{job}/cancel", checked(cancel), methods=["POST"]),
        Route("/v1/jobs/{job}/resume", checked(resume), methods=["POST"]),
        Route("/v1/jobs/{job}/report", checked(report)),
        Route("/v1/proofs/{digest}", checked(proof)),
    ]
    return _TokenCheck(Starlette(routes=routes), token)


def read_token(path: str | os.PathLike[str]) -> str:
    """The token of a file that others cannot read. Raises OSError."""
    with open(path, encoding="ascii") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise PermissionError(f"{os.fspath(path)}: others can read it; chmod 600 it")
        token = file.read().strip()
    if len(token) < 16:
        raise PermissionError(f"{os.fspath(path)}: a token of at least 16 characters is expected")
    return token


def serve(jobs: Any, *, host: str = "127.0.0.1", port: int = 8642, token_file: str | None = None, tasks_under: str | None = None) -> None:
    """Serve until Ctrl-C.

    Parameters
    ----------
    host
        Address to listen at. Anything but this machine's needs a proxy with TLS before it: the token travels in plain text.
    token_file
        File with the token; None: one is made and printed once, on standard error.
    """
    import uvicorn

    token = secrets.token_urlsafe(32) if token_file is None else read_token(token_file)
    config = uvicorn.Config(
        application(jobs, token, tasks_under=tasks_under), host=host, port=port, log_level="warning", server_header=False
    )
    listening = config.bind_socket()
    shown_host, shown_port = listening.getsockname()[:2]

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(f"listening at http://{shown_host}:{shown_port}", file=sys.stderr, flush=True)
            if token_file is None:
                print(f"token: {token}", file=sys.stderr, flush=True)

    Announcing(config).run(sockets=[listening])
