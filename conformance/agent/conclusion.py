"""How a session ends its checks: completion, failure, the state it shows, and what is closed when.

RFC 8445 sections 8.1.2 and 8.3, RFC 6544 sections 8 and 11.1, RFC 8863.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.checklist import ListState
from conformance.agent.events import Note, SelectedPair, State, StateChanged, Unlisten

if TYPE_CHECKING:
    from conformance.agent.candidates import Base
    from conformance.agent.checker import Checker
    from conformance.agent.config import Config
    from conformance.agent.connections import Connection, Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.stream import Stream


class Conclusion:
    """Watches the check lists of a session and draws the consequences. Times are seconds on the caller's clock."""

    def __init__(
        self, config: Config, decisions: Decisions, connections: Connections, checker: Checker, out: list[Output]
    ) -> None:
        self.state = State.NEW
        self.bases: dict[int, tuple[Stream, Base]] = {}  # by number; what is still held
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._checker = checker
        self._out = out
        self._failure_time: float | None = None
        self._patient = True
        self.broken = False  # a selected pair has lost its connection

    def begin(self, now: float) -> None:
        """Checks begin: from now on the peer has time to make them succeed. A lite agent waits as long as it takes."""
        if not self._checker.lite:
            self._failure_time = now + self._config.failure_patience
        self._patient, self.broken = True, False
        self.change(State.CHECKING)

    def advance(self, now: float) -> list[Stream]:
        """Do what is due; return the streams that have completed just now."""
        completed = [stream for stream in self._checker.streams if stream.checks.running and stream.all_nominated]
        for stream in completed:
            self._complete(stream, now)
        self._release(now)
        self._judge_failure(now)
        self._update_state()
        return completed

    def next_time(self) -> float | None:
        """Return when `advance` has something to do without anything happening before."""
        times = [self._failure_time]  # None once it has passed: then every outcome is judged at once
        times += [self._release_time(connection) for connection in self._connections]
        for stream in self._checker.streams:
            if stream.completed_at is not None and self._unused_bases(stream):
                times.append(stream.completed_at + self._config.grace)
        return min((time for time in times if time is not None), default=None)

    # -- completion --------------------------------------------------------------------------------------------

    def _complete(self, stream: Stream, now: float) -> None:
        """Take the nominated pairs, close every other connection of the stream (RFC 6544 section 8)."""
        stream.complete(now)
        for component, pair in sorted(stream.checks.nominated.items()):
            self._out.append(SelectedPair(stream.index, component, pair.local.candidate, pair.remote))
        for connection in self._connections:
            if connection.stream == stream.index and not self._decisions.keeps(connection):
                self.end(connection, "not selected")

    def _release_time(self, connection: Connection) -> float | None:
        """Return when a connection that nobody needs is closed.

        Those that come after completion get as long as the RFC grants late checks (RFC 8445 section 8.3.1);
        accepted ones on which nothing valid ever comes, as long as a transaction lasts, and so those that may replace a
        lost one (RFC 6544 section 11.1).
        """
        stream = self._checker.streams[connection.stream]
        if stream.completed_at is not None and connection.selected:
            limit = self._decisions.idle_limit()
            if limit is not None:
                return stream.completed_at + limit
        replaces = any(not selected.is_open for selected in stream.selected.values()) and not connection.outgoing
        if stream.completed_at is not None:
            patience = self._config.transaction_timeout if replaces else self._config.grace
            return None if self._decisions.keeps(connection) else connection.since + patience
        if connection.outgoing or connection.authenticated:
            return None
        return connection.since + self._config.transaction_timeout

    def _release(self, now: float) -> None:
        for connection in self._connections:
            due = self._release_time(connection)
            if due is not None and due <= now:
                self.end(connection, "not needed")
        for stream in self._checker.streams:
            if stream.completed_at is not None and stream.completed_at + self._config.grace <= now:
                for base in self._unused_bases(stream):
                    del self.bases[base.number]
                    self._out.append(Unlisten(base.number))

    def _unused_bases(self, stream: Stream) -> list[Base]:
        """Return the listening bases of a completed stream that no selected pair uses."""
        return [
            base
            for owner, base in self.bases.values()
            if owner is stream and base.listens and not stream.serves_selected(base)
        ]

    # -- failure -----------------------------------------------------------------------------------------------

    def _judge_failure(self, now: float) -> None:
        """Fail check lists that have nothing left, but not before the peer's checks had their time (RFC 8863)."""
        if self._failure_time is not None and now >= self._failure_time:
            self._failure_time, self._patient = None, False
        if self._patient:
            return
        for stream in self._checker.streams:
            checks = stream.checks
            if checks.running and checks.exhausted and not (checks.every_component_valid or stream.progress.more):
                checks.state = ListState.FAILED

    # -- the state ---------------------------------------------------------------------------------------------

    def _update_state(self) -> None:
        if not self._checker.started or self.broken:
            return
        lists = [stream.checks for stream in self._checker.streams]
        if all(checks.state is ListState.COMPLETED for checks in lists):
            self.change(State.COMPLETED)
        elif all(checks.state is ListState.FAILED for checks in lists):
            self.change(State.FAILED)
        elif all(checks.every_component_valid for checks in lists):
            self.change(State.CONNECTED)
        else:
            self.change(State.CHECKING)

    def end(self, connection: Connection, why: str) -> None:
        """Close a connection, with what follows from its end."""
        self._out.append(Note(f"{connection}: closing: {why}"))
        self._connections.close(connection)
        self._checker.ended(connection, why)

    def ended(self, connection: Connection, why: str) -> None:
        """Draw the consequences of a connection that the peer or the network ended."""
        self._connections.forget(connection)
        self._checker.ended(connection, why)
        for other in self._decisions.closed_with(connection, list(self._connections)):
            self._connections.close(other)
        lost = connection.selected and self._checker.streams[connection.stream].completed_at is not None
        if lost and self._decisions.notices_loss():
            self.broken = True
            self.change(State.DISCONNECTED)
            if connection.base.number in self.bases and not self._decisions.listens_after_loss(connection.base):
                self._out.append(Unlisten(connection.base.number))

    def close(self) -> None:
        """Close everything (RFC 6544 section 11.1)."""
        for connection in self._connections:
            if self._decisions.closes_with_session(connection):
                self._connections.close(connection)
        self._out += [Unlisten(base.number) for _, base in self.bases.values() if base.listens]
        self.bases.clear()
        self.change(State.CLOSED)

    def change(self, state: State) -> None:
        """Show another state, if it is another."""
        if state is not self.state:
            self.state = state
            self._out.append(StateChanged(state))
