"""Selected connections that are lost and come back (RFC 6544 section 11.1).

When data is to be sent and the selected pair's connection is gone, the side whose candidate is active or S-O opens it
again, the passive side waits; a check of ours must succeed on it before data flows again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.events import AgentError, Note
from conformance.agent.messages import Succeeded
from conformance.agent.pairs import Pair, Phase

if TYPE_CHECKING:
    from conformance.agent.completion import Completion
    from conformance.agent.config import Config
    from conformance.agent.connections import Connections
    from conformance.agent.consent import Consent, Kept
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.pairs import Connection
    from conformance.agent.requests import Requests
    from conformance.agent.status import Status
    from conformance.agent.stream import Stream
    from conformance.wire.stun import Message


class Reopening:
    """Keeps the selected pairs of a session usable. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        requests: Requests,
        consent: Consent,
        completion: Completion,
        status: Status,
        out: list[Output],
    ) -> None:
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._requests = requests
        self._consent = consent
        self._completion = completion
        self._status = status
        self._out = out
        self._checked: list[Connection] = []

    def advance(self, now: float) -> list[Stream]:
        """Do what is due; return the streams of which a connection has come back."""
        self._note_ends()
        checked, self._checked[:] = self._checked[:], []
        for connection in checked:
            self._check_back(connection, now)
        self._consent.expire(now)
        self._note_ends()
        for kept in self._consent:
            self._consent.keep(kept, now)
            self._note_ends()
            self._reopen(kept, now)
        return self._revived()

    def checked(self, connection: Connection) -> None:
        """Take note of a check of the peer's after completion."""
        self._checked.append(connection)

    def carries(self, connection: Connection) -> bool:
        """Whether data may go over a selected connection: it is open, and consent to send on it has not ended."""
        kept = self._consent.of(connection)
        return connection.is_open and not (kept is not None and kept.connection is connection and kept.given_up)

    def wanted(self, stream: Stream, component: int, octets: bytes, now: float) -> None:
        """Hold data whose connection is gone, and open it again where that is for us.

        Raises `AgentError` when it cannot be had again.
        """
        self._note_ends()
        kept = self._consent.find(stream.index, component)
        if stream.completed_at is None:
            stream.outbox.hold(component, octets)  # ICE restarts, which is about to find another connection
            return
        if kept is None or kept.given_up:
            raise AgentError("the selected pair has lost its connection")
        stream.outbox.hold(component, octets)
        self._reopen(kept, now)

    def _reopen(self, kept: Kept, now: float) -> None:
        """Open a lost connection for which data waits, once that keeps within the attempts of RFC 6544 section 12."""
        wanted = kept.stream.outbox.holds(kept.component) and not (kept.connection.is_open or kept.given_up)
        if not wanted or kept.opening is not None or not self._decisions.reopens(kept.pair):
            return
        if not self._decisions.reopens_after(kept.connection):
            return
        if self._connections.may_attempt(kept.pair.remote.address):
            pair = Pair(kept.pair.local, kept.pair.remote)
            kept.opening = self._requests.connect(kept.stream, pair, now)
            kept.opening.revives = True
            self._out.append(Note(f"{kept.opening}: reopening the selected pair's connection"))

    def connected(self, connection: Connection, now: float) -> None:
        """Check a connection that was opened again."""
        kept = self._consent.of(connection)
        if kept is None or kept.opening is not connection:
            return
        if self._config.lite:  # only a full agent checks
            connection.authenticated = connection.spoke_stun = True
        if self._config.lite or self._decisions.trusts_reopened(connection):
            self._put_in_place(kept, connection)
        if not self._config.lite and self._decisions.checks_reopened(connection):
            self._consent.ask(kept, connection, now, revives=True)

    def response(self, connection: Connection, octets: bytes, message: Message, now: float) -> None:
        """Take a response that does not belong to the check lists."""
        found = self._consent.response(connection, octets, message, now)
        if found is None:
            return
        kept, outcome = found
        if not isinstance(outcome, Succeeded):
            self._completion.end(connection, f"the check on the reopened connection failed: {outcome}")
        elif self._decisions.resumes(connection):
            self._put_in_place(kept, connection)

    def _check_back(self, connection: Connection, now: float) -> None:
        """Check in return on a connection that the peer opened in the lost one's place."""
        kept = self._consent.of(connection)
        if kept is None or kept.connection.is_open or not connection.is_open or connection.outgoing:
            return
        if self._config.lite:  # only a full agent checks
            if connection.authenticated:
                self._put_in_place(kept, connection)
            return
        if self._consent.asks_on(connection) or not self._decisions.checks_returned(connection):
            return
        if self._decisions.trusts_reopened(connection):
            self._put_in_place(kept, connection)
        connection.revives = True
        self._consent.ask(kept, connection, now, revives=True)

    def _put_in_place(self, kept: Kept, connection: Connection) -> None:
        """Let data flow over a connection that a check of ours has validated."""
        if kept.connection.is_open:
            return
        kept.connection.selected = connection.revives = False
        connection.selected = connection.revived = True
        kept.stream.selected[kept.component] = connection
        kept.opening, kept.given_up = None, False
        self._out.append(Note(f"{connection}: takes the place of the lost connection"))

    def _revived(self) -> list[Stream]:
        """Return the streams that hold data for a connection that stands; show whether all do again."""
        if self._status.broken and all(kept.connection.is_open for kept in self._consent):
            self._status.broken = False
        ready = [k.stream for k in self._consent if k.connection.is_open and k.stream.outbox.holds(k.component)]
        return list(dict.fromkeys(ready))

    def _note_ends(self) -> None:
        """Give up pairs whose connection could not be reopened."""
        self._consent.forget_closed()
        for kept in self._consent:
            opening = kept.opening
            closed = not kept.connection.is_open and not kept.given_up
            if closed and not self._decisions.keeps_consent_when_closed():
                self._consent.give_up(kept, "its connection was closed")
            if opening is not None and opening.phase is Phase.CLOSED:
                kept.opening = None
                if not kept.connection.is_open:
                    self._consent.give_up(kept, f"its connection cannot be reopened: {opening.why_ended}")
