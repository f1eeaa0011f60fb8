"""Adapter processes for many cases at once: places in them, replacement of the dead, one that is a case's own."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from typing import TYPE_CHECKING

from conformance.iut import protocol
from conformance.iut.errors import AdapterError, AdapterGarbage, AdapterHung, RpcError
from conformance.iut.incidents import Incident, Incidents
from conformance.iut.lease import Lease
from conformance.iut.process import AdapterProcess
from conformance.iut.protocol import HelloResult as Hello

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conformance.iut.stacks import Stack

__all__ = ["Hello", "Lease", "Pool"]


class Pool:
    """Processes of one stack, started as cases need them and no more than `processes`.

    Cases that want a process of their own get it in addition, again no more than `processes` at once. Thread-safe.
    """

    def __init__(self, stack: Stack, *, processes: int, log_dir: Path, hello: Hello | None = None) -> None:
        """`hello` is what the stack has said, if it was greeted before."""
        self._stack = stack
        self._limit = processes
        self.log_dir = log_dir
        self._hello = hello
        self._greeting = threading.Lock()
        self._all: set[AdapterProcess] = set()  # whatever runs, also what is being greeted
        self._shared: list[AdapterProcess] = []
        self._leases: dict[AdapterProcess, set[Lease]] = {}
        self._starting = 0
        self._waiting = 0
        self._alone = 0
        self._state = threading.Condition()
        self._closed = False
        self._incidents = Incidents()

    @property
    def incidents(self) -> list[Incident]:
        """What the adapter did against the contract so far, in any of its processes, in order."""
        return self._incidents.all()

    def hello(self, meanwhile: Callable[[], None] = lambda: None) -> Hello:
        """Start a first process, greet it, and make sure that it does not say yes to everything.

        `meanwhile` is called while the process starts. Raises `AdapterError`.
        """
        with self._greeting:
            if self._hello is None:
                process, hello = self._start((), meanwhile)
                try:
                    _require_refusal(process)
                except AdapterError:
                    self._end(process, AdapterProcess.kill)
                    raise
                self._hello = hello
                with self._state:
                    self._shared.append(process)
                    self._leases[process] = set()
            return self._hello

    def prepare(self) -> None:
        """Start a first process before a case asks for one, of a stack that was greeted before.

        If that fails, the case will try again and say so.
        """
        with self._state:
            self._starting += 1
        process = None
        with contextlib.suppress(AdapterError):
            process, _ = self._start(())
        with self._state:
            self._starting -= 1
            if process is not None:
                self._shared.append(process)
                self._leases[process] = set()
            self._state.notify_all()

    @property
    def sessions(self) -> int:
        """How many sessions one process serves at once."""
        sessions = self.hello().pics.get("sessions", 1)
        assert isinstance(sessions, int)  # checked with hello
        return sessions

    @contextlib.contextmanager
    def lease(self, case: str, *, isolated: bool = False, timeout: float | None = None) -> Iterator[Lease]:
        """Hold a place in a process for a case; isolated: in a fresh process that no other case uses.

        Waits for a free place, at most `timeout` seconds. Raises `AdapterError` when there is none by then, or when a
        process cannot be started.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        lease = self._take_own(case, deadline) if isolated else self._take_place(case, deadline)
        try:
            yield lease
        finally:
            self._give_back(lease)

    # -- places --------------------------------------------------------------------------------------------------

    def _take_place(self, case: str, deadline: float | None) -> Lease:
        capacity = self.sessions
        with self._state:
            self._waiting += 1
            try:
                while True:
                    self._drop_dead()
                    free = [p for p in self._shared if p.usable and len(self._leases[p]) < capacity]
                    if free and not self._closed:
                        return self._admit(case, min(free, key=lambda p: len(self._leases[p])), isolated=False)
                    if self._may_start(capacity):
                        break
                    self._wait(deadline)
            finally:
                self._waiting -= 1
            self._starting += 1
        try:
            process, _ = self._start((case,))
        finally:
            with self._state:
                self._starting -= 1
                self._state.notify_all()
        with self._state:
            self._shared.append(process)
            return self._admit(case, process, isolated=False)

    def _may_start(self, capacity: int) -> bool:
        """Whether one more process is allowed, and needed by those who wait (the asker is one of them)."""
        return len(self._shared) + self._starting < self._limit and self._starting * capacity < self._waiting

    def _take_own(self, case: str, deadline: float | None) -> Lease:
        with self._state:
            while self._alone >= self._limit:
                self._wait(deadline)
            self._alone += 1
        try:
            process, _ = self._start((case,))
            with self._state:
                return self._admit(case, process, isolated=True)
        except BaseException:
            with self._state:
                self._alone -= 1
                self._state.notify_all()
            raise

    def _wait(self, deadline: float | None) -> None:
        if self._closed:
            raise AdapterError("the run is ending")
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise AdapterHung("no adapter process became free in time")
        self._state.wait(left)

    def _admit(self, case: str, process: AdapterProcess, *, isolated: bool) -> Lease:
        """Give a case a place; called with the state held."""
        lease = Lease(case, process, self.log_dir, isolated=isolated)
        others = self._leases.setdefault(process, set())
        lease.neighbours.update(other.case for other in others)
        for other in others:
            other.neighbours.add(case)
        others.add(lease)
        process.users = [other.case for other in others]
        return lease

    def _give_back(self, lease: Lease) -> None:
        process = lease.process
        with self._state:
            others = self._leases[process]
            others.discard(lease)
            process.last_user = lease.case
            process.users = [other.case for other in others]
            lease.close()
            if lease.isolated:
                self._alone -= 1
            over = not others and (process.retired or lease.isolated)
            if over:
                self._forget(process)
            self._state.notify_all()

    def _drop_dead(self) -> None:
        """Forget processes that ended while nobody used them."""
        for process in [p for p in self._shared if not self._leases[p] and not p.usable]:
            self._forget(process)

    def _forget(self, process: AdapterProcess) -> None:
        """End a process that no case will use again, without making anybody wait for it."""
        del self._leases[process]
        if process in self._shared:
            self._shared.remove(process)
        how = AdapterProcess.close if process.usable else AdapterProcess.kill
        threading.Thread(target=self._end, args=(process, how), name="adapter-end", daemon=True).start()

    # -- processes -----------------------------------------------------------------------------------------------

    def _start(
        self, cases: tuple[str, ...], meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[AdapterProcess, Hello]:
        """Start a process and greet it, for these cases. Raises `AdapterError`."""
        with self._state:
            if self._closed:
                raise AdapterError("the run is ending")
            process = AdapterProcess(self._stack.command, self._stack.environment, self._incidents, cases)
            self._all.add(process)
        try:
            meanwhile()
            return process, _greet(process)
        except BaseException as error:
            if isinstance(error, AdapterError) and process.death is None and not self._closed:
                self._incidents.add(Incident.of(error, process.pid, cases))
            self._end(process, AdapterProcess.kill)
            raise

    def _end(self, process: AdapterProcess, how: Callable[[AdapterProcess], object]) -> None:
        how(process)
        with self._state:
            self._all.discard(process)

    def close(self) -> None:
        """End all processes as the contract says: their stdin ends, and they have 5 s before they are killed."""
        self._end_all(AdapterProcess.close)

    def kill(self) -> None:
        """End all processes now."""
        self._end_all(AdapterProcess.kill)

    def _end_all(self, how: Callable[[AdapterProcess], object]) -> None:
        with self._state:
            self._closed = True
            processes = list(self._all)
            self._state.notify_all()
        threads = [threading.Thread(target=self._end, args=(process, how)) for process in processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _greet(process: AdapterProcess) -> Hello:
    """Call hello and hold its result against the contract."""
    try:
        result = process.call("hello", protocol.HELLO_WITHIN, protocol=protocol.VERSION)
        said = protocol.hello(result)
    except RpcError as error:
        raise AdapterError(f"the adapter refuses hello of protocol {protocol.VERSION}: {error}") from None
    except protocol.Malformed as problem:
        raise AdapterGarbage(f"the adapter's hello is not what the contract asks for: {problem}") from None
    if said.protocol != protocol.VERSION:
        raise AdapterError(
            f"the adapter speaks protocol {said.protocol}, this tester {protocol.VERSION}; update the older of them"
        )
    return said


def _require_refusal(process: AdapterProcess) -> None:
    """An adapter that takes a method which does not exist says yes to everything: believe nothing it says."""
    method = f"no-such-method-{secrets.token_hex(4)}"
    try:
        process.call(method, protocol.HELLO_WITHIN)
    except RpcError as error:
        if error.code == protocol.NO_SUCH_METHOD:
            return
        raise AdapterError(
            f"the adapter refuses an unknown method with {error.code}; the contract asks {protocol.NO_SUCH_METHOD}"
        ) from None
    raise AdapterError(f"the adapter says yes to everything: it took the invented method {method}")
