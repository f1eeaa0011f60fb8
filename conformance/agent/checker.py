"""Connectivity checks both ways: what is sent when, and what follows from what comes (RFC 8445 sections 6 to 8)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from conformance.agent import client, lite, renewal
from conformance.agent.asking import Asking
from conformance.agent.checklist import ListState, limit_pairs, pick, set_initial_states, unfreeze
from conformance.agent.client import CheckFailed, RoleConflict, Succeeded, Transaction
from conformance.agent.connections import Phase
from conformance.agent.decisions.outcomes import Stranger
from conformance.agent.events import Note
from conformance.agent.pairs import PairState
from conformance.agent.server import Identity, IncomingCheck
from conformance.agent.simultaneous import SO, take_over
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from conformance.agent.connections import Connection
    from conformance.agent.pairs import Pair
    from conformance.agent.stream import Stream


class Checker(Asking):
    """Runs the check lists of a session. Times are seconds on the caller's clock."""

    # -- the course of things ------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Form the check lists, unfreeze, and take up the checks that came early (RFC 8445 sections 6.1.2, 7.3)."""
        self.started = True
        self._next_check = now
        for stream in self.streams:
            if not stream.formed:
                stream.form_checks(self.controlling)
        limit_pairs([stream.checks for stream in self.streams], self._config.max_pairs)
        set_initial_states([stream.checks for stream in self.streams])
        for stream in self.streams:
            for pair in stream.checks.pairs:
                if pair.connection is None and self._decisions.connects_at_once(pair):
                    pair.connection = self.connect(stream, pair, now)
        for connection in self._connections:
            early, connection.early = connection.early, []
            self.accepted(connection)
            for check in early:
                self._follow_up(connection, check)
        for stream in self.streams if self.lite and self.peer_lite else ():
            lite.begin(stream, self.controlling)

    def meet(self, peer_lite: bool) -> None:
        """Take note of the peer's mode, from which our role follows (RFC 8445 section 6.1.1)."""
        self.peer_lite = peer_lite
        self.controlling = self._decisions.controls(peer_lite)

    def advance(self, now: float) -> None:
        """Do what is due: give up, nominate, check."""
        self._retransmit(now)
        self._expire(now)
        if self.started:
            if self._nominates:
                for stream in self.streams:
                    stream.nominate_due(now)
            for stream in self.streams if self.lite and self.peer_lite else ():
                lite.proceed(stream, self._can_start, partial(self.connect, stream, now=now))
            self._pace(now)

    def next_time(self) -> float | None:
        """Return when `advance` has something to do without anything happening before."""
        times = [transaction.deadline for transaction in self._transactions.values()]
        times += [time for again in self._again() if (time := again.next_time) is not None]
        times += [c.since + self._config.connect_timeout for c in self._connections if c.phase is Phase.CONNECTING]
        if self._timer is not None:
            times.append(self._timer)
        if self.started:
            nominations = (stream.next_time(self._nominates) for stream in self.streams)
            times += [time for time in nominations if time is not None]
        return min(times, default=None)

    @property
    def _nominates(self) -> bool:
        return not self.lite and self._decisions.nominates(self.controlling)

    def _expire(self, now: float) -> None:
        for transaction in [t for t in self._transactions.values() if t.deadline <= now]:
            del self._transactions[transaction.id]
            if not transaction.cancelled:
                self._failed(transaction, "no response")
        for connection in self._connections:
            late = connection.since + self._config.connect_timeout <= now
            if connection.phase is Phase.CONNECTING and late:
                self._connections.close(connection)
                self.ended(connection, "no connection in time")

    # -- sending checks ------------------------------------------------------------------------------------

    def _pace(self, now: float) -> None:
        """Begin at most one check a Ta (RFC 8445 section 6.1.4.2, RFC 6544 section 4.1)."""
        if now < self._next_check:
            waiting = any(stream.checks.running and not stream.checks.exhausted for stream in self.streams)
            self._timer = self._next_check if waiting else None
            return
        found = self._pick()
        self._timer = None
        if found is not None:
            self._next_check = now + self._decisions.pace(self.pacing)
            self._timer = self._next_check
            self._perform(*found, now)

    def _pick(self) -> tuple[Stream, Pair] | None:
        running = [stream for stream in self.streams if stream.checks.running and self._decisions.checks_stream(stream)]
        for step in range(len(running)):
            stream = running[(self._turn + step) % len(running)]
            lists = [s.checks for s in self.streams]
            pair = pick(stream.checks, lists, self._can_start, self._decisions.goes_first)
            if pair is not None:
                self._turn += step + 1
                return stream, pair
        return None

    def _can_start(self, pair: Pair) -> bool:
        connecting = any(c.phase is Phase.CONNECTING for c in self._connections)
        if not self._decisions.may_begin(connecting, bool(self._transactions)):
            return False
        return pair.connection is not None or self._connections.may_attempt(pair.remote.address)

    def _perform(self, stream: Stream, pair: Pair, now: float) -> None:
        """Begin a check, connecting first where there is no connection yet (RFC 6544 section 7.1)."""
        stream.checks.remove_from_queue(pair)
        pair.state = PairState.IN_PROGRESS
        connection = pair.connection
        ours = self._decisions.opens(pair) and self._decisions.opens_now(stream, pair)
        if ours and self._decisions.needs_connection(pair):
            pair.connection = self.connect(stream, pair, now)
            if pair.connection.is_udp:
                self._send_check(stream, pair, pair.connection, now)
        elif connection is None:
            self._pair_failed(stream, pair, "its connection is gone")
        elif connection.is_open:
            self._send_check(stream, pair, connection, now)

    # -- connections ---------------------------------------------------------------------------------------

    def accepted(self, connection: Connection) -> None:
        """Take a connection of the peer's; that of an S-O pair is the pair's, between lite agents it is selected."""
        if self.started:
            take_over(self.streams[connection.stream].checks, connection, self._connections)
            pair = connection.pair
            if pair is not None and connection.base.tcptype == SO and self._decisions.opens_another(connection):
                self._connections.open(pair, connection.stream, Address(connection.base.ip, 0), 0.0)
        if self.started and self.lite and self.peer_lite and not connection.outgoing:
            lite.arrived(self.streams[connection.stream], connection)
            if self.streams[connection.stream].completed_at is not None:
                self.later_check(connection)

    def connected(self, connection: Connection, local: Address, now: float) -> None:
        """Send the check that the connection was opened for."""
        connection.local = local
        connection.phase = Phase.OPEN
        early = self._decisions.first_octets(connection)
        if early:
            self._connections.send(connection, early)
        pair = connection.pair
        if not self._decisions.checks_connection(connection):
            return
        if self.lite and pair is not None and not connection.revives:
            lite.trust(connection)
            lite.settle(self.streams[connection.stream], pair, connection)
            return
        if pair is not None and pair.state is PairState.IN_PROGRESS:
            self._send_check(self.streams[connection.stream], pair, connection, now)

    def ended(self, connection: Connection, why: str) -> None:
        """Note that a connection could not be opened or is gone: what ran over it has failed (RFC 8489 6.2.2)."""
        for transaction in [t for t in self._transactions.values() if t.connection is connection]:
            del self._transactions[transaction.id]
        self.gone(connection, why)
        pair = connection.pair
        if pair is None or pair.connection is not connection:
            return
        if connection.local is None and not self._decisions.fails_unreachable(connection):
            return
        if connection.local is not None and self._decisions.ends_list(connection):
            self.streams[connection.stream].checks.state = ListState.FAILED
        self._pair_failed(self.streams[connection.stream], pair, why)

    def not_the_peer(self, connection: Connection) -> None:
        """Close a connection whose far end does not speak STUN; fail all pairs with it (RFC 6544 section 7.1)."""
        what = self._decisions.on_stranger(connection)
        if what is Stranger.IGNORE:
            return
        stream = self.streams[connection.stream]
        assert connection.pair is not None
        remote = connection.pair.remote
        if what is Stranger.FAIL_PAIR:
            self._drop(connection)
            stream.lost(connection.pair)
            return
        self._out.append(Note(f"{remote.endpoint} does not speak STUN: closing, failing its pairs"))
        self._drop(connection)
        if what is Stranger.TRY_AGAIN:
            connection.pair.connection = None
            stream.checks.trigger(connection.pair)
            return
        for pair in stream.fail_remote(remote):
            if pair.connection is not None:
                self._drop(pair.connection)
            stream.lost(pair)

    def _drop(self, connection: Connection) -> None:
        self._connections.close(connection)
        for transaction in [t for t in self._transactions.values() if t.connection is connection]:
            del self._transactions[transaction.id]
        self.gone(connection, "it does not speak STUN")

    # -- messages ------------------------------------------------------------------------------------------

    def stun(self, connection: Connection, octets: bytes, now: float) -> None:
        """Process a frame that holds STUN. What is not well formed is discarded (RFC 8489 section 6.3)."""
        try:
            whole = Message.decode(octets)
        except StunError as error:
            self._out.append(Note(f"{connection}: discarded: {error}"))
            if not self._decisions.bears_malformed():
                self._drop(connection)
            return
        if whole.method != Method.BINDING or not self._decisions.fingerprint_holds(octets):
            return  # RFC 8445 section 7.3: FINGERPRINT is a must; other methods mean nothing here
        message = Message(whole.method, whole.cls, whole.transaction_id, whole.honoured())
        if message.is_request:
            self._request(connection, octets, message)
        elif message.is_indication:  # it keeps alive by merely coming (RFC 8489 section 6.3.2)
            if self._decisions.answers_indications():
                answer = build(Method.BINDING, MessageClass.SUCCESS, message.transaction_id)
                self._connections.send_response(connection, answer)
        else:
            self._response(connection, octets, message, now)

    def _request(self, connection: Connection, octets: bytes, message: Message) -> None:
        stream = self.streams[connection.stream]
        if not self._decisions.answers(stream, connection, self.started):
            return
        meant = renewal.addressed(stream, message)
        me = Identity(meant.ufrag, meant.pwd, self.controlling, self._tie_breaker, self.lite)
        nominable = meant is not stream or self._nominable(stream, connection)
        judged = self._server.judge(octets, message, connection.remote, me, nominable=nominable)
        if judged.switch_role:
            self._switch_role()  # RFC 8445 section 7.3.1.1
        self._connections.send_response(connection, judged.response)
        if judged.check is None:
            self._out.append(Note(f"{connection}: check answered with {judged.error}"))
            if self.started and self._decisions.minds_refused():
                self._follow_up(connection, IncomingCheck(1, False, stream.remote_ufrag))
            return
        connection.authenticated = True
        if meant is not stream:
            return  # the pair was selected before the restart
        if self.started and stream.formed:
            self._follow_up(connection, judged.check)
        elif self._decisions.keeps_early(judged.check):
            connection.early.append(judged.check)

    def _nominable(self, stream: Stream, connection: Connection) -> bool:
        """Whether a nomination here can be taken: not if another pair of the component is nominated already."""
        current = stream.checks.nominated.get(connection.component)
        return current is None or current.connection is connection

    def _follow_up(self, connection: Connection, check: IncomingCheck) -> None:
        """Do what follows an accepted check (RFC 8445 sections 7.3.1.3 to 7.3.1.5)."""
        stream = self.streams[connection.stream]
        check = self._decisions.heard(check)
        if check.peer_ufrag != stream.remote_ufrag or renewal.is_former(stream, connection):
            return
        if stream.completed_at is not None:
            self.later_check(connection)
            return
        if not self._decisions.triggers(check):
            return
        if not self.controlling and self._decisions.selects_unchecked(checks=not self.lite):
            lite.take_nomination(stream, connection, check)
        if not self._decisions.checks_in_return(checks=not self.lite):
            return
        pair = stream.incoming_pair(connection, check.priority, self.controlling)
        if pair is None or pair.component in stream.checks.nominated:
            return
        if pair.valid is None:
            self._trigger(stream, pair)
        if check.use_candidate and not self.controlling:
            pair.nominated_by_peer = True
            if pair.valid is not None:
                stream.set_nominated(pair)

    def _trigger(self, stream: Stream, pair: Pair) -> None:
        if pair.state is PairState.IN_PROGRESS:
            for transaction in self._transactions.values():
                if transaction.pair is pair:
                    transaction.cancelled = True
        stream.checks.trigger(pair)

    def _response(self, connection: Connection, octets: bytes, message: Message, now: float) -> None:
        transaction = self._transactions.pop(message.transaction_id, None)
        if transaction is None:
            self.later_response(connection, octets, message, now)
            return
        outcome = client.judge(octets, message, transaction.pwd, self._decisions)
        elsewhere = connection is not transaction.connection
        if elsewhere and not self._decisions.believes_elsewhere(connection, transaction.connection):
            outcome = CheckFailed("the response came on another connection")
        match outcome:
            case Succeeded(mapped):
                connection.authenticated = True
                self._succeeded(transaction, mapped, now)
            case RoleConflict():
                self._conflict(transaction)
            case CheckFailed(why):
                self._failed(transaction, why)

    # -- outcomes ------------------------------------------------------------------------------------------

    def _succeeded(self, transaction: Transaction, mapped: Address, now: float) -> None:
        pair, connection = transaction.pair, transaction.connection
        stream = self.streams[connection.stream]
        if pair not in stream.checks.pairs or not stream.checks.running:
            return  # removed meanwhile: the component has its nominated pair
        valid = stream.valid_pair(pair, mapped, transaction.priority, self.controlling, self.foundations)
        stream.checks.succeeded(pair, valid)
        stream.checks.remove_from_queue(pair)
        stream.note_valid(pair.component, now)
        unfreeze([s.checks for s in self.streams], pair.foundation)
        self._affect_others(connection)
        ours = transaction.use_candidate and transaction.controlling == self.controlling
        if ours or (pair.nominated_by_peer and not self.controlling):
            stream.set_nominated(pair)
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
            elif self._decisions.nominates_too(other, self.controlling):
                self.ask(self.streams[other.stream], other, 1, use_candidate=True)

    def _conflict(self, transaction: Transaction) -> None:
        """Take the other role and check again (RFC 8445 section 7.2.5.1)."""
        if transaction.controlling == self.controlling:
            self._tie_breaker = self._new_tie_breaker()
            self._switch_role()
        stream = self.streams[transaction.connection.stream]
        if transaction.pair in stream.checks.pairs:
            stream.checks.trigger(transaction.pair)

    def _switch_role(self) -> None:
        self.controlling = not self.controlling
        self._out.append(Note(f"role conflict: now {'controlling' if self.controlling else 'controlled'}"))
        for stream in self.streams:
            stream.checks.reprioritise(self.controlling)
            for pair in stream.checks.pairs:
                pair.nominate = pair.nominated_by_peer = False

    def _failed(self, transaction: Transaction, why: str) -> None:
        pair = transaction.pair
        if pair.valid is not None and not transaction.use_candidate:
            return  # another check has already succeeded on it
        self._pair_failed(self.streams[transaction.connection.stream], pair, why)

    def _pair_failed(self, stream: Stream, pair: Pair, why: str) -> None:
        if pair not in stream.checks.pairs:
            return
        self._out.append(Note(f"pair {pair} failed: {why}"))
        stream.lost(pair)
        if stream.progress.theirs_open and stream.checks.exhausted and self._decisions.gives_up(stream):
            stream.checks.state = ListState.FAILED
