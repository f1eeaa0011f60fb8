"""RFC 4571 framing for the life of a connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from conformance.judge.model import HELD, Exchange, Observation, broken, hole, rule, unclear
from conformance.judge.talk import Talk
from conformance.wire.dtls import DTLS_1_0, DTLS_1_2, Kind, kind_of
from pcaps.connections import Event
from pcaps.frames import COOKIE

_HANDSHAKE, _TLS = 22, 3  # content type, and what TLS versions begin with
_DTLS_VERSIONS = (DTLS_1_0.to_bytes(2, "big"), DTLS_1_2.to_bytes(2, "big"))
_FRAMED = "everything on the connection stands in RFC 4571 frames"


@rule("RFC6544-7.1-03", title="everything on a connection that the agent opened is framed")
def opened_connection_is_framed(exchange: Exchange) -> Iterator[Observation]:
    """From the first octet to the last, media and (D)TLS included."""
    yield from _framing(exchange, opened=True)


@rule("RFC6544-7.2-03", title="everything on a connection that the agent accepted is framed")
def accepted_connection_is_framed(exchange: Exchange) -> Iterator[Observation]:
    """From the first octet to the last, media and (D)TLS included."""
    yield from _framing(exchange, opened=False)


def _framing(exchange: Exchange, *, opened: bool) -> Iterator[Observation]:
    for talk, client in exchange.sides():
        if not talk.checked or talk.connection.opened_by(client=client) is not opened:
            continue
        if _misframed(exchange, talk, client):
            continue  # frames cannot be found behind a wrong LENGTH, and that has a rule of its own
        bare = [event for _, event in talk.unframed[client] if _is_ice(talk, event)]
        if bare:
            yield broken(talk, bare[0], f"sent {_called(bare[0])} without a frame", expected=_FRAMED)
        elif not talk.spoke(client=client):
            continue
        elif talk.complete[client]:
            yield HELD
        else:
            yield unclear(f"framing for the connection's life: {hole(talk)}", talk)


def _is_ice(talk: Talk, event: Event) -> bool:
    """Whether what stands outside frames belongs to ICE or its media, and not to a server asked by the way."""
    if event.payload[4:8] != COOKIE:
        return True
    stun = talk.stun_of(event)
    if stun is None:
        return False
    return stun.is_check or any(request.is_check for request in talk.requests_for(stun))


def _called(event: Event) -> str:
    if event.payload[4:8] == COOKIE:
        return "a STUN message"
    if event.payload[0] == _HANDSHAKE:
        return "a TLS handshake" if event.payload[1] == _TLS else "a DTLS handshake"
    return "RTP packets"


@rule("RFC4571-2-01", title="LENGTH is the number of octets of the message behind it")
def length_equals_the_message(exchange: Exchange) -> Iterator[Observation]:
    """A STUN message that comes before any media may has the length it says; nowhere does LENGTH stand twice."""
    for talk, client in exchange.sides():
        yield from _length(exchange, talk, client)


def _length(exchange: Exchange, talk: Talk, client: bool) -> Iterator[Observation]:
    if not talk.checked or not talk.complete[client]:
        return
    for _, told, inner in talk.frames_of_stun(client=client):
        if told == inner:
            yield HELD
    yield from _misframed(exchange, talk, client)


def _misframed(exchange: Exchange, talk: Talk, client: bool) -> list[Observation]:
    """Return where one side's LENGTH is wrong, or stands twice, on a connection whose frames are known."""
    framed = talk.frames_of_stun(client=client)
    if not talk.plain[client] and (not framed or framed[-1][1] == framed[-1][2]):  # only the last one may be wrong
        return []
    found = cast("dict[tuple[int, bool], list[Observation]]", exchange.found.setdefault("misframed", {}))
    key = id(talk), client
    if key not in found:
        found[key] = list(_wrong_lengths(talk, client))
    return found[key]


def _wrong_lengths(talk: Talk, client: bool) -> Iterator[Observation]:
    if not talk.complete[client]:
        return
    for event, told, inner in talk.frames_of_stun(client=client):
        if told != inner:
            yield _wrong(talk, event, told, inner)
    for _, event in talk.plain[client]:
        if _is_length_repeated(event.payload):
            yield broken(
                talk,
                event,
                f"wrote the LENGTH {len(event.payload)} twice: all that follows is cut two octets too early",
                expected="LENGTH stands once before each packet",
                actual=f"the packet behind it begins with {event.payload[:4].hex()}",
            )


def _is_length_repeated(payload: bytes) -> bool:
    """Whether a frame begins with its own LENGTH, behind which a STUN message or a DTLS record stands."""
    packet = payload[2:]
    if payload[:2] != len(payload).to_bytes(2, "big"):
        return False
    return packet[4:8] == COOKIE or (kind_of(packet) is Kind.DTLS and packet[1:3] in _DTLS_VERSIONS)


def _wrong(talk: Talk, event: Event, told: int, inner: int) -> Observation:
    return broken(
        talk,
        event,
        f"put a STUN message of {inner} octets behind a LENGTH of {told}",
        expected=f"LENGTH is {inner}",
        actual=f"LENGTH is {told}",
    )


_HEADER_CLAUSE = "RFC 8489 section 5"


@rule("RFC8489-5-07", "RFC8489-5-s02", title="the header of a STUN message is well formed")
def message_header_is_well_formed(exchange: Exchange) -> Iterator[Observation]:
    """Two zero bits first, and a length that is the message's and a multiple of 4."""
    yield from _well_formed(exchange, in_header=True)


@rule("RFC8489-14-01", "RFC8489-14-03", title="the attributes of a STUN message fill it")
def attributes_fill_the_message(exchange: Exchange) -> Iterator[Observation]:
    """No attribute runs past the end."""
    yield from _well_formed(exchange, in_header=False)


def _well_formed(exchange: Exchange, *, in_header: bool) -> Iterator[Observation]:
    for talk, client in exchange.sides():
        if not talk.checked:
            continue
        for malformed in talk.malformed[client]:
            problem = malformed.problem
            if (problem.clause == _HEADER_CLAUSE) is in_header:
                yield broken(talk, malformed.event, f"sent a malformed STUN message: {problem.what}", expected="none")
        if talk.sent(client=client) and not talk.malformed[client]:
            yield HELD
