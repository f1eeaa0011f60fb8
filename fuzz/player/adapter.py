"""An adapter's process and its sessions (JSON-RPC on stdin and stdout), with the standard library only."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import Any

from fuzz.player.outcome import SessionFailed

_LINES = 400  # of stderr that are kept
_LAST_WORDS = 0.5  # seconds for what is left in the pipes after the end
_HELLO = 10.0
_EXIT = 5.0  # seconds to end in after the end of its input


class Pending:
    """A request whose answer may have come already."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.answer: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()


class AdapterSession:
    """One session of an adapter."""

    def __init__(self, adapter: Adapter, name: str) -> None:
        self._adapter, self.name = adapter, name
        self.notifications: list[dict[str, Any]] = []
        self._ahead: deque[Pending] = deque()

    def begin(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """Make calls without waiting. Later `call`s of the same methods, in this order, return their results."""
        self._ahead += [self._adapter.send(method, {"session": self.name, **more}) for method, more in calls]

    def call(self, method: str, within: float, **params: Any) -> dict[str, Any]:
        """Call a method. Raises `SessionFailed`."""
        if self._ahead and self._ahead[0].method == method:
            pending = self._ahead.popleft()
        else:
            self._ahead.clear()
            pending = self._adapter.send(method, {"session": self.name, **params})
        return self._adapter.wait(pending, within)

    def state(self) -> str:
        """Return the last state that the adapter reported."""
        told = [one["params"].get("state", "") for one in list(self.notifications) if one["method"] == "state"]
        return str(told[-1]) if told else ""

    def death(self) -> str:
        """Return how the process ended, or why it cannot be used; empty if it can."""
        return self._adapter.death or self._adapter.failure

    @property
    def ended(self) -> bool:
        """Whether the end of the process was noticed."""
        return not self._adapter.usable

    @property
    def told(self) -> int:
        """How many notifications of this session came."""
        return len(self.notifications)

    def data(self, since: int = 0, until: int | None = None) -> list[tuple[int, bytes]]:
        """Return what the application received, from one `told` to another: component and octets."""
        return [
            (int(one["params"].get("component", 1)), base64.b64decode(str(one["params"].get("data", ""))))
            for one in self.notifications[since:until]
            if one["method"] == "data"
        ]


class Adapter:
    """A running adapter. ``echo``: also write its stderr on ours."""

    def __init__(self, command: list[str], *, echo: bool = False) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self.pid = self.process.pid
        self.heard = self.judged = 0
        self.begun: deque[int] = deque(maxlen=2)
        self.failure = ""
        self.garbled = False
        self.pics: dict[str, Any] = {}
        self._echo, self._killed = echo, False
        self._stderr: deque[str] = deque(maxlen=_LINES)
        self._sessions: dict[str, AdapterSession] = {}
        self._pending: dict[int, Pending] = {}
        self._count = 0
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()

    def greet(self) -> None:
        """Say hello. Raises `SessionFailed`."""
        hello = self.wait(self.send("hello", {"protocol": 1}), _HELLO)
        pics = hello.get("pics", {})
        self.pics = pics if isinstance(pics, dict) else {}

    def _read(self) -> None:
        for line in self.process.stdout or ():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if "method" in entry:
                owner = self._sessions.get(str(entry.get("params", {}).get("session", "")))
                if owner is not None:
                    owner.notifications.append(entry)
            elif (pending := self._pending.pop(entry.get("id", 0), None)) is not None:
                pending.answer.put(entry)
        for pending in list(self._pending.values()):
            pending.answer.put({"ended": True})

    def _listen(self) -> None:
        for line in self.process.stderr or ():
            text = line.decode(errors="replace").rstrip("\n")
            self._stderr.append(text)
            self.heard += 1
            if self._echo:
                sys.stderr.write(f"{text}\n")

    def send(self, method: str, params: dict[str, Any]) -> Pending:
        """Send a request."""
        self._count += 1
        pending = self._pending[self._count] = Pending(method)
        line = json.dumps({"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}) + "\n"
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except (OSError, ValueError):
            pass  # `wait` finds out
        return pending

    def wait(self, pending: Pending, within: float) -> dict[str, Any]:
        """Wait for the result of a request. Raises `SessionFailed`."""
        method, deadline = pending.method, time.monotonic() + within
        while True:
            try:
                entry = pending.answer.get(timeout=0.05)
            except queue.Empty:
                if self.process.poll() is not None and pending.answer.empty():
                    break
                if time.monotonic() > deadline:
                    self.failure = f"the adapter did not answer {method} within {within:g} s"
                    raise SessionFailed(f"{method}: no answer within {within:g} s", hung=True) from None
                continue
            if "ended" in entry:
                break
            if "error" in entry:
                raise SessionFailed(f"{method}: {entry['error']}")
            return dict(entry.get("result") or {})
        raise SessionFailed(f"{method}: the adapter has ended")

    def session(self) -> AdapterSession:
        """Return a new session; nothing is opened yet."""
        name = f"r{len(self._sessions) + 1}"
        self._sessions[name] = AdapterSession(self, name)
        return self._sessions[name]

    @property
    def usable(self) -> bool:
        """Whether it runs and answers."""
        return not self._killed and not self.failure and self.process.poll() is None

    @property
    def death(self) -> str:
        """How the process ended by itself; empty if it runs, and if we ended it."""
        status = self.process.poll()
        if status is None or self._killed:
            return ""
        if status >= 0:
            return f"the adapter exited with status {status}"
        names = {number.value: number.name for number in signal.Signals}
        return f"the adapter was killed by {names.get(-status, f'signal {-status}')}"

    def dies(self, within: float) -> bool:
        """Whether it is dead, or dies within so many seconds."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def last_words(self, since: int = 0) -> list[str]:
        """Return the lines on stderr after so many; all of them once it has ended."""
        if self.process.poll() is not None:
            self._threads[1].join(_LAST_WORDS)
        lines = list(self._stderr)
        return lines[max(0, len(lines) - (self.heard - since)) :]

    def ended_by(self) -> str:
        """End it by the end of its input; return the signal that it dies of, in words; empty if it dies of none."""
        with contextlib.suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        went = self.dies(_EXIT)
        died = self.death if went and self.process.returncode < 0 else ""
        self.kill()
        return died

    def kill(self) -> None:
        """End it, and what it started."""
        self._killed = self._killed or self.process.poll() is None
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
