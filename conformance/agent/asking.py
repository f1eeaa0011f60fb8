"""Checks of ours: who asks, from where, on which connection (RFC 8445 section 7.2, RFC 6544 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import client
from conformance.agent.candidates import Foundations, check_priority
from conformance.agent.client import Question, Transaction
from conformance.agent.pairs import PairState
from conformance.agent.retransmission import Retransmission, rto
from conformance.agent.server import Server
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.agent.config import Config
    from conformance.agent.connections import Connection, Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.pairs import Pair
    from conformance.agent.stream import Credentials, Stream


class Asking:
    """Who we are in checks, and those that are under way. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        out: list[Output],
        random: Callable[[int], bytes],
    ) -> None:
        self.streams: Sequence[Stream] = ()
        self.controlling = config.offerer and not config.lite
        self.lite = not decisions.makes_checks()
        self.peer_lite = False
        self.foundations = Foundations(by_transport=not config.lite)
        self.pacing = config.pacing
        self.started = False
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._out = out
        self._random = random
        self._tie_breaker = self._new_tie_breaker()
        self._server = Server(decisions)
        self._transactions: dict[bytes, Transaction] = {}
        self._next_check = 0.0
        self._timer: float | None = None
        self._turn = 0
        # Whoever looks after selected pairs is told of checks after completion, of responses to questions of its own,
        # and of the ends of connections.
        self.later_check: Callable[[Connection], None] = lambda _connection: None
        self.later_response: Callable[[Connection, bytes, Message, float], None] = lambda *_: None
        self.gone: Callable[[Connection, str], None] = lambda _connection, _why: None

    def connect(self, stream: Stream, pair: Pair, now: float) -> Connection:
        """Connect from the local candidate's interface; from an unallocated port if it is active (RFC 6544 7.1)."""
        base = pair.local.base
        source = pair.local.candidate.endpoint if base.is_udp else self._decisions.source(stream, base)
        return self._connections.open(pair, stream.index, source, now)

    def _send_check(self, stream: Stream, pair: Pair, connection: Connection, now: float) -> None:
        use_candidate = self._decisions.use_candidate(pair, self.controlling)
        worth = self._decisions.check_priority(pair, check_priority(pair.local))
        transaction_id, message = self.ask(stream, connection, worth, use_candidate=use_candidate)
        transaction = Transaction(
            id=transaction_id,
            pair=pair,
            connection=connection,
            pwd=stream.remote_pwd,
            controlling=self.controlling,
            use_candidate=use_candidate,
            priority=worth,
            deadline=now + self._config.transaction_timeout,
        )
        self._transactions[transaction.id] = transaction
        if connection.is_udp:
            transaction.again = Retransmission(message, now, self._rto())
            transaction.deadline = transaction.again.deadline
        if self._decisions.nominates_unproved(pair, self.controlling):
            pair.nominate = True
            self._send_check(stream, pair, connection, now)

    def ask(
        self, who: Credentials, connection: Connection, worth: int, *, use_candidate: bool = False
    ) -> tuple[bytes, bytes]:
        """Send a request with these credentials; return its transaction id and the message."""
        transaction_id = self._random(12)
        question = Question(
            username=self._decisions.user_name(who),
            pwd=who.remote_pwd,
            priority=worth,
            controlling=self.controlling,
            tie_breaker=self._decisions.tie_breaker(self._tie_breaker, self._random),
            use_candidate=use_candidate,
        )
        message = client.request(transaction_id, question, self._decisions)
        self._connections.send_request(connection, message)
        return transaction_id, message

    def indicate(self, connection: Connection) -> None:
        """Send a Binding indication, as a keepalive is (RFC 8445 section 11)."""
        message = build(Method.BINDING, MessageClass.INDICATION, self._random(12))
        self._connections.send(connection, message)

    def _rto(self) -> float:
        pairs = [pair for stream in self.streams for pair in stream.checks.pairs]
        busy = sum(pair.state in (PairState.WAITING, PairState.IN_PROGRESS) for pair in pairs)
        return rto(self.pacing, len(pairs), busy)

    def _again(self) -> list[Retransmission]:
        """Return what may have to be sent again: a cancelled request is not (RFC 8445 section 7.3.1.4)."""
        return [t.again for t in self._transactions.values() if t.again is not None and not t.cancelled]

    def _retransmit(self, now: float) -> None:
        for transaction in list(self._transactions.values()):
            again = transaction.again
            if again is not None and not transaction.cancelled and again.take(now):
                self._connections.send_request(transaction.connection, again.request)

    def _new_tie_breaker(self) -> int:
        return int.from_bytes(self._random(8), "big")
