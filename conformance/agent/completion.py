"""How checks end: selected pairs, failure, and what is closed when (RFC 8445 8.1.2 and 8.3, RFC 6544 8, RFC 8863)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.checklist import ListEvent, ListState
from conformance.agent.events import Connect, Note, SelectedPair, Unlisten
from conformance.agent.status import Change
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Base
    from conformance.agent.checks import Checks
    from conformance.agent.config import Config
    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.pairs import Connection
    from conformance.agent.roles import Role
    from conformance.agent.status import Status
    from conformance.agent.stream import Stream


class Completion:
    """Watches the check lists of a session and draws the consequences. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        checks: Checks,
        role: Role,
        status: Status,
        streams: Sequence[Stream],
        out: list[Output],
    ) -> None:
        self.bases: dict[int, tuple[Stream, Base]] = {}  # by number; what is still held
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._checks = checks
        self._role = role
        self._status = status
        self._streams = streams
        self._out = out
        self._failure_time: float | None = None
        self._patient = True

    def begin(self, now: float) -> None:
        """Checks begin: from now on the peer has time to make them succeed. A lite agent waits as long as it takes."""
        if not self._role.lite:
            self._failure_time = now + self._decisions.patience_for_checks(self._config.failure_patience)
        restarts = any(stream.former is not None for stream in self._streams)
        shown = not restarts or self._decisions.shows_restart()
        lost = self._status.broken and not self._decisions.restart_mends()
        self._patient, self._status.broken = True, lost or not shown
        if shown and not lost:
            self._status.note(Change.BEGUN)

    def advance(self, now: float) -> list[Stream]:
        """Do what is due; return the streams that have completed just now."""
        completed = [stream for stream in self._streams if stream.checks.running and stream.checks.all_nominated]
        for stream in completed:
            self._complete(stream, now)
        self._release(now)
        self._judge_failure(now)
        self._show()
        return completed

    def next_time(self) -> float | None:
        """Return when `advance` has something to do without anything happening before."""
        times = [self._failure_time]  # None once it has passed: then every outcome is judged at once
        times += [self._release_time(connection) for connection in self._connections]
        for stream in self._streams:
            if stream.completed_at is not None and self._unused_bases(stream):
                times.append(stream.completed_at + self._config.grace)
        return min((time for time in times if time is not None), default=None)

    def give_up(self, stream: Stream, why: str) -> None:
        """Do without a stream: what is under way for it ends, and nothing is sent or taken any more.

        RFC 3264 section 6, RFC 8839 sections 4.3.3 and 4.4.3.1.
        """
        for connection in self._connections:
            if connection.stream == stream.index:
                self.end(connection, why)
        for number in [number for number, (owner, _) in self.bases.items() if owner is stream]:
            _, base = self.bases.pop(number)
            if base.listens:
                self._out.append(Unlisten(number))
        stream.end()

    # -- completion ----------------------------------------------------------------------------------------

    def _complete(self, stream: Stream, now: float) -> None:
        """Take the nominated pairs, close every other connection of the stream (RFC 6544 section 8)."""
        self._select(stream, now)
        for component, pair in sorted(stream.checks.nominated.items()):
            self._out.append(SelectedPair(stream.index, component, pair.local.candidate, pair.remote))
        for connection in self._connections:
            if connection.stream == stream.index and not self._decisions.keeps(connection):
                self.end(connection, "not selected")

    def _select(self, stream: Stream, now: float) -> None:
        """Make the nominated pairs the selected ones (RFC 8445 section 8.1.2)."""
        stream.checks.note(ListEvent.SELECTED)
        stream.completed_at = now
        for former in stream.selected.values():
            former.selected = self._decisions.keeps_former()
        stream.former = None
        for component, pair in stream.checks.nominated.items():
            connection = pair.connection
            assert connection is not None
            connection.selected = not connection.reused or self._decisions.keeps_reused(connection)
            stream.selected[component] = connection
            stream.chosen[component] = pair.origin or pair

    def _release_time(self, connection: Connection) -> float | None:
        """Return when a connection that nobody needs is closed.

        Those that come after completion get as long as the RFC grants late checks (RFC 8445 section 8.3.1);
        accepted ones on which nothing valid ever comes, as long as a transaction lasts, and so those that may replace a
        lost one (RFC 6544 section 11.1).
        """
        stream = self._streams[connection.stream]
        restarts = stream.completed_at is None and stream.former is not None
        if restarts and connection.selected and (patience := self._decisions.restart_limit(connection)) is not None:
            return stream.renewed_at + patience
        if stream.completed_at is None:
            unproved = not (connection.outgoing or connection.authenticated)
            return connection.since + self._config.transaction_timeout if unproved else None
        limit = self._decisions.idle_limit() if connection.selected else None
        if limit is not None:
            return stream.completed_at + limit
        replaces = any(not selected.is_open for selected in stream.selected.values()) and not connection.outgoing
        patience = self._config.transaction_timeout if replaces else self._config.grace
        return None if self._decisions.keeps(connection) else connection.since + patience

    def _release(self, now: float) -> None:
        for connection in self._connections:
            due = self._release_time(connection)
            if due is not None and due <= now:
                self.end(connection, "not needed")
        for stream in self._streams:
            if stream.completed_at is not None and stream.completed_at + self._config.grace <= now:
                for base in self._unused_bases(stream):
                    del self.bases[base.number]
                    self._out.append(Unlisten(base.number))

    def _unused_bases(self, stream: Stream) -> list[Base]:
        """Return the listening bases of a completed stream that no selected pair uses."""
        mine = (base for owner, base in self.bases.values() if owner is stream and base.listens)
        return [base for base in mine if not stream.serves_selected(base)]

    # -- failure -------------------------------------------------------------------------------------------

    def _judge_failure(self, now: float) -> None:
        """Fail check lists that have nothing left, but not before the peer's checks had their time (RFC 8863)."""
        if self._failure_time is not None and now >= self._failure_time:
            self._failure_time, self._patient = None, False
        for stream in self._streams:
            checks = stream.checks
            if self._patient and not (stream.progress.theirs_ended and self._decisions.fails_at_end()):
                continue
            hopeless = checks.running and checks.exhausted and not checks.every_component_valid
            if not hopeless or stream.progress.more:
                continue
            if self._decisions.fails_hopeless(stream, self._role.controlling):
                checks.note(ListEvent.EXHAUSTED)

    def _show(self) -> None:
        if not self._checks.started or self._status.broken:
            return
        lists = [stream.checks for stream in self._streams if not stream.ended]
        if lists and self._decisions.completes_with([checks.state is ListState.COMPLETED for checks in lists]):
            self._status.note(Change.SELECTED)
        elif all(checks.state is ListState.FAILED for checks in lists):
            self._status.note(Change.FAILED)
        elif all(checks.every_component_valid for checks in lists):
            self._status.note(Change.SELECTED if self._decisions.completes_valid() else Change.VALID)
        else:
            self._status.note(Change.BEGUN)

    # -- ends of connections -------------------------------------------------------------------------------

    def end(self, connection: Connection, why: str) -> None:
        """Close a connection, with what follows from its end."""
        self._out.append(Note(f"{connection}: closing: {why}"))
        self._connections.close(connection)
        self._checks.ended(connection, why)

    def ended(self, connection: Connection, why: str) -> None:
        """Draw the consequences of a connection that the peer or the network ended."""
        self._connections.forget(connection)
        self._checks.ended(connection, why)
        for other in self._decisions.closed_with(connection, list(self._connections)):
            self._connections.close(other)
        accepted = not (connection.outgoing or connection.is_udp) and connection.base.relay is None
        if accepted and self._decisions.connects_back(connection):
            source = Address(connection.base.ip, 0)
            self._out.append(Connect(self._connections.reserve(), source, connection.remote))
        lost = connection.selected and self._streams[connection.stream].completed_at is not None
        if lost and self._decisions.notices_loss():
            self._status.broken = True
            self._status.note(Change.LOST)
            if connection.base.number in self.bases and not self._decisions.listens_after_loss(connection.base):
                self._out.append(Unlisten(connection.base.number))

    def close(self) -> None:
        """Close everything (RFC 6544 section 11.1)."""
        for connection in self._connections:
            if self._decisions.closes_with_session(connection):
                self._connections.close(connection)
        self._out += [Unlisten(base.number) for _, base in self.bases.values() if base.listens]
        self.bases.clear()
        self._status.note(Change.CLOSED)
