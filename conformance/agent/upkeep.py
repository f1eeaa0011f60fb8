"""Selected pairs after ICE has completed: consent to send (RFC 7675), and connections that are lost and come back.

RFC 6544 section 11.1: when data is to be sent and the selected pair's connection is gone, the side whose candidate is
active or S-O opens it again, the passive side waits; a check of ours must succeed on it before data flows again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent import client
from conformance.agent.candidates import check_priority
from conformance.agent.client import Succeeded
from conformance.agent.events import AgentError, Note, State
from conformance.agent.pairs import Pair
from conformance.agent.renewal import credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.checker import Checker
    from conformance.agent.conclusion import Conclusion
    from conformance.agent.config import Config
    from conformance.agent.connections import Connection, Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.stream import Stream
    from conformance.wire.stun import Message


@dataclass(slots=True, eq=False)
class Asked:
    """A check of this module that is on its way; ``revives``: no data before it has succeeded."""

    id: bytes
    connection: Connection
    pwd: str
    deadline: float
    revives: bool


@dataclass(slots=True, eq=False)
class Kept:
    """What is known of a component's selected pair.

    ``until``: consent to send, unless a check renews it; ``due``: the next one's time. ``opening``: the connection
    that is to take the lost one's place. ``given_up``: it cannot be had again.
    """

    stream: Stream
    component: int
    pair: Pair
    until: float
    due: float
    opening: Connection | None = None
    given_up: bool = False

    @property
    def connection(self) -> Connection:
        """The connection that carries the data, or did."""
        return self.stream.selected[self.component]


class Upkeep:
    """Keeps the selected pairs of a session usable. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        checker: Checker,
        conclusion: Conclusion,
        out: list[Output],
        random: Callable[[int], bytes],
    ) -> None:
        self.restart_wanted = False  # by RFC 6544 section 11.1
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._checker = checker
        self._conclusion = conclusion
        self._out = out
        self._random = random
        self._kept: dict[tuple[int, int], Kept] = {}
        self._asked: dict[bytes, Asked] = {}
        self._checked: list[Connection] = []
        checker.later_check = self._checked.append
        checker.later_response = self._response
        checker.gone = self._gone

    # -- the course of things ------------------------------------------------------------------------------

    def begin(self, stream: Stream, now: float) -> None:
        """Look after the pairs that have just been selected; consent came with their checks (RFC 7675 section 5)."""
        for component, pair in stream.chosen.items():
            before = self._kept.pop((stream.index, component), None)
            if before is not None and before.opening is not None:
                self._conclusion.end(before.opening, "ICE has restarted")
            kept = Kept(stream, component, pair, now + self._config.consent_expiry, self._next_due(now))
            self._kept[stream.index, component] = kept

    def advance(self, now: float) -> list[Stream]:
        """Do what is due; return the streams of which a connection has come back."""
        checked, self._checked[:] = self._checked[:], []
        for connection in checked:
            self._answer(connection, now)
        for asked in [asked for asked in self._asked.values() if asked.deadline <= now]:
            del self._asked[asked.id]
            if asked.revives:
                self._conclusion.end(asked.connection, "no response on the reopened connection")
        for kept in self._kept.values():
            self._keep(kept, now)
            self._reopen(kept, now)
        return self._revived()

    def next_time(self) -> float | None:
        """Return when `advance` has something to do without anything happening before."""
        times = [asked.deadline for asked in self._asked.values()]
        for kept in self._kept.values():
            if not kept.given_up and self._consents:
                times.append(kept.until)
                times += [kept.due] if kept.connection.is_open else []
        return min(times, default=None)

    # -- consent -------------------------------------------------------------------------------------------

    @property
    def _consents(self) -> bool:
        """Whether consent is kept up: a lite agent sends no requests (RFC 6544 section 7)."""
        return self._config.consent > 0 and not self._config.lite

    def _next_due(self, now: float) -> float:
        """Return the time of the next consent check: 0.8 to 1.2 intervals away (RFC 7675 section 5.1)."""
        return now + self._config.consent * (0.8 + 0.4 * int.from_bytes(self._random(2), "big") / 0xFFFF)

    def _keep(self, kept: Kept, now: float) -> None:
        """Renew the consent of a pair in time; without it nothing more is sent (RFC 7675 section 5.1)."""
        if kept.given_up or not self._consents:
            return
        connection = kept.connection
        if kept.until <= now:
            if connection.is_open:
                self._conclusion.end(connection, "consent to send has expired")
            self._give_up(kept, "consent to send has expired")
        elif kept.due <= now and connection.is_open:
            kept.due = self._next_due(now)
            self._ask(kept, connection, now, revives=False)

    def _ask(self, kept: Kept, connection: Connection, now: float, *, revives: bool) -> None:
        who = credentials(kept.stream, connection)
        transaction, _ = self._checker.ask(who, connection, check_priority(kept.pair.local))
        deadline = now + self._config.transaction_timeout
        self._asked[transaction] = Asked(transaction, connection, who.remote_pwd, deadline, revives)

    def _response(self, connection: Connection, octets: bytes, message: Message, now: float) -> None:
        """Take a response that belongs to none of the check lists' transactions."""
        asked = self._asked.get(message.transaction_id)
        if asked is None or asked.connection is not connection:
            return
        del self._asked[asked.id]
        kept = self._kept.get((connection.stream, connection.component))
        if kept is None:
            return
        outcome = client.judge(octets, message, asked.pwd, self._decisions)
        if isinstance(outcome, Succeeded):
            connection.authenticated = True
            kept.until = now + self._config.consent_expiry
            if asked.revives and self._decisions.resumes(connection):
                self._put_in_place(kept, connection)
        elif asked.revives:
            self._conclusion.end(connection, f"the check on the reopened connection failed: {outcome}")
        elif message.is_error and "403" in str(outcome):  # RFC 7675 section 5.2: consent is revoked at once
            kept.until = now

    # -- lost and reopened connections -----------------------------------------------------------------------

    def wanted(self, stream: Stream, component: int, octets: bytes, now: float) -> None:
        """Hold data whose connection is gone, and open it again where that is for us.

        Raises `AgentError` when it cannot be had again.
        """
        kept = self._kept.get((stream.index, component))
        if stream.completed_at is None:
            stream.hold(component, octets)  # ICE restarts, which is about to find another connection
            return
        if kept is None or kept.given_up:
            raise AgentError("the selected pair has lost its connection")
        stream.hold(component, octets)
        self._reopen(kept, now)

    def _reopen(self, kept: Kept, now: float) -> None:
        """Open a lost connection for which data waits, once that keeps within the attempts of RFC 6544 section 12."""
        wanted = kept.stream.holds(kept.component) and not (kept.connection.is_open or kept.given_up)
        if not wanted or kept.opening is not None or not self._decisions.reopens(kept.pair):
            return
        if not self._decisions.reopens_after(kept.connection):
            return
        if self._connections.may_attempt(kept.pair.remote.address):
            pair = Pair(kept.pair.local, kept.pair.remote)
            kept.opening = self._checker.connect(kept.stream, pair, now)
            kept.opening.revives = True
            self._out.append(Note(f"{kept.opening}: reopening the selected pair's connection"))

    def connected(self, connection: Connection, now: float) -> None:
        """Check a connection that was opened again (RFC 6544 section 11.1)."""
        kept = self._kept.get((connection.stream, connection.component))
        if kept is None or kept.opening is not connection:
            return
        if self._config.lite:  # only a full agent checks
            connection.authenticated = connection.spoke_stun = True
        if self._config.lite or self._decisions.trusts_reopened(connection):
            self._put_in_place(kept, connection)
        if not self._config.lite and self._decisions.checks_reopened(connection):
            self._ask(kept, connection, now, revives=True)

    def _answer(self, connection: Connection, now: float) -> None:
        """Check in return on a connection that the peer opened in the lost one's place (RFC 6544 section 11.1)."""
        kept = self._kept.get((connection.stream, connection.component))
        if kept is None or kept.connection.is_open or not connection.is_open or connection.outgoing:
            return
        if self._config.lite:  # only a full agent checks
            if connection.authenticated:
                self._put_in_place(kept, connection)
            return
        if any(asked.connection is connection for asked in self._asked.values()):
            return  # checked already
        if not self._decisions.checks_returned(connection):
            return
        if self._decisions.trusts_reopened(connection):
            self._put_in_place(kept, connection)
        connection.revives = True
        self._ask(kept, connection, now, revives=True)

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
        if self._conclusion.broken and all(kept.connection.is_open for kept in self._kept.values()):
            self._conclusion.broken = False
        ready = [k.stream for k in self._kept.values() if k.connection.is_open and k.stream.holds(k.component)]
        return list(dict.fromkeys(ready))

    def _gone(self, connection: Connection, why: str) -> None:
        """Note the end of any connection; one that was being reopened cannot be had (RFC 6544 section 11.1)."""
        for asked in [asked for asked in self._asked.values() if asked.connection is connection]:
            del self._asked[asked.id]
        kept = self._kept.get((connection.stream, connection.component))
        if kept is not None and kept.opening is connection:
            kept.opening = None
            if not kept.connection.is_open:
                self._give_up(kept, f"its connection cannot be reopened: {why}")

    def _give_up(self, kept: Kept, why: str) -> None:
        """Leave a pair; it is for the controlling agent to restart ICE (RFC 6544 section 11.1)."""
        kept.given_up = True
        self._out.append(Note(f"component {kept.component} is lost: {why}"))
        if kept.stream.completed_at is None:
            return  # ICE restarts already
        kept.stream.release(kept.component)
        if not self._decisions.shows_failure():
            return
        self._conclusion.broken = True
        self._conclusion.change(State.FAILED)
        self.restart_wanted = self._checker.controlling
