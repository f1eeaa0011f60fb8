"""One adapter process: calls and notifications of its sessions, and the one story of how it ended."""

from __future__ import annotations

import contextlib
import itertools
import re
import signal
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from conformance.iut import protocol
from conformance.iut.child import Child, LineTooLong
from conformance.iut.errors import (
    AdapterClosed,
    AdapterDied,
    AdapterError,
    AdapterFlooded,
    AdapterGarbage,
    AdapterHung,
    RpcError,
)
from conformance.iut.incidents import Incident, Incidents, Kind
from conformance.iut.said import Said
from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Log = Callable[[str, str], None]  # takes a channel ("->", "<-", "stderr", "note") and a line

_WRITE_WITHIN = 5.0  # seconds for an adapter to take one request from the pipe
_MOST_UNREAD = 16 << 20  # octets of notifications that a session's case has not looked at
_MOST_STRAY = 100_000  # notifications of sessions that are not open, without an answer in between
_MOST_GARBAGE = 100  # lines that are no JSON-RPC, likewise
_CRASH = re.compile(  # what runtimes and sanitizers say of a program that does not end as it wants to
    r"^Traceback \(most recent call last\)|^panic: |^fatal error: |^thread '.*' panicked|^Exception in thread |"
    r"^terminate called|\b(?:Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer\b|[Aa]ssertion\b.*\bfailed\b"
)
_EXCERPT = 60
_NAMED = 5  # cases named in a message


@frozen
class Notification:
    """What an adapter said by itself; ``time`` is `time.monotonic` seconds."""

    method: str
    params: Mapping[str, Any]
    time: float


class Pending:
    """A call under way. ``done`` becomes true once, from the reader's thread."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.done = False
        self.settled_at = 0.0  # `time.monotonic` seconds
        self._result: Mapping[str, Any] = {}
        self._error: AdapterError | None = None

    def result(self) -> Mapping[str, Any]:
        """Return the result. Raises `RpcError`, or another `AdapterError` if there is none (yet)."""
        if not self.done:
            raise AdapterHung(f"the adapter has not answered {self.method} yet")
        if self._error is not None:
            raise _another(self._error)
        return self._result

    def settle(self, result: Mapping[str, Any] | None, error: AdapterError | None) -> None:
        """Say how it ended."""
        self._result, self._error, self.settled_at = result or {}, error, time.monotonic()
        self.done = True


class Session:
    """One session of an adapter, as a case uses it. Only ``notifications`` and ``died`` change by themselves.

    ``on_activity`` is called, from a thread of the process's, when a response or a notification of the session has
    come and when the process has died.
    """

    def __init__(self, process: AdapterProcess, name: str, log: Log) -> None:
        self.name = name
        self.notifications: deque[Notification] = deque()
        self.died: AdapterError | None = None
        self.on_activity: Callable[[], None] = lambda: None
        self.log = log
        self.unread = 0  # octets in `notifications`, counted anew whenever the case has emptied it
        self._process = process

    def begin(self, method: str, parameters: Mapping[str, object]) -> Pending:
        """Call a method of this session without waiting. Raises `AdapterError` if the adapter is beyond calling."""
        return self._process.begin(method, {"session": self.name, **parameters}, self)

    def call(self, method: str, *, timeout: float = 10.0, **parameters: object) -> Mapping[str, Any]:
        """Call a method and wait for its result. Raises `AdapterError`, after `timeout` seconds `AdapterHung`."""
        return self._process.wait(self.begin(method, parameters), timeout)


class AdapterProcess:
    """A running adapter. Thread-safe.

    ``users`` is kept by the pool: the cases that it serves. ``death`` is how it ended, or None; ``victims`` are the
    users it had then. ``retired``: no further case shall use it. ``incidents`` may be shared with other processes.
    ``said`` is what it says to no session.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        incidents: Incidents | None = None,
        users: Sequence[str] = (),
    ) -> None:
        """Start it. Raises `AdapterDied` if that fails."""
        self.incidents = incidents or Incidents()
        self.sessions: dict[str, Session] = {}
        self.users = list(users)
        self.last_user = ""
        self.victims: frozenset[str] = frozenset()
        self.death: AdapterError | None = None
        self.retired = False
        self.stray = 0
        self.said = Said()
        self._logs: list[Log] = []
        self._state = threading.Condition()
        self._numbers = itertools.count(1)
        self._calls: dict[int, tuple[Pending, Session | None]] = {}
        self._garbage = 0
        self._answered_once = False
        self._last_words = ""
        self._crash_told = False  # on stderr, since its input has ended
        self._ending = False
        self.pid = 0
        try:
            self._child = Child(
                command,
                environment or {},
                line_limit=protocol.LONGEST_LINE,
                on_line=self._take,
                on_stderr=self._take_stderr,
                on_end=lambda how: self._die(AdapterDied(f"the adapter {how}{self._last_words}")),
                on_fault=self._fault,
            )
        except OSError as error:
            text = f"the adapter {command[0]!r} cannot be started: {error.strerror or error}"
            self._happened(Kind.FAILED, text)
            raise AdapterDied(text) from None
        self.pid = self._child.pid
        self._child.listen()

    @property
    def usable(self) -> bool:
        """Whether a case can begin with it."""
        return not self.retired and self._child.running

    # -- calling -------------------------------------------------------------------------------------------------

    def attach(self, log: Log) -> None:
        """Let a log have what the process says on stderr from now on."""
        with self._state:
            self._logs.append(log)

    def detach(self, log: Log) -> None:
        """End that."""
        with self._state:
            self._logs.remove(log)

    def session(self, name: str, log: Log) -> Session:
        """Return a new session; `log` gets its traffic."""
        session = Session(self, name, log)
        with self._state:
            session.died = self.death
            self.sessions[name] = session
        return session

    def forget(self, session: Session) -> list[str]:
        """Route nothing to this session any more; return the methods that were called and not answered."""
        with self._state:
            self.sessions.pop(session.name, None)
            return [pending.method for pending, owner in self._calls.values() if owner is session]

    def begin(self, method: str, parameters: Mapping[str, object], session: Session | None = None) -> Pending:
        """Send a request; its `Pending` is settled when the response comes or the process ends.

        Raises `AdapterError` if the process has ended, or does not read its input.
        """
        pending = Pending(method)
        with self._state:
            if self.death is not None:
                raise _another(self.death)
            number = next(self._numbers)
            self._calls[number] = pending, session
        line = protocol.encode(number, method, parameters)
        if session is not None:
            session.log("->", line.decode().rstrip())
        try:
            self._child.write(line, _WRITE_WITHIN)
        except TimeoutError:
            self._kill_for(AdapterHung(f"the adapter does not read its input ({method}, {_WRITE_WITHIN:g} s)"))
        return pending

    def wait(self, pending: Pending, timeout: float) -> Mapping[str, Any]:
        """Wait for a call's result. Raises `AdapterError`, after `timeout` seconds `AdapterHung`."""
        with self._state:
            if not self._state.wait_for(lambda: pending.done, timeout):
                self.retired = True
                raise AdapterHung(f"the adapter did not answer {pending.method} within {timeout:g} s")
        return pending.result()

    def call(self, method: str, timeout: float, **parameters: object) -> Mapping[str, Any]:
        """Call a method that belongs to no session, and wait."""
        return self.wait(self.begin(method, parameters), timeout)

    # -- hearing (in the child's thread) -------------------------------------------------------------------------

    def _take(self, line: bytes) -> None:
        try:
            message = protocol.decode(line)
        except protocol.Malformed as problem:
            self._refuse(line, str(problem))
            return
        if message.method is UNSET:
            self._answered(message, line)
        elif message.id is not UNSET:
            raise AdapterGarbage(f"the adapter sends requests to us; it seems to echo its input: {_excerpt(line)}")
        elif isinstance(message.params, dict):
            self._notified(str(message.method), message.params, line)
        else:
            self._refuse(line, "a notification without params")

    def _refuse(self, line: bytes, why: str, kind: Kind = Kind.STRANGE_LINE) -> None:
        """Put up with a few strange lines, but not before the first answer: then it is not an adapter at all."""
        self._garbage += 1
        if not self._answered_once or self._garbage > _MOST_GARBAGE:
            raise AdapterGarbage(f"the adapter wrote {why} on its stdout: {_excerpt(line)}; logs belong on stderr")
        self._log_all("note", f"ignored, {why}: {_excerpt(line)}")
        self._happened(kind, f"the adapter wrote {why}: {_excerpt(line)}")

    def _answered(self, message: protocol.Incoming, line: bytes) -> None:
        with self._state:
            entry = self._calls.pop(message.id, None) if isinstance(message.id, int) else None
        if entry is None:
            said = f": {message.error.message}" if message.error else ""
            self._refuse(line, f"a response to nothing that was asked{said}", Kind.WRONG_ID)
            return
        self._answered_once, self._garbage, self.stray = True, 0, 0
        pending, session = entry
        if session is not None:
            session.log("<-", line.decode(errors="replace"))
        with self._state:
            if message.error is not None:
                pending.settle(None, RpcError(message.error.code, message.error.message))
            elif isinstance(message.result, dict):
                pending.settle(message.result, None)
            else:
                what = "missing" if message.result is UNSET else f"no object: {message.result!r:.{_EXCERPT}}"
                pending.settle(None, AdapterGarbage(f"the result of {pending.method} is {what}"))
            self._state.notify_all()
        if session is not None:
            session.on_activity()

    def _notified(self, method: str, params: Mapping[str, Any], line: bytes) -> None:
        name = params.get("session")
        with self._state:
            session = self.sessions.get(name) if isinstance(name, str) else None
        if session is None:  # of a session that is over, or of none: nobody waits for it
            self.stray += 1
            if self.stray > _MOST_STRAY:
                raise AdapterFlooded(f"the adapter floods us for sessions that are not open: {_excerpt(line)}")
            return
        session.unread = len(line) + (session.unread if session.notifications else 0)
        if session.unread > _MOST_UNREAD:
            raise AdapterFlooded(f"the adapter floods session {name}: {_MOST_UNREAD >> 20} MiB unread")
        session.log("<-", line.decode(errors="replace"))
        session.notifications.append(Notification(method, params, time.monotonic()))
        session.on_activity()

    def _take_stderr(self, text: str) -> None:
        if text:
            self._last_words = f"; its last words: {text}"
        self._crash_told |= self._ending and _CRASH.search(text) is not None
        self._log_all("stderr", text)

    def _log_all(self, channel: str, text: str) -> None:
        self.said.add(channel, text)
        with self._state:
            logs = list(self._logs)
        for log in logs:
            log(channel, text)

    # -- ending --------------------------------------------------------------------------------------------------

    def _fault(self, error: BaseException) -> None:
        """Give up on an adapter whose output cannot be used."""
        if isinstance(error, LineTooLong):
            error = AdapterFlooded(f"the adapter wrote a line of more than {protocol.LONGEST_LINE} octets")
        elif isinstance(error, TimeoutError):
            error = AdapterClosed(f"the adapter closed its stdout and goes on running{self._last_words}")
        elif not isinstance(error, AdapterError):
            error = AdapterError(f"the tester could not take the adapter's output: {error!r}")
        self._kill_for(error)

    def _kill_for(self, error: AdapterError) -> None:
        self._die(error)
        self._child.signal_group(signal.SIGKILL)

    def _die(self, error: AdapterError) -> None:
        """Tell everybody, once."""
        with self._state:
            if self.death is not None:
                return
            self.victims = frozenset(self.users)
            if not self._ending:
                self.incidents.add(Incident.of(error, self.pid, *self._whose()))
            if len(self.victims) > 1:
                error = type(error)(f"{error}; cases in flight: {_names(self.users)}")
            self.death = error
            self.retired = True
            calls, self._calls = list(self._calls.values()), {}
            for pending, _ in calls:
                pending.settle(None, error)
            sessions = list(self.sessions.values())
            for session in sessions:
                session.died = error
            self._state.notify_all()
        if not self._ending:
            self._log_all("died", str(error))
        for session in sessions:
            with contextlib.suppress(Exception):  # one listener's trouble is not the others'
                session.on_activity()

    def close(self) -> bool:
        """End the adapter as the contract says, by its stdin's end; False if it had to be killed."""
        self._expect_end()
        went = self._child.end_input() and self._child.exited.wait(protocol.EXIT_WITHIN)
        if not went:
            self._happened(Kind.HUNG, f"the adapter stayed for {protocol.EXIT_WITHIN:g} s after its input had ended")
        self.kill()  # now its last words are there
        if went and self._ending and (self._child.signalled or (self._child.failed and self._crash_told)):
            self._happened(Kind.DIED, f"the adapter {self._child.how} when its input had ended{self._last_words}")
        return went

    def _happened(self, kind: Kind, text: str) -> None:
        self.incidents.add(Incident(kind, text, self.pid, *self._whose()))

    def _whose(self) -> tuple[tuple[str, ...], str]:
        """Return the cases in flight and, of an idle process, the last one that used it."""
        cases = tuple(self.users)
        return cases, "" if cases else self.last_user

    def kill(self) -> None:
        """End the adapter and whatever it started, now."""
        self._expect_end()
        self._child.kill()

    def _expect_end(self) -> None:
        """Take its end from now on for our own doing; an end that has come already is its own."""
        self._ending = self._ending or self._child.running


def _another(error: AdapterError) -> AdapterError:
    """Return the like of an error, for one more thread to raise: a traceback is one thread's."""
    return error if isinstance(error, RpcError) else type(error)(str(error))


def _excerpt(line: bytes) -> str:
    text = line[:_EXCERPT].decode(errors="replace")
    return repr(text + "…" if len(line) > _EXCERPT else text)


def _names(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    return ", ".join(cases[:_NAMED]) + more
