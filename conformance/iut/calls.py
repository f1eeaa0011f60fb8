"""Calls of a session to its adapter: each ends in a result, or in the verdict that its failure means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from conformance.iut.errors import AdapterError, RpcError
from conformance.verdict import Failed, Inconclusive, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.iut.process import Pending, Session

REJECTED = -32010
_NOT_SUPPORTED = (-32601, -32602)


class Waiter(Protocol):
    """Serves the case's connections until a condition holds; `peer.pump.Pump` is one."""

    def wait(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether the condition came to hold within so many seconds, or more on a machine that is busy."""
        ...

    def watch(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether what should not happen happened within so many seconds."""
        ...

    def poll(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether the condition came to hold within exactly so many seconds."""
        ...

    def wake(self) -> None:
        """Make the wait look at its condition again; callable from any thread."""
        ...


class Rejected(Failed):
    """The stack rejected a description or candidate (error -32010): an observation that the case judges."""


class Calls:
    """The calls of one session. The case's connections are served meanwhile; each may take `timeout` seconds."""

    def __init__(self, session: Session, waiter: Waiter, timeout: float) -> None:
        self._session, self._waiter, self._timeout = session, waiter, timeout
        self.answered_at = 0.0  # when the last one was answered, in `time.monotonic` seconds

    def begin(self, method: str, parameters: Mapping[str, object]) -> Pending:
        """Send a call. Raises `Inconclusive` for an adapter that has died."""
        try:
            return self._session.begin(method, parameters)
        except AdapterError as error:
            raise Inconclusive(f"{error}") from error

    def result(self, method: str, pending: Pending) -> Mapping[str, Any]:
        """Wait for the result of a call.

        Raises `NotApplicable` for -32601 and -32602, `Rejected` for -32010, `Inconclusive` for any other error, a
        hung or a dead adapter.
        """
        if not self._waiter.poll(lambda: pending.done, self._timeout):
            raise Inconclusive(f"the adapter did not answer {method} within {self._timeout:g} s")
        self.answered_at = pending.settled_at
        try:
            return pending.result()
        except RpcError as error:
            raise _judged(method, error) from error
        except AdapterError as error:
            raise Inconclusive(f"{error}") from error

    def ask(self) -> Callable[[], bool]:
        """Ask for what no adapter has, which costs its stack nothing; return whether it has answered."""
        try:
            pending = self._session.begin("x-lag", {})
        except AdapterError:  # dead, which whoever waits finds out by itself
            return lambda: True
        return lambda: pending.done

    def check_alive(self) -> None:
        """Raise `Inconclusive` if the adapter has died."""
        if self._session.died is not None:
            raise Inconclusive(f"{self._session.died}")


def _judged(method: str, error: RpcError) -> Exception:
    if error.code in _NOT_SUPPORTED:
        return NotApplicable(f"the adapter cannot {method} this way: {error.message}")
    if error.code == REJECTED:
        return Rejected(
            f"the stack rejected it: {error.message}",
            expected="the stack takes the description",
            actual=f"it rejected it: {error.message}",
        )
    return Inconclusive(f"{method} failed in the adapter: {error}")
