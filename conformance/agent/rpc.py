"""JSON-RPC 2.0, one object a line, for an adapter: reading, dispatching in order per session, answering."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

PARSE_ERROR, INVALID_REQUEST, NO_SUCH_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL, UNABLE, REJECTED = -32603, -32000, -32010
_MAX_LINE = 64 << 20  # octets
_LAST_WORDS = 1.0  # seconds that calls which came before the end of input may still take
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


class RpcError(Exception):
    """What is answered instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Handler(Protocol):
    """Serves the methods."""

    def knows(self, method: str) -> bool:
        """Whether there is such a method."""
        ...

    async def call(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Serve a call. Raises `RpcError`."""
        ...

    def hurry(self, session: str) -> None:
        """Be told that a session's end waits behind what is being served for it."""
        ...

    def close(self) -> None:
        """Free everything."""
        ...


_lines: list[bytes] = []  # that are to be written


def write(message: Mapping[str, Any]) -> None:
    """Write one object as a line, together with what else this turn of the event loop says.

    A response and the notifications before it then wake the reader once.
    """
    line = _ENCODE({"jsonrpc": "2.0", **message}).encode() + b"\n"
    if not _lines:
        asyncio.get_running_loop().call_soon(_flush)
    _lines.append(line)


def _flush() -> None:
    """Write what waits. A reader that is gone ends the process' output silently."""
    view = memoryview(b"".join(_lines))
    _lines.clear()
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(1, view) :]


def notify(method: str, params: Mapping[str, Any]) -> None:
    """Write a notification."""
    write({"method": method, "params": params})


class Server:
    """Reads requests until the input ends. Calls of one session are served in order, sessions beside each other."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._queues: dict[str, asyncio.Queue[Mapping[str, Any]]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve until the end of input."""
        threading.Thread(target=self._read, name="stdin", daemon=True).start()
        await self._ended.wait()
        if self._workers:
            await asyncio.wait(self._workers.values(), timeout=_LAST_WORDS)
        self._handler.close()
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
        _flush()

    # -- reading (in its own thread: standard input may be a pipe, a terminal or a file) -------------------

    def _read(self) -> None:
        buffer = bytearray()
        while chunk := _read_input():
            buffer += chunk
            *lines, rest = buffer.split(b"\n") if b"\n" in chunk else [buffer]
            for line in lines:
                if line.strip():
                    self._loop.call_soon_threadsafe(self._on_line, bytes(line))
            buffer = rest
            if len(buffer) > _MAX_LINE:
                self._loop.call_soon_threadsafe(_refuse, None, PARSE_ERROR, "the line is too long")
                buffer.clear()
                break
        if buffer.strip():
            self._loop.call_soon_threadsafe(self._on_line, bytes(buffer))
        self._loop.call_soon_threadsafe(self._ended.set)

    # -- dispatching ---------------------------------------------------------------------------------------

    def _on_line(self, line: bytes) -> None:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            _refuse(None, PARSE_ERROR, f"not JSON: {error}")
            return
        problem = _problem(request)
        if problem:
            _refuse(request.get("id") if isinstance(request, dict) else None, INVALID_REQUEST, problem)
            return
        if not self._handler.knows(request["method"]):
            _refuse(request.get("id"), NO_SUCH_METHOD, f"no method {request['method']!r}")
            return
        params = request.get("params", {})
        session = params.get("session") if isinstance(params, dict) else None
        self._enqueue(session if isinstance(session, str) else "", request)

    def _enqueue(self, session: str, request: Mapping[str, Any]) -> None:
        queue = self._queues.get(session)
        if queue is None:
            queue = self._queues[session] = asyncio.Queue()
            self._workers[session] = self._loop.create_task(self._work(session, queue))
        queue.put_nowait(request)
        if request["method"] == "close":
            self._handler.hurry(session)

    async def _work(self, session: str, queue: asyncio.Queue[Mapping[str, Any]]) -> None:
        """Serve a session's calls; end when there are none, so that no task outlives its use."""
        while not queue.empty():
            await self._serve(queue.get_nowait())
        del self._queues[session], self._workers[session]

    async def _serve(self, request: Mapping[str, Any]) -> None:
        identifier = request.get("id")
        params = request.get("params", {})
        try:
            if not isinstance(params, dict):
                raise RpcError(INVALID_PARAMS, "params is no object")
            result = await self._handler.call(request["method"], params)
        except RpcError as error:
            _refuse(identifier, error.code, str(error))
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            _refuse(identifier, INTERNAL, f"internal error: {error!r}")
        else:
            if identifier is not None:
                write({"id": identifier, "result": result})


def _read_input() -> bytes:
    try:
        return os.read(0, 1 << 16)
    except OSError:
        return b""


def _problem(request: object) -> str:
    """Return what makes a request invalid (JSON-RPC 2.0 section 4); empty: nothing."""
    if not isinstance(request, dict):
        return "a request is one object"
    if request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        return "jsonrpc is not '2.0' or method is no string"
    if not isinstance(request.get("id", 0), int | str | float | None):
        return "id is neither a number nor a string"
    return ""


def _refuse(identifier: object, code: int, message: str) -> None:
    write({"id": identifier, "error": {"code": code, "message": message}})
