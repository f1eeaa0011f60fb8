"""Media and (D)TLS: not before the connection is validated (RFC 6544 sections 3, 7.1, 11.1 and 12)."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.judge.model import HELD, Exchange, Observation, broken, hole, reading, rule, unclear
from conformance.judge.talk import Talk
from pcaps.connections import Event, family
from pcaps.frames import COOKIE

_READING = (
    "(D)TLS began on a valid pair before it was nominated, as RFC 8445 section 12.1 allows for data; RFC 6544 "
    "section 3, read strictly, has it wait for the nomination"
)


@rule("RFC6544-3-s03", title="(D)TLS waits for ICE")
def dtls_waits_for_ice(exchange: Exchange) -> Iterator[Observation]:
    """No (D)TLS record on a connection on which the sender has no valid pair."""
    yield from _waits(exchange, dtls=True)


@rule("RFC6544-12-s01", title="media waits for a check that succeeded on its connection")
def media_waits_for_a_success(exchange: Exchange) -> Iterator[Observation]:
    """A full agent sends media only on a connection that a transaction of its own has validated."""
    yield from _waits(exchange, dtls=False)


def _waits(exchange: Exchange, *, dtls: bool) -> Iterator[Observation]:
    aimed = exchange.known.endpoints()
    for talk, client in exchange.sides():
        if not talk.checked and talk.connection.server not in aimed:
            continue
        first = next((e for e in talk.plain[client] if _is_media(e[1], dtls=dtls)), None)
        if first is not None:
            yield from _judged(exchange, talk, client, *first, dtls=dtls)


def is_media(event: Event) -> bool:
    """Whether an event is data of an application or (D)TLS, and no null frame."""
    if event.what != "frame" or not event.whole or event.stun or event.payload[4:8] == COOKIE:
        return False
    return family(event.payload) != "null"


def _is_media(event: Event, *, dtls: bool) -> bool:
    return is_media(event) and (family(event.payload) == "dtls") is dtls


def _judged(
    exchange: Exchange, talk: Talk, client: bool, index: int, event: Event, *, dtls: bool
) -> Iterator[Observation]:
    validated = [response for _, response in talk.successes(exchange.known, client=client) if response.index < index]
    what = "a (D)TLS record" if dtls else "media"
    if validated:
        yield reading(_READING) if dtls and not _nominated(exchange, talk, index) else HELD
    elif not talk.readable_by(client=client):
        yield unclear(f"whether a check had succeeded before {what}: {hole(talk)}", talk)
    elif not talk.checked and not exchange.known.whole:
        yield unclear(f"whether {what} is ICE's: no check was seen on the connection to a candidate", talk)
    elif _is_lite(exchange, talk, client):
        if _nominated(exchange, talk, index):
            yield HELD
        else:
            yield unclear(f"whether {what} came too early: its sender may be lite", talk)
    else:
        yield broken(
            talk,
            event,
            f"sent {what} before a check of its own had succeeded on the connection",
            expected=f"{what} after a success response to a check of the agent",
            actual=f"{event.payload[:16].hex(' ')} … without one",
        )


def _nominated(exchange: Exchange, talk: Talk, index: int) -> bool:
    """Whether a check with USE-CANDIDATE had succeeded, of whichever side."""
    return any(
        request.message.use_candidate and response.index < index
        for client in (True, False)
        for request, response in talk.successes(exchange.known, client=client)
    )


def _is_lite(exchange: Exchange, talk: Talk, client: bool) -> bool:
    """Whether the sender is lite, or, where no description tells, may be: it never sent a check on the connection."""
    for stun in talk.stun:
        if stun.is_check and stun.username:
            theirs, _, own = stun.username.partition(":")
            party = exchange.known.owner(own if stun.from_client is client else theirs)
            if party is not None:
                return party.lite
    owners = [party for party in exchange.known.parties if party.owns(talk.address(client=client).ip)]
    if len(owners) == 1 and not talk.checked:
        return owners[0].lite
    return not any(stun.is_check for stun in talk.sent(client=client))
