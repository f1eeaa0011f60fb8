"""What a script expects of the DTLS above ICE: its handshake's messages, bare in RFC 4571 frames."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.peer.events import Event, Expectation, Frame
from conformance.wire.dtls import (
    ClientHello,
    ContentType,
    DtlsError,
    Handshake,
    HandshakeType,
    Kind,
    Record,
    handshakes,
    hello_verify_request,
    kind_of,
    records,
)
from conformance.wire.rfc4571 import frame

if TYPE_CHECKING:
    from collections.abc import Collection

    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

_ALERT_OCTETS = 2
_REFUSALS = {40, 70, 71, 109}  # handshake_failure, protocol_version, insufficient_security, missing_extension
_UNEXPECTED_MESSAGE = 10
_TIMEOUT = 1.0  # seconds before a flight is sent again (RFC 6347 section 4.2.4.1)


class AnyDtls(Expectation):
    """A frame that is DTLS by its first octet (RFC 7983 section 7)."""

    text = "a DTLS record"

    def fulfilled_by(self, event: Event) -> bool:
        """Take any frame with DTLS."""
        return isinstance(event, Frame) and kind_of(event.octets) is Kind.DTLS


@dataclass
class Hello(Expectation):
    """The IUT's ClientHello; with `cookie`, the one that brings this cookie back."""

    cookie: bytes | None = None

    @property
    def text(self) -> str:  # type: ignore[override]
        """In words."""
        return "a DTLS ClientHello" + ("" if self.cookie is None else " with our cookie")

    def fulfilled_by(self, event: Event) -> bool:
        """Take a ClientHello."""
        found = _hello(event)
        return found is not None and self.cookie in (None, found.cookie)


@dataclass
class UnexpectedMessage(Expectation):
    """The IUT's DTLS alert to a record that it has received and does not want in its state of the handshake."""

    text = "a DTLS alert (unexpected_message)"

    def fulfilled_by(self, event: Event) -> bool:
        """Take such an alert."""
        return _has_alert(event, {_UNEXPECTED_MESSAGE})


@dataclass
class OtherHello(Expectation):
    """A ClientHello of another handshake than this one's: DTLS sends a flight again with the same random value."""

    than: Frame
    text = "a DTLS ClientHello of a new handshake"

    def fulfilled_by(self, event: Event) -> bool:
        """Take a ClientHello with another random value."""
        found, known = _hello(event), _hello(self.than)
        return found is not None and known is not None and found.random != known.random


class ServerFlight(Expectation):
    """The IUT's answer to a ClientHello of ours: ServerHello, HelloVerifyRequest, or that it wants another offer."""

    text = "a DTLS ServerHello or HelloVerifyRequest"

    def fulfilled_by(self, event: Event) -> bool:
        """Take either, and the alerts of a server that shares none of our cipher suites, groups or versions."""
        wanted = (HandshakeType.SERVER_HELLO, HandshakeType.HELLO_VERIFY_REQUEST)
        return any(message.type in wanted for message in _messages(event)) or _refused(event)


def client_hello(random: bytes) -> bytes:
    """Return the payload that begins a handshake from our side."""
    message = Handshake(HandshakeType.CLIENT_HELLO, ClientHello(random).encode())
    return Record(ContentType.HANDSHAKE, message.encode()).encode()


def expect_server(peer: Peer, connection: Connection, hello: bytes, *, within: float) -> None:
    """Say hello as DTLS's client, again every second as DTLS does, until the IUT answers as its server.

    On whichever connection: an IUT that has several valid ones sends over the one that it has selected.
    """
    deadline = time.monotonic() + within

    def answered() -> bool:
        return any(each.has(ServerFlight()) for each in peer.connections)

    connection.send(frame(hello))
    while (left := deadline - time.monotonic()) > _TIMEOUT and not peer.wait_until(answered, _TIMEOUT):
        connection.send(frame(hello))
    peer.expect(ServerFlight, within=max(left, 0.0))


def verify_request(cookie: bytes) -> bytes:
    """Return the payload by which a server asks a client to come again with a cookie."""
    message = Handshake(HandshakeType.HELLO_VERIFY_REQUEST, hello_verify_request(cookie))
    return Record(ContentType.HANDSHAKE, message.encode()).encode()


def _messages(event: Event) -> list[Handshake]:
    return handshakes(event.octets) if isinstance(event, Frame) else []


def _refused(event: Event) -> bool:
    return _has_alert(event, _REFUSALS)


def _has_alert(event: Event, descriptions: Collection[int]) -> bool:
    if not isinstance(event, Frame):
        return False
    try:
        alerts = [record for record in records(event.octets) if record.content == ContentType.ALERT]
    except DtlsError:
        return False
    return any(len(alert.fragment) == _ALERT_OCTETS and alert.fragment[1] in descriptions for alert in alerts)


def _hello(event: Event) -> ClientHello | None:
    for message in _messages(event):
        if message.type == HandshakeType.CLIENT_HELLO:
            try:
                return ClientHello.decode(message.body)
            except DtlsError:
                return None
    return None
