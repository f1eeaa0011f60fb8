"""RFC 4571 framing for the life of a connection."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.judge.model import HELD, Exchange, Observation, Stun, Talk, broken, hole, rule, unclear
from conformance.verdict import Verdict
from conformance.wire.attributes import MAGIC_COOKIE
from pcaps.connections import Event
from pcaps.frames import COOKIE

_HEADER = 20
_HANDSHAKE, _TLS = 22, 3  # content type, and what TLS versions begin with
_FRAMED = "everything on the connection stands in RFC 4571 frames"


@rule("RFC6544-7.1-03", "everything on a connection that the agent opened is framed")
def opened_connection_is_framed(exchange: Exchange) -> Iterator[Observation]:
    """From the first octet to the last, media and (D)TLS included."""
    yield from _framing(exchange, opened=True)


@rule("RFC6544-7.2-03", "everything on a connection that the agent accepted is framed")
def accepted_connection_is_framed(exchange: Exchange) -> Iterator[Observation]:
    """From the first octet to the last, media and (D)TLS included."""
    yield from _framing(exchange, opened=False)


def _framing(exchange: Exchange, *, opened: bool) -> Iterator[Observation]:
    for talk, client in exchange.sides():
        if not talk.checked or talk.connection.opened_by(client=client) is not opened:
            continue
        if any(seen.verdict is Verdict.FAIL for seen in _length(talk, client)):
            continue  # frames cannot be found behind a wrong LENGTH, and that has a rule of its own
        mine = [e for e in talk.connection.events if e.from_client is client and e.what in ("frame", "unframed")]
        bare = next((event for event in mine if event.what == "unframed" and _is_ice(talk, event)), None)
        if bare is not None:
            yield broken(talk, bare, f"sent {_called(bare)} without a frame", expected=_FRAMED)
        elif mine and talk.connection.complete_from(client=client):
            yield HELD
        elif mine:
            yield unclear(f"framing for the connection's life: {hole(talk)}", talk)


def _is_ice(talk: Talk, event: Event) -> bool:
    """Whether what stands outside frames belongs to ICE or its media, and not to a server asked by the way."""
    if event.payload[4:8] != COOKIE:
        return True
    stun = next((stun for stun in talk.stun if stun.event is event), None)
    if stun is None:
        return False
    return stun.is_check or any(request.is_check for request in talk.requests_for(stun))


def _called(event: Event) -> str:
    if event.payload[4:8] == COOKIE:
        return "a STUN message"
    if event.payload[0] == _HANDSHAKE:
        return "a TLS handshake" if event.payload[1] == _TLS else "a DTLS handshake"
    return "RTP packets"


@rule("RFC4571-2-01", "LENGTH is the number of octets of the message behind it")
def length_equals_the_message(exchange: Exchange) -> Iterator[Observation]:
    """Judged on the first frame of each side, which no media can be: a STUN message there has the length it says."""
    for talk, client in exchange.sides():
        yield from _length(talk, client)


def _length(talk: Talk, client: bool) -> Iterator[Observation]:
    if not talk.checked or not talk.connection.complete_from(client=client):
        return
    first = next((e for e in talk.connection.events if _is_frame(e) and e.from_client is client), None)
    if first is not None:
        yield from _first(talk, first)
        return
    rest = talk.connection.rest(client=client)
    told, inner = _lengths(rest)
    if told > inner > 0 and len(rest) >= 2 + inner:
        yield _wrong(talk, Event(talk.connection.last_ns, client, "frame", rest), told, inner)


def _is_frame(event: Event) -> bool:
    return event.what == "frame" and bool(event.payload)


def _first(talk: Talk, event: Event) -> Iterator[Observation]:
    told, inner = _lengths(len(event.payload).to_bytes(2, "big") + event.payload)
    if inner and told != inner:
        yield _wrong(talk, event, told, inner)
    elif inner:
        yield HELD


def _lengths(frame: bytes) -> tuple[int, int]:
    """Return what LENGTH says and what the STUN header behind it says in all; 0 where there is none."""
    if len(frame) < 10 or frame[6:10] != MAGIC_COOKIE.to_bytes(4, "big") or frame[2] >= 0x40:
        return 0, 0
    return int.from_bytes(frame[:2], "big"), int.from_bytes(frame[4:6], "big") + _HEADER


def _wrong(talk: Talk, event: Event | Stun, told: int, inner: int) -> Observation:
    return broken(
        talk,
        event,
        f"put a STUN message of {inner} octets behind a LENGTH of {told}",
        expected=f"LENGTH is {inner}",
        actual=f"LENGTH is {told}",
    )
