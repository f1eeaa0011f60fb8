# SPDX-License-Identifier: GPL-2.0-or-later
"""What adapters in Python share of the adapter contract: calls in, answers and notifications out.

An adapter derives a class from `Session`, with methods named like the contract's. Each session is one object of it and
has a thread of its own, which serves its calls in order. Only the standard library is needed.
"""

from __future__ import annotations

import functools
import json
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

NO_METHOD, NO_PARAMS, REJECTED, INTERNAL = -32601, -32602, -32010, -32603
METHODS = ("open", "describe", "accept", "trickle", "send", "restart", "close")
_writing = threading.Lock()


class Refused(Exception):
    """An error of the contract's; with `REJECTED` the text is the stack's own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def write(line: Mapping[str, Any]) -> None:
    """Write one line of JSON-RPC."""
    text = json.dumps({"jsonrpc": "2.0", **line}) + "\n"
    with _writing:
        sys.stdout.write(text)
        sys.stdout.flush()


class Session:
    """One session. A subclass has the contract's methods: each takes the params of a call and returns the result."""

    def __init__(self, name: str) -> None:
        self.name = name

    def tell(self, method: str, **params: Any) -> None:
        """Write a notification of this session's."""
        write({"method": method, "params": {"session": self.name, **params}})


class _Served:
    """A session, and the thread that serves its calls."""

    def __init__(self, session: Session, gone: Callable[[], object]) -> None:
        self.calls: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._session, self._gone = session, gone
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            call = self.calls.get()
            outcome = _outcome(functools.partial(getattr(self._session, call["method"]), call["params"]))
            last = call["method"] == "close" or (call["method"] == "open" and "error" in outcome)
            if last:
                self._gone()  # before it is answered: whoever has the answer may open a session of the same name
            write({"id": call["id"], **outcome})
            if last:
                return


def _outcome(work: Callable[[], Any]) -> dict[str, Any]:
    """Return what a call came to, as its answer says it."""
    try:
        result = work()
    except Refused as refused:
        return {"error": {"code": refused.code, "message": str(refused)}}
    except Exception as error:  # of the stack or of the adapter: the tester is told, and the log says where
        traceback.print_exc()
        return {"error": {"code": INTERNAL, "message": f"{type(error).__name__}: {error}"}}
    return {"result": {} if result is None else result}


def _answer(call: Mapping[str, Any], work: Callable[[], Any]) -> None:
    write({"id": call["id"], **_outcome(work)})


def _refusing(code: int, text: str) -> Callable[[], Any]:
    def refuse() -> Any:
        raise Refused(code, text)

    return refuse


def serve(kind: Callable[[str], Session], hello: Mapping[str, Any]) -> None:
    """Serve stdin until it ends. `kind` makes the session of a name; `hello` is the result of that call."""
    sessions: dict[str, _Served] = {}
    methods = [name for name in METHODS if hasattr(kind, name)]
    for text in sys.stdin:
        call = json.loads(text)
        method, name = call["method"], call.get("params", {}).get("session")
        if method == "hello":
            _answer(call, lambda: hello)
        elif method not in methods:
            _answer(call, _refusing(NO_METHOD, "no such method"))
        elif method == "open":
            sessions[name] = _Served(kind(name), functools.partial(sessions.pop, name, None))
            sessions[name].calls.put(call)
        elif name not in sessions:
            _answer(call, _refusing(NO_PARAMS, "no such session"))
        else:
            sessions[name].calls.put(call)
