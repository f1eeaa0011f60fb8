"""The IUT of a campaign: its adapter process, started anew after a death, and what it wrote on stderr."""

from __future__ import annotations

import base64
import contextlib
import itertools
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from conformance.iut import protocol
from conformance.iut.errors import AdapterDied, AdapterError, AdapterHung, RpcError
from conformance.iut.process import AdapterProcess
from fuzz.campaign.player import StageFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.iut.process import Pending
    from conformance.iut.stacks import Stack

_LINES = 400  # of stderr, kept per process


class Iut:
    """One running adapter."""

    def __init__(self, stack: Stack, environment: Mapping[str, str] | None = None) -> None:
        """Start it. Raises `AdapterError`."""
        self.stack = stack
        self.stderr: deque[str] = deque(maxlen=_LINES)
        self.heard = 0  # lines of stderr ever
        self._names = itertools.count(1)
        self.process = AdapterProcess(stack.command, {**stack.environment, **(environment or {})})
        self.process.attach(self._take)
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

    def _take(self, channel: str, text: str) -> None:
        if channel == "stderr":
            self.stderr.append(text)
            self.heard += 1

    @property
    def pid(self) -> int:
        """The adapter's process."""
        return self.process.pid

    @property
    def death(self) -> str:
        """How it ended, or nothing."""
        if self.process.death is None and self.process.usable:
            return ""
        return str(self.process.death or "") or self._ending()

    def _ending(self) -> str:
        """Return how it ended; it has, but this is not told yet."""
        if self.process.retired:
            return "it no longer answers"
        self.process._child.exited.wait(1.0)  # noqa: SLF001
        for thread in self.process._child._threads:  # noqa: SLF001  (they hold its last words)
            thread.join(1.0)
        return str(self.process.death or "it ended")

    def last_words(self, since: int = 0) -> list[str]:
        """Return what it wrote on stderr after so many lines, all of it when it has ended."""
        if not self.process._child.running:  # noqa: SLF001
            self._ending()
        lines = list(self.stderr)
        return lines[max(0, len(lines) - (self.heard - since)) :]

    def dies(self, within: float) -> bool:
        """Whether it is dead, or is so in a moment: its sockets are closed before it is gone."""
        deadline = time.monotonic() + within
        while self.process.usable:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def session(self) -> Session:
        """Return a new session; nothing is opened yet."""
        return Session(self, f"f{next(self._names)}")

    def kill(self) -> None:
        """End it."""
        self.process.kill()


class Session:
    """One session of an adapter, as a stage uses it."""

    def __init__(self, iut: Iut, name: str) -> None:
        self.iut = iut
        self._session = iut.process.session(name, lambda *_: None)
        self._ahead: deque[tuple[str, Pending]] = deque()

    def begin(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """Make calls that `call` will be about, in this order, without waiting for their results."""
        with contextlib.suppress(AdapterError):
            for method, params in calls:
                self._ahead.append((method, self._session.begin(method, params)))

    def _call(self, method: str, within: float, params: dict[str, Any]) -> Mapping[str, Any]:
        if self._ahead:
            begun, pending = self._ahead.popleft()
            if begun == method:
                return self.iut.process.wait(pending, within)
            self._ahead.clear()
        return self._session.call(method, timeout=within, **params)

    def call(self, method: str, within: float, **params: Any) -> dict[str, Any]:
        """Call a method. Raises `StageFailed`."""
        try:
            return dict(self._call(method, within, params))
        except RpcError as error:
            raise StageFailed(f"{method}: {error}") from None
        except AdapterHung as error:
            raise StageFailed(f"{method}: {error}", hung=True) from None
        except AdapterDied as error:
            raise StageFailed(f"{method}: {error}") from None
        except AdapterError as error:
            raise StageFailed(f"{method}: {error}") from None
        finally:
            if method == "close":
                self._session._process.forget(self._session)  # noqa: SLF001

    def state(self) -> str:
        """Return the last state that was told of."""
        for told in reversed(list(self._session.notifications)):
            if told.method == "state":
                return str(told.params.get("state", ""))
        return ""

    def death(self) -> str:
        """Return how the process ended, or nothing."""
        return self.iut.death if self.ended or not self.iut.process.usable else ""

    @property
    def ended(self) -> bool:
        """Whether the process's end was told; it takes a moment, but nothing to ask."""
        return self._session.died is not None

    @property
    def told(self) -> int:
        """How often the IUT told something of this session."""
        return len(self._session.notifications)

    def data(self, since: int = 0, until: int | None = None) -> list[tuple[int, bytes]]:
        """Return what was delivered to the application, from one `told` to another: component and octets."""
        found = []
        for told in itertools.islice(list(self._session.notifications), since, until):
            if told.method == "data":
                octets = base64.b64decode(str(told.params.get("data", "")))
                found.append((int(told.params.get("component", 1)), octets))
        return found
