"""The IUT of a campaign: its adapter process, its sessions, and what it wrote on stderr."""

from __future__ import annotations

import base64
import contextlib
import itertools
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from conformance.iut import protocol
from conformance.iut.errors import AdapterDied, AdapterError, AdapterGarbage, AdapterHung, RpcError
from conformance.iut.incidents import Incident, Incidents, Kind
from conformance.iut.process import AdapterProcess
from fuzz.player.outcome import SessionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.iut.process import Pending
    from conformance.iut.stacks import Stack

_LINES = 400  # of stderr, kept per process


def starter(stack: Stack, environment: Mapping[str, str] | None = None) -> Callable[[], Iut]:
    """Return a function that starts the adapter and greets it. The function raises `AdapterError`."""

    def start() -> Iut:
        iut = Iut(stack, environment)
        try:
            iut.greet()
        except AdapterError:
            iut.kill()
            raise
        return iut

    return start


class _WrongIds(Incidents):
    """Incidents, with what is said of the first answer that nobody had asked for."""

    text = ""

    def add(self, incident: Incident) -> None:
        """Keep one."""
        super().add(incident)
        if incident.kind is Kind.WRONG_ID:
            self.text = self.text or incident.text


class Iut:
    """One running adapter; see `fuzz.judging.subject`."""

    def __init__(self, stack: Stack, environment: Mapping[str, str] | None = None) -> None:
        """Start it. Raises `AdapterError`."""
        self.stack = stack
        self.heard = self.judged = 0
        self.begun: deque[int] = deque(maxlen=2)
        self._stderr: deque[str] = deque(maxlen=_LINES)
        self._names = itertools.count(1)
        self._killed = False
        self._wrong = _WrongIds()
        self.process = AdapterProcess(stack.command, {**stack.environment, **(environment or {})}, self._wrong)
        self.process.attach(self._take)
        self.pid = self.process.pid
        self.hello: protocol.HelloResult | None = None

    def greet(self) -> protocol.HelloResult:
        """Say hello. Raises `AdapterError`."""
        if self.hello is None:
            try:
                result = self.process.call("hello", protocol.HELLO_WITHIN, protocol=protocol.VERSION)
                self.hello = protocol.hello(result)
            except protocol.Malformed as error:
                raise AdapterError(f"the adapter's hello: {error}") from None
        return self.hello

    @property
    def pics(self) -> Mapping[str, Any]:
        """What the adapter declared."""
        return self.greet().pics

    def _take(self, channel: str, text: str) -> None:
        if channel == "stderr":
            self._stderr.append(text)
            self.heard += 1

    @property
    def usable(self) -> bool:
        """Whether it runs and answers, as far as is known without asking."""
        return not self._killed and self.process.death is None and self.process.usable and not self._wrong.text

    @property
    def failure(self) -> str:
        """Why it cannot be used although it did not die by itself; empty if it can be used, or died."""
        error = self.process.death
        if self._killed:
            return ""
        if error is not None:
            return "" if isinstance(error, AdapterDied) else str(error)
        if self._wrong.text:
            return self._wrong.text
        return "it no longer answers" if self.process.retired and self.process._child.running else ""  # noqa: SLF001

    @property
    def garbled(self) -> bool:
        """Whether its output cannot be read."""
        return isinstance(self.process.death, AdapterGarbage) or bool(self._wrong.text)

    @property
    def death(self) -> str:
        """How it ended by itself; empty if it runs, and if we ended it."""
        if self.usable or self._killed or self.failure:
            return ""
        return str(self.process.death or "") or self._ending()

    def _ending(self) -> str:
        """Wait for the end of a process that is ending; return how it ended."""
        self.process._child.exited.wait(1.0)  # noqa: SLF001
        for thread in self.process._child._threads:  # noqa: SLF001  (they hold its last words)
            thread.join(1.0)
        return str(self.process.death or "it ended")

    def last_words(self, since: int = 0) -> list[str]:
        """Return the lines on stderr after so many; all of them once it has ended."""
        if not self.process._child.running:  # noqa: SLF001
            self._ending()
        lines = list(self._stderr)
        return lines[max(0, len(lines) - (self.heard - since)) :]

    def dies(self, within: float) -> bool:
        """Whether it is dead, or dies within so many seconds: its sockets close before it is gone."""
        deadline = time.monotonic() + within
        while self.process.usable:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def session(self) -> AdapterSession:
        """Return a new session; nothing is opened yet."""
        return AdapterSession(self, f"f{next(self._names)}")

    def ended_by(self) -> str:
        """End it as the contract says, by the end of its input; return the signal that it dies of, in words, if any."""
        went = self.process.close()
        self._killed = True  # whatever it says from now on is no death in a session
        child = self.process._child  # noqa: SLF001
        return f"the adapter {child.how}" if went and child.signalled else ""

    def kill(self) -> None:
        """End it. That is not a death of the IUT."""
        self._killed = self._killed or not self.death
        self.process.kill()


class AdapterSession:
    """One session of an adapter."""

    def __init__(self, iut: Iut, name: str) -> None:
        self._iut = iut
        self._session = iut.process.session(name, lambda *_: None)
        self._ahead: deque[tuple[str, Pending]] = deque()

    def begin(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """Make calls without waiting. Later `call`s of the same methods, in this order, return their results."""
        with contextlib.suppress(AdapterError):
            for method, params in calls:
                self._ahead.append((method, self._session.begin(method, params)))

    def _call(self, method: str, within: float, params: dict[str, Any]) -> Mapping[str, Any]:
        if self._ahead:
            begun, pending = self._ahead.popleft()
            if begun == method:
                return self._iut.process.wait(pending, within)
            self._ahead.clear()
        return self._session.call(method, timeout=within, **params)

    def call(self, method: str, within: float, **params: Any) -> dict[str, Any]:
        """Call a method. Raises `SessionFailed`."""
        try:
            return dict(self._call(method, within, params))
        except RpcError as error:
            raise SessionFailed(f"{method}: {error}") from None
        except AdapterHung as error:
            raise SessionFailed(f"{method}: {error}", hung=True) from None
        except AdapterError as error:
            raise SessionFailed(f"{method}: {error}") from None
        finally:
            if method == "close":
                self._session._process.forget(self._session)  # noqa: SLF001

    def state(self) -> str:
        """Return the last state that the adapter reported."""
        for told in reversed(list(self._session.notifications)):
            if told.method == "state":
                return str(told.params.get("state", ""))
        return ""

    def death(self) -> str:
        """Return how the process ended, or why it cannot be used; empty if it can."""
        return (self._iut.death or self._iut.failure or "it was ended") if not self._iut.usable else ""

    @property
    def ended(self) -> bool:
        """Whether the end of the process was noticed; asking costs nothing."""
        return self._session.died is not None

    @property
    def told(self) -> int:
        """How many notifications of this session came."""
        return len(self._session.notifications)

    def data(self, since: int = 0, until: int | None = None) -> list[tuple[int, bytes]]:
        """Return what the application received, from one `told` to another: component and octets."""
        found = []
        for told in itertools.islice(list(self._session.notifications), since, until):
            if told.method == "data":
                octets = base64.b64decode(str(told.params.get("data", "")))
                found.append((int(told.params.get("component", 1)), octets))
        return found
