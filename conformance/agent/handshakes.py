"""The DTLS endpoint of an agent with payload "dtls": it begins a handshake over each selected connection.

It goes as far as two endpoints can without certificates: ClientHello, HelloVerifyRequest, ClientHello with the cookie,
and then a server says by an alert that it goes no further. That is all ICE-TCP has a say in: when the handshake begins
(RFC 6544 sections 7.1 and 10.1), who begins it (section 4.5), that it is framed, and what a frame is taken for
(section 10.2). Data of the application waits for the end of a handshake that does not come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent.events import Note
from conformance.wire.dtls import (
    ClientHello,
    ContentType,
    DtlsError,
    Handshake,
    HandshakeType,
    Kind,
    Record,
    cookie_of,
    handshakes,
    hello_verify_request,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.agent.candidates import Base
    from conformance.agent.config import Config
    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream

_FIRST_TIMEOUT, _LAST_TIMEOUT = 1.0, 60.0  # RFC 6347 section 4.2.4.1
_HANDSHAKE_FAILURE = b"\x02\x28"  # fatal


@dataclass(slots=True, eq=False)
class Association:
    """One side of a handshake. ``flight`` is what is sent again at ``due`` as long as nothing answers it."""

    connection: Connection
    client: bool
    random: bytes
    cookie: bytes
    base: Base  # of the connection, when the handshake began
    flight: Handshake | None = None
    due: float | None = None
    timeout: float = _FIRST_TIMEOUT
    sequence: int = 0  # of records
    messages: int = 0  # of the handshake, so far
    over: bool = False

    def record(self, content: int, fragment: bytes) -> bytes:
        """Return the next record."""
        self.sequence += 1
        return Record(content, fragment, sequence=self.sequence - 1).encode()


class Handshakes:
    """The handshakes of a session. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        out: list[Output],
        random: Callable[[int], bytes],
    ) -> None:
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._out = out
        self._random = random
        self._associations: dict[int, Association] = {}  # by number of the connection

    def advance(self, streams: Iterable[Stream], now: float) -> None:
        """Begin the handshakes whose time has come, and send flights again that nothing answered."""
        if not self._config.secured:
            return
        for stream in streams:
            for connection in self._connections:
                if connection.stream == stream.index and self._decisions.secures(stream, connection):
                    self._begin(connection, stream, now)
        for association in self._associations.values():
            if association.due is not None and association.due <= now:
                association.timeout = min(2 * association.timeout, _LAST_TIMEOUT)
                self._send_flight(association, now)

    def next_time(self) -> float | None:
        """Return when a flight is sent again."""
        return min((a.due for a in self._associations.values() if a.due is not None), default=None)

    def _begin(self, connection: Connection, stream: Stream, now: float) -> None:
        if not connection.is_open or (connection.number in self._associations and not self._begins_anew(connection)):
            return
        client = self._decisions.is_client(stream, connection)
        association = Association(connection, client, self._random(32), self._random(20), connection.base)
        self._associations[connection.number] = association
        if client:
            self._say_hello(association, b"", now)

    def _begins_anew(self, connection: Connection) -> bool:
        """Whether a handshake begins again since a restart has gone on with the connection (RFC 6544 section 9.2)."""
        restarted = self._associations[connection.number].base is not connection.base
        return restarted and self._decisions.begins_anew(connection)

    # -- what is sent --------------------------------------------------------------------------------------

    def _say_hello(self, association: Association, cookie: bytes, now: float) -> None:
        body = ClientHello(association.random, cookie).encode()
        association.flight = Handshake(HandshakeType.CLIENT_HELLO, body, association.messages)
        association.messages += 1
        association.timeout = _FIRST_TIMEOUT
        self._send_flight(association, now)

    def _send_flight(self, association: Association, now: float) -> None:
        if association.flight is None or not association.connection.is_open:
            association.due = None
            return
        association.due = now + association.timeout
        self._send(association, association.record(ContentType.HANDSHAKE, association.flight.encode()))

    def _send(self, association: Association, payload: bytes) -> None:
        if self._decisions.frames_records():
            self._connections.send(association.connection, payload)
        else:
            self._connections.write(association.connection, payload)

    # -- what comes ----------------------------------------------------------------------------------------

    def frame(self, connection: Connection, payload: bytes, now: float) -> None:
        """Take a frame that is no STUN: DTLS or, by its first octet, something that waits for the handshake's end."""
        association = self._associations.get(connection.number)
        if association is None or association.over:
            return  # too early: the peer will send it again (RFC 6347 section 4.2.4)
        kind = kind_of(payload)
        if kind is not Kind.DTLS:
            if self._decisions.fails_over_media() or self._decisions.fails_over_strange(payload[0]):
                self._fail(association)
            return
        if not self._decisions.takes_records():
            return
        for message in handshakes(payload):
            try:
                self._handshake(association, message, now)
            except DtlsError as error:
                self._out.append(Note(f"{connection}: discarded: {error}"))

    def _handshake(self, association: Association, message: Handshake, now: float) -> None:
        if association.client and message.type == HandshakeType.HELLO_VERIFY_REQUEST:
            self._say_hello(association, cookie_of(message.body), now)
        elif association.client and message.type == HandshakeType.SERVER_HELLO:
            self._fail(association)
        elif not association.client and message.type == HandshakeType.CLIENT_HELLO:
            if ClientHello.decode(message.body).cookie == association.cookie:
                self._fail(association)
            else:  # statelessly, with the sequence number of what it answers (RFC 6347 section 4.2.1)
                body = hello_verify_request(association.cookie)
                answer = Handshake(HandshakeType.HELLO_VERIFY_REQUEST, body, message.sequence)
                self._send(association, association.record(ContentType.HANDSHAKE, answer.encode()))

    def _fail(self, association: Association) -> None:
        """Go no further; the session itself is not harmed."""
        association.over, association.due = True, None
        self._send(association, association.record(ContentType.ALERT, _HANDSHAKE_FAILURE))
