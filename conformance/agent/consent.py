"""Consent to send on selected pairs (RFC 7675), and the checks that keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent.candidates import check_priority
from conformance.agent.events import Note
from conformance.agent.messages import Succeeded
from conformance.agent.requests import judged
from conformance.agent.status import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.agent.completion import Completion
    from conformance.agent.config import Config
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.messages import Outcome
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.requests import Requests
    from conformance.agent.roles import Role
    from conformance.agent.status import Status
    from conformance.agent.stream import Stream
    from conformance.wire.stun import Message


@dataclass(slots=True, eq=False)
class Asked:
    """A check of a selected pair that is on its way; ``revives``: no data before it has succeeded."""

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


class Consent:
    """Checks the selected pairs of a session. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        requests: Requests,
        completion: Completion,
        role: Role,
        status: Status,
        out: list[Output],
        random: Callable[[int], bytes],
    ) -> None:
        self.restart_wanted = False  # by RFC 6544 section 11.1
        self._config = config
        self._decisions = decisions
        self._requests = requests
        self._completion = completion
        self._role = role
        self._status = status
        self._out = out
        self._random = random
        self._kept: dict[tuple[int, int], Kept] = {}
        self._asked: dict[bytes, Asked] = {}

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept.values())

    def of(self, connection: Connection) -> Kept | None:
        """Return what is known of the selected pair of a connection's component."""
        return self._kept.get((connection.stream, connection.component))

    def find(self, stream: int, component: int) -> Kept | None:
        """Return what is known of the selected pair of a component."""
        return self._kept.get((stream, component))

    # -- the course of things ------------------------------------------------------------------------------

    def begin(self, stream: Stream, now: float) -> None:
        """Look after the pairs that have just been selected; consent came with their checks (RFC 7675 section 5)."""
        for component, pair in stream.chosen.items():
            before = self._kept.pop((stream.index, component), None)
            if before is not None and before.opening is not None:
                self._completion.end(before.opening, "ICE has restarted")
            kept = Kept(
                stream,
                component,
                pair,
                now + self._decisions.consent_lasts(self._config.consent_expiry),
                self._next_due(now),
            )
            self._kept[stream.index, component] = kept

    def forget(self, stream: Stream) -> None:
        """Look no more after the pairs of a stream: it is removed, or goes on without ICE."""
        self._kept = {key: kept for key, kept in self._kept.items() if kept.stream is not stream}

    def next_time(self) -> float | None:
        """Return when something is due without anything happening before."""
        times = [asked.deadline for asked in self._asked.values()]
        for kept in self._kept.values():
            if self._is_kept_up and not self._is_over(kept):
                times += [] if kept.given_up else [kept.until]
                times += [kept.due] if kept.connection.is_open else []
        return min(times, default=None)

    @property
    def _is_kept_up(self) -> bool:
        """Whether consent is kept up: a lite agent sends no requests (RFC 6544 section 7)."""
        return self._config.consent > 0 and not self._config.lite and self._decisions.keeps_alive()

    def _is_over(self, kept: Kept) -> bool:
        """Whether a pair is asked about no more."""
        return kept.given_up and not (kept.connection.is_open and not self._decisions.spends_credentials())

    def _next_due(self, now: float) -> float:
        """Return the time of the next consent check: 0.8 to 1.2 intervals away (RFC 7675 section 5.1)."""
        return now + self._decisions.consent_interval(self._config.consent, self._random)

    def expire(self, now: float) -> None:
        """Forget checks that wait in vain; a reopened connection that is not confirmed is closed."""
        for asked in [asked for asked in self._asked.values() if asked.deadline <= now]:
            del self._asked[asked.id]
            if asked.revives:
                self._completion.end(asked.connection, "no response on the reopened connection")

    def keep(self, kept: Kept, now: float) -> None:
        """Renew the consent of a pair in time; without it nothing more is sent (RFC 7675 section 5.1)."""
        if not self._is_kept_up or self._is_over(kept):
            return
        connection = kept.connection
        if kept.until <= now and not self._decisions.stops_without_consent():
            kept.until = float("inf")
        elif kept.until <= now and not kept.given_up:
            if connection.is_open and self._decisions.closes_without_consent():
                self._completion.end(connection, "consent to send has expired")
            if self._decisions.discards_with_consent():
                self._asked = {key: asked for key, asked in self._asked.items() if asked.connection is not connection}
            self.give_up(kept, "consent to send has expired")
        elif kept.due <= now and connection.is_open:
            kept.due = self._next_due(now)
            restarting = kept.stream.completed_at is None
            times = (
                self._decisions.asks_consent_at_once() if self._decisions.asks_consent(connection, restarting) else 0
            )
            for _ in range(times):
                self.ask(kept, connection, now, revives=False)
            if self._decisions.says_alive_again():
                self._requests.indicate(kept.stream, connection)

    # -- checks --------------------------------------------------------------------------------------------

    def ask(self, kept: Kept, connection: Connection, now: float, *, revives: bool) -> None:
        """Send a check for a selected pair."""
        who = kept.stream.credentials_on(connection)
        transaction, _ = self._requests.ask(who, connection, check_priority(kept.pair.local), kept=True)
        deadline = now + self._config.transaction_timeout
        self._asked[transaction] = Asked(transaction, connection, who.remote_pwd, deadline, revives)

    def asks_on(self, connection: Connection) -> bool:
        """Whether a check is on its way on a connection."""
        return any(asked.connection is connection for asked in self._asked.values())

    def forget_closed(self) -> None:
        """Expect no responses on connections that are closed."""
        self._asked = {key: asked for key, asked in self._asked.items() if asked.connection.is_open}

    def response(
        self, connection: Connection, octets: bytes, message: Message, now: float
    ) -> tuple[Kept, Outcome] | None:
        """Take a response; return for which pair it confirms a reopened connection, or does not.

        A 403 revokes consent at once (RFC 7675 section 5.2).
        """
        asked = self._asked.get(message.transaction_id)
        if asked is None or asked.connection is not connection:
            return None
        del self._asked[asked.id]
        kept = self.of(connection)
        if kept is None:
            return None
        outcome = judged(octets, message, asked.pwd, self._decisions)
        if self._decisions.renews_consent(outcome, isinstance(outcome, Succeeded)):
            connection.authenticated = True
            kept.until = now + self._decisions.consent_lasts(self._config.consent_expiry)
            kept.given_up &= self._decisions.discards_with_consent()
        elif not asked.revives and message.is_error and "403" in str(outcome) and self._decisions.heeds_revocation():
            kept.until = now
        return (kept, outcome) if asked.revives else None

    def give_up(self, kept: Kept, why: str) -> None:
        """Leave a pair; it is for the controlling agent to restart ICE (RFC 6544 section 11.1)."""
        kept.given_up = True
        self._out.append(Note(f"component {kept.component} is lost: {why}"))
        if kept.stream.completed_at is None:
            return  # ICE restarts already
        kept.stream.outbox.release(kept.component)
        if self._decisions.shows_failure():
            self._status.broken = True
            self._status.note(Change.FAILED)
            self.restart_wanted = self._role.controlling
