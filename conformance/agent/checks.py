"""Connectivity checks: which is sent when, and what its outcome does to pairs (RFC 8445 6.1.4, 7.2, RFC 6544 7.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from conformance.agent import forming, lite
from conformance.agent.candidates import Foundations, check_priority
from conformance.agent.checklist import ListEvent, limit_pairs, pick, set_initial_states, unfreeze
from conformance.agent.decisions.outcomes import Stranger
from conformance.agent.events import Note
from conformance.agent.messages import CheckFailed, RoleConflict, Succeeded
from conformance.agent.pairs import PairEvent, PairState, Phase
from conformance.agent.requests import judged
from conformance.agent.retransmission import Retransmission, rto
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.agent.config import Config
    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.nomination import Nomination
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.requests import Requests
    from conformance.agent.roles import Role
    from conformance.agent.stream import Stream
    from conformance.wire.stun import Message


@dataclass(slots=True, eq=False)
class Transaction:
    """A check that is on its way; ``deadline`` in seconds on the caller's clock.

    ``cancelled``: a later check took its place, so that its silence is no failure (RFC 8445 section 7.3.1.4).
    """

    id: bytes
    pair: Pair
    connection: Connection
    pwd: str
    controlling: bool
    use_candidate: bool
    priority: int
    deadline: float
    cancelled: bool = False
    again: Retransmission | None = None  # over UDP


class Checks:
    """Runs the check lists of a session. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        requests: Requests,
        nomination: Nomination,
        role: Role,
        streams: Sequence[Stream],
        out: list[Output],
    ) -> None:
        self.foundations = Foundations(by_transport=not config.lite)
        self.pacing = config.pacing
        self.started = False
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._requests = requests
        self._nomination = nomination
        self._role = role
        self._streams = streams
        self._out = out
        self._transactions: dict[bytes, Transaction] = {}
        self._next_check = 0.0
        self._timer: float | None = None
        self._turn = 0

    # -- the course of things ------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Form the check lists and unfreeze (RFC 8445 section 6.1.2)."""
        self.started = True
        self._next_check = now
        for stream in self._streams:
            if not stream.formed:
                forming.form(stream, self._role.controlling, self._decisions)
        lists = [stream.checks for stream in self._streams]
        limit_pairs(lists, self._config.max_pairs, self._decisions)
        set_initial_states(lists, self._decisions)
        for stream in self._streams:
            for pair in stream.checks.pairs:
                if pair.connection is None and self._decisions.connects_at_once(pair):
                    pair.connection = self._requests.connect(stream, pair, now)

    def advance(self, now: float) -> None:
        """Give up, nominate, and begin the check whose time has come."""
        self._expire(now)
        if not self.started:
            return
        if (when := self._taking_control) is not None and when <= now:
            self._role.switch()
        if self._nominates:
            for stream in self._streams:
                self._nomination.nominate_due(stream, now)
        for stream in self._streams if self._role.both_lite else ():
            lite.proceed(stream, self._can_start, partial(self._requests.connect, stream, now=now))
        self._pace(now)

    def next_time(self) -> float | None:
        """Return when something is due without anything happening before."""
        times = [transaction.deadline for transaction in self._transactions.values()]
        times += [time for again in self._again() if (time := again.next_time) is not None]
        times += [c.since + self._config.connect_timeout for c in self._connections if c.phase is Phase.CONNECTING]
        if self._timer is not None:
            times.append(self._timer)
        if (taking := self._taking_control) is not None:
            times.append(taking)
        if self.started and self._nominates:
            nominations = map(self._nomination.next_time, self._streams)
            times += [time for time in nominations if time is not None]
        return min(times, default=None)

    @property
    def _taking_control(self) -> float | None:
        """When the peer's nomination is awaited no longer; None: that never happens."""
        if self._role.controlling or self._role.lite:
            return None
        waiting = [stream for stream in self._streams if stream.checks.running and not stream.checks.nominated]
        since = [time for stream in waiting for time in stream.first_valid.values()]
        patience = self._decisions.patience_with_the_peer() if since else None
        return None if patience is None else min(since) + patience

    @property
    def _nominates(self) -> bool:
        return not self._role.lite and self._decisions.nominates(self._role.controlling)

    def _expire(self, now: float) -> None:
        """Send again what UDP may have lost; give up what has waited too long (RFC 8489 sections 6.2.1, 6.2.2)."""
        for transaction in list(self._transactions.values()):
            again = transaction.again
            if again is not None and not transaction.cancelled and again.take(now):
                self._connections.send_request(transaction.connection, again.request)
        for transaction in [t for t in self._transactions.values() if t.deadline <= now]:
            del self._transactions[transaction.id]
            if not transaction.cancelled:
                self._failed(transaction, "no response")
        for connection in self._connections:
            late = connection.since + self._config.connect_timeout <= now
            if connection.phase is Phase.CONNECTING and late:
                self._connections.close(connection)
                self.ended(connection, "no connection in time")

    # -- sending -------------------------------------------------------------------------------------------

    def _pace(self, now: float) -> None:
        """Begin at most one check a Ta (RFC 8445 section 6.1.4.2, RFC 6544 section 4.1)."""
        if now < self._next_check:
            waiting = any(
                not (s.checks.exhausted or (s.checks.concludes and not s.checks.running)) for s in self._streams
            )
            self._timer = self._next_check if waiting else None
            return
        found = self._pick()
        self._timer = None
        if found is not None:
            self._next_check = now + self._decisions.pace(self.pacing)
            self._timer = self._next_check
            self._perform(*found, now)

    def _pick(self) -> tuple[Stream, Pair] | None:
        open_ = [s for s in self._streams if s.checks.running or not s.checks.concludes]
        running = [stream for stream in open_ if self._decisions.checks_stream(stream)]
        lists = [stream.checks for stream in self._streams]
        can_start = self._starter()
        for step in range(len(running)):
            first = self._decisions.next_list(self._turn) if len(running) > 1 else 0
            stream = running[(first + step) % len(running)]
            pair = pick(stream.checks, lists, can_start, self._decisions)
            if pair is not None:
                self._turn += step + 1
                return stream, pair
        return None

    def _can_start(self, pair: Pair) -> bool:
        return self._starter()(pair)

    def _starter(self) -> Callable[[Pair], bool]:
        """Return what says whether a pair's check may begin now.

        It looks at all connections once for each address, not for each pair: there may be a hundred of both.
        """
        allowed: bool | None = None
        room: dict[str, bool] = {}  # by address: whether one more attempt towards it may begin

        def can_start(pair: Pair) -> bool:
            nonlocal allowed
            if allowed is None:
                connecting = any(c.phase is Phase.CONNECTING for c in self._connections)
                allowed = self._decisions.may_begin(connecting, bool(self._transactions))
            if not allowed or pair.connection is not None:
                return allowed
            target = pair.remote.address
            if target not in room:
                room[target] = self._connections.may_attempt(target)
            return room[target]

        return can_start

    def _perform(self, stream: Stream, pair: Pair, now: float) -> None:
        """Begin a check, connecting first where there is no connection yet (RFC 6544 section 7.1)."""
        stream.checks.remove_from_queue(pair)
        pair.note(PairEvent.BEGUN)
        connection = pair.connection
        ours = self._decisions.opens(pair) and self._decisions.opens_now(stream, pair)
        if ours and self._decisions.needs_connection(pair):
            pair.connection = self._requests.connect(stream, pair, now)
            if pair.connection.is_udp:
                self._send(stream, pair, pair.connection, now)
        elif connection is None:
            self._pair_failed(stream, pair, "its connection is gone")
        elif connection.is_open:
            self._send(stream, pair, connection, now)

    def _send(self, stream: Stream, pair: Pair, connection: Connection, now: float) -> None:
        for _ in range(self._decisions.checks_at_once(pair)):
            self._ask(stream, pair, connection, now)
        if self._decisions.nominates_unproved(pair, self._role.controlling):
            pair.nominate = True
            self._send(stream, pair, connection, now)

    def _ask(self, stream: Stream, pair: Pair, connection: Connection, now: float) -> None:
        use_candidate = self._decisions.use_candidate(pair, self._role.controlling)
        worth = self._decisions.check_priority(pair, check_priority(pair.local))
        connection = self._decisions.asks_on(connection, self._connections)
        transaction_id, message = self._requests.ask(stream, connection, worth, use_candidate=use_candidate)
        transaction = Transaction(
            id=transaction_id,
            pair=pair,
            connection=connection,
            pwd=stream.remote_pwd,
            controlling=self._role.controlling,
            use_candidate=use_candidate,
            priority=worth,
            deadline=now + self._decisions.patience(self._config.transaction_timeout),
        )
        self._transactions[transaction.id] = transaction
        if use_candidate and pair.valid is not None and self._decisions.counts_unanswered():
            stream.checks.nominate(pair)
        if connection.is_udp:
            transaction.again = Retransmission(message, now, self._rto())
            transaction.deadline = transaction.again.deadline

    def _rto(self) -> float:
        pairs = [pair for stream in self._streams for pair in stream.checks.pairs]
        busy = sum(pair.state in (PairState.WAITING, PairState.IN_PROGRESS) for pair in pairs)
        return rto(self.pacing, len(pairs), busy)

    def _again(self) -> list[Retransmission]:
        """Return what may have to be sent again: a cancelled request is not (RFC 8445 section 7.3.1.4)."""
        return [t.again for t in self._transactions.values() if t.again is not None and not t.cancelled]

    # -- connections ---------------------------------------------------------------------------------------

    def accepted(self, connection: Connection) -> None:
        """Take a connection of the peer's: that of a pair of S-O candidates is the pair's."""
        self._take_over(connection)
        pair = connection.pair
        if pair is not None and connection.base.tcptype == "so" and self._decisions.opens_another(connection):
            self._connections.open(pair, connection.stream, Address(connection.base.ip, 0), 0.0)

    def _take_over(self, connection: Connection) -> None:
        """Make an accepted connection that of the pair of S-O candidates with its 5-tuple, if there is one.

        A base listens and connects from one port (RFC 6544 appendix B), and so does the peer's. One connection stands
        for the 5-tuple; our own attempt, if one is under way, can come to nothing and is given up (section 7.1).
        """
        checks = self._streams[connection.stream].checks
        if connection.base.tcptype != "so" or connection.pair is not None:
            return
        mine = (p for p in checks.pairs if p.local.base is connection.base and p.local.candidate.type == "host")
        pair = next((p for p in mine if p.remote.endpoint == connection.remote), None)
        if pair is None or (pair.connection is not None and pair.connection.is_open):
            return
        attempt, pair.connection, connection.pair = pair.connection, connection, pair
        if attempt is not None and attempt.phase is Phase.CONNECTING:
            self._connections.close(attempt)
        if pair.state in (PairState.IN_PROGRESS, PairState.FAILED):
            checks.trigger(pair)  # the attempt may have failed just because this connection was there first

    def connected(self, connection: Connection, now: float) -> None:
        """Send the check that a connection was opened for."""
        early = self._decisions.first_octets(connection)
        if early:
            self._connections.send(connection, early)
        pair = connection.pair
        if not self._decisions.checks_connection(connection):
            return
        stream = self._streams[connection.stream]
        if self._role.lite and pair is not None and not connection.revives:
            lite.trust(connection)
            lite.settle(stream, pair, connection)
        elif pair is not None and pair.state is PairState.IN_PROGRESS:
            self._send(stream, pair, connection, now)

    def ended(self, connection: Connection, why: str) -> None:
        """Note that a connection could not be opened or is gone: what ran over it has failed (RFC 8489 6.2.2)."""
        self.forget(connection)
        connection.why_ended = why
        pair = connection.pair
        if pair is None or pair.connection is not connection:
            return
        stream = self._streams[connection.stream]
        if connection.local is None and not self._decisions.fails_unreachable(connection):
            return
        if connection.local is not None and self._decisions.ends_list(connection):
            stream.checks.note(ListEvent.EXHAUSTED)
        self._pair_failed(stream, pair, why)

    def not_the_peer(self, connection: Connection) -> None:
        """Close a connection whose far end does not speak STUN; fail all pairs with it (RFC 6544 section 7.1)."""
        stream, pair = self._streams[connection.stream], connection.pair
        assert pair is not None
        what = self._decisions.on_stranger(connection)
        if what is Stranger.IGNORE:
            return
        if what is not Stranger.FAIL_PAIR:
            self._out.append(Note(f"{pair.remote.endpoint} does not speak STUN: closing, failing its pairs"))
        self.drop(connection)
        if what is Stranger.FAIL_PAIR:
            stream.checks.lost(pair)
        elif what is Stranger.TRY_AGAIN:
            pair.connection = None
            stream.checks.trigger(pair)
        else:
            for failed in stream.checks.fail_remote(pair.remote):
                if failed.connection is not None:
                    self.drop(failed.connection)
                stream.checks.lost(failed)

    def drop(self, connection: Connection) -> None:
        """Close a connection over which no STUN comes."""
        connection.why_ended = "it does not speak STUN"
        self._connections.close(connection)
        self.forget(connection)

    def ask(self, connection: Connection) -> None:
        """Send a check on a connection, whatever comes of it."""
        if connection.pair is not None:
            worth = check_priority(connection.pair.local)
            self._requests.ask(self._streams[connection.stream], connection, worth)

    def forget(self, connection: Connection) -> None:
        """Expect no more responses on a connection."""
        for transaction in [t for t in self._transactions.values() if t.connection is connection]:
            del self._transactions[transaction.id]

    # -- outcomes ------------------------------------------------------------------------------------------

    def cancel(self, pair: Pair) -> None:
        """Let a check that is on its way be no failure: another takes its place (RFC 8445 section 7.3.1.4)."""
        mine = [transaction for transaction in self._transactions.values() if transaction.pair is pair]
        for transaction in mine:
            transaction.cancelled = True
            if not self._decisions.waits_for_cancelled():
                del self._transactions[transaction.id]

    def owns(self, transaction_id: bytes) -> bool:
        """Whether a response is awaited here."""
        return self._decisions.answered(transaction_id, self._transactions) is not None

    def response(self, connection: Connection, octets: bytes, message: Message, now: float) -> None:
        """Take the response to a check."""
        answered = self._decisions.answered(message.transaction_id, self._transactions)
        transaction = self._transactions.pop(answered or message.transaction_id)
        outcome = judged(octets, message, transaction.pwd, self._decisions)
        elsewhere = connection is not transaction.connection
        if elsewhere and not self._decisions.believes_elsewhere(connection, transaction.connection):
            outcome = CheckFailed("the response came on another connection")
        match outcome:
            case Succeeded(mapped):
                connection.authenticated = True
                self._succeeded(transaction, mapped, now)
            case RoleConflict():
                if self._decisions.yields_to_conflict(transaction.controlling):
                    self._role.lose(transaction.controlling)
                stream = self._streams[transaction.connection.stream]
                if transaction.pair in stream.checks.pairs:
                    stream.checks.trigger(transaction.pair)
            case CheckFailed(why):
                self._error_or_nothing(transaction, message, why)

    def _error_or_nothing(self, transaction: Transaction, message: Message, why: str) -> None:
        pair = transaction.pair
        if message.is_error and self._decisions.asks_again(message, pair.asked_again):
            pair.asked_again += 1
            self._streams[transaction.connection.stream].checks.trigger(pair)
        elif not message.is_error or self._decisions.fails_refused(message):
            self._failed(transaction, why)

    def _succeeded(self, transaction: Transaction, mapped: Address, now: float) -> None:
        pair = transaction.pair
        stream = self._streams[transaction.connection.stream]
        if pair not in stream.checks.pairs or not stream.checks.running:
            return  # removed meanwhile: the component has its nominated pair
        worth, controlling = transaction.priority, self._role.controlling
        valid = forming.valid_pair(stream, pair, mapped, worth, controlling, self.foundations, self._decisions)
        stream.checks.succeeded(pair, valid)
        stream.checks.remove_from_queue(pair)
        stream.first_valid.setdefault(pair.component, now)
        unfreeze([s.checks for s in self._streams], pair.foundation, self._decisions)
        self._affect_others(transaction.connection)
        ours = transaction.use_candidate and transaction.controlling == controlling
        theirs = pair.nominated_by_peer and not controlling and self._decisions.remembers_nomination(pair)
        if ours or theirs:
            stream.checks.nominate(pair)
        elif pair.nominate:
            stream.checks.trigger(pair)  # this was the check before the nominating one

    def _affect_others(self, connection: Connection) -> None:
        """Do what a success on this connection means for the component's others: nothing, of a lawful agent."""
        for other in self._connections:
            if other is connection or other.component != connection.component:
                continue
            if self._decisions.closes_at_success(other):
                self._connections.close(other)
                self.ended(other, "another one works")
            elif self._decisions.nominates_too(other, self._role.controlling):
                self._requests.ask(self._streams[other.stream], other, 1, use_candidate=True)

    def _failed(self, transaction: Transaction, why: str) -> None:
        pair, stream = transaction.pair, self._streams[transaction.connection.stream]
        if pair.valid is not None and not transaction.use_candidate:
            return  # another check has already succeeded on it
        nomination = transaction.use_candidate or pair.nominated_by_peer
        if nomination and self._decisions.bears_failed_nomination(pair, ours=transaction.use_candidate):
            stream.checks.succeeded(pair, pair.valid or pair)
            stream.checks.nominate(pair)
        else:
            self._pair_failed(stream, pair, why)

    def _pair_failed(self, stream: Stream, pair: Pair, why: str) -> None:
        if pair not in stream.checks.pairs:
            return
        self._out.append(Note(f"pair {pair} failed: {why}"))
        stream.checks.lost(pair)
        if stream.progress.theirs_open and stream.checks.exhausted and self._decisions.gives_up(stream):
            stream.checks.note(ListEvent.EXHAUSTED)
