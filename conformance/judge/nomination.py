"""Nomination and what follows from it (RFC 6544 section 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from conformance.judge.model import HELD, Exchange, Observation, Stun, Talk, broken, hole, rule, unclear
from conformance.wire.attributes import Address, Attribute
from conformance.wire.errors import StunError
from pcaps.streams import Event

_WAIT_NS = 10_000_000_000  # more than three times the waiting of RFC 8445 section 8.3


@rule("RFC6544-7.1-s04", "USE-CANDIDATE comes from the controlling agent only")
def only_the_controlling_agent_nominates(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.2.2."""
    for talk, stun in exchange.checks():
        if not stun.valid or not stun.message.use_candidate:
            continue
        if stun.message.has(Attribute.ICE_CONTROLLED) and not stun.message.has(Attribute.ICE_CONTROLLING):
            yield broken(
                talk,
                stun,
                "sent USE-CANDIDATE beside ICE-CONTROLLED",
                expected="no USE-CANDIDATE of a controlled agent",
            )
        else:
            yield HELD


@rule("RFC6544-8-01", "a pair is nominated after a check of it succeeded")
def nomination_follows_a_success(exchange: Exchange) -> Iterator[Observation]:
    """With TCP candidates nomination is regular, whatever an agent of RFC 5245 may do over UDP alone.

    A success on an earlier connection of the pair counts too: the connection was lost and opened again (section 11.1).
    So does one that the agent had while it was controlled: roles may switch.
    """
    earned = _successes(exchange)
    for talk, stun in exchange.checks():
        if not stun.valid or not stun.message.use_candidate:
            continue
        responses = talk.successes(exchange.known, client=stun.from_client)
        here = any(response.index < stun.index and _same_name(request, stun) for request, response in responses)
        before = any(time_ns < stun.event.time_ns for time_ns in earned.get(_key(talk, stun), ()))
        if here or before:
            yield HELD
        elif (gap := _gap(exchange, talk)) is not None:
            yield unclear(f"whether a check had succeeded before the nomination: {hole(gap)}", gap)
        elif _has_stranger(exchange, talk):
            yield unclear("whether a check had succeeded on a connection that began before the capture", talk)
        elif exchange.partial:
            yield unclear("whether a check had succeeded on an earlier connection of the pair, let go of before", talk)
        else:
            yield broken(
                talk,
                stun,
                "nominated the pair before any check of it had succeeded",
                expected="a check without USE-CANDIDATE, its success, then a check with it",
                actual="USE-CANDIDATE without an earlier success of the agent on this pair in the capture",
            )


def _has_stranger(exchange: Exchange, talk: Talk) -> bool:
    """Whether a connection of the pair was there before the capture began, whatever it was."""
    client, server = talk.pair
    known = {frozenset((other.connection.client, other.connection.server)) for other in exchange.talks}
    return any(
        server in ends and client in (ends[0].ip, ends[1].ip) and frozenset(ends) not in known
        for ends in exchange.strangers
    )


def _gap(exchange: Exchange, talk: Talk) -> Talk | None:
    """Return a connection of the pair of which the capture lacks something; the success may lie there."""
    client, server = talk.pair

    def serves_it(other: Talk) -> bool:
        ends = (other.connection.client, other.connection.server)
        turned = not other.connection.began and (ends[1].ip, ends[0]) == (client, server)
        return turned or other.pair == (client, server)

    return next((other for other in exchange.talks if serves_it(other) and not other.whole()), None)


def _key(talk: Talk, stun: Stun) -> tuple[object, ...]:
    return (*talk.pair, stun.from_client, stun.username)


def _same_name(request: Stun, nomination: Stun) -> bool:
    """Whether both belong to the same ICE session: a restart changes the user name."""
    return request.username == nomination.username


def _successes(exchange: Exchange) -> dict[tuple[object, ...], list[int]]:
    found: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for talk in exchange.talks:
        for client in (True, False):
            for request, response in talk.successes(exchange.known, client=client):
                found[_key(talk, request)].append(response.event.time_ns)
    return found


@rule("RFC6544-8-02", "connections that were not selected are closed")
def unselected_connections_are_closed(exchange: Exchange) -> Iterator[Observation]:
    """Judged some time after the nomination succeeded; needs the descriptions, which tell the components apart."""
    for chosen, time_ns in _selections(exchange):
        for talk in exchange.talks:
            if talk is chosen or not _rivals(exchange, chosen, talk, time_ns):
                continue
            ended = next((e for e in talk.connection.events if e.what in ("fin", "rst")), None)
            if ended is not None and ended.time_ns <= time_ns + _WAIT_NS:
                yield HELD
            elif exchange.until_ns < time_ns + _WAIT_NS:
                if not exchange.known.whole:
                    yield unclear("whether the other connections were closed: the capture ends too early", talk)
            elif talk.connection.last_ns < time_ns + _WAIT_NS:
                yield unclear("whether another connection was closed: nothing was seen on it afterwards", talk)
            elif len(exchange.known.parties) < 2:
                yield unclear("whether the other connections should have been closed: no offer and answer", talk)
            else:
                yield from _still_open(exchange, talk, time_ns)


def _still_open(exchange: Exchange, talk: Talk, time_ns: int) -> Iterator[Observation]:
    for client in (True, False):
        if exchange.known.judges(talk.address(client=client)):
            event = Event(time_ns + _WAIT_NS, client, "open")
            yield broken(
                talk,
                event,
                "left a connection open that was not selected",
                expected="after completion only the selected pair's connection stays open",
                actual=f"{_WAIT_NS // 10**9} s after the nomination neither side had closed it",
            )


def _selections(exchange: Exchange) -> Iterator[tuple[Talk, int]]:
    """Yield the connection and the time of each session's and component's only nomination that succeeded."""
    found: defaultdict[tuple[object, ...], list[tuple[Talk, int]]] = defaultdict(list)
    for talk in exchange.talks:
        for client in (True, False):
            for request, response in talk.successes(exchange.known, client=client):
                if request.message.use_candidate:
                    found[_group(exchange, talk)].append((talk, response.event.time_ns))
    for selections in found.values():
        if len({id(talk) for talk, _ in selections}) == 1:
            yield selections[0]


def _rivals(exchange: Exchange, chosen: Talk, talk: Talk, time_ns: int) -> bool:
    """Whether two connections serve the same component of a session, the second established before `time_ns`."""
    events = talk.connection.events
    if talk.connection.first_ns > time_ns or not talk.checked:
        return False
    component = _group(exchange, chosen)
    gone = any(event.what in ("fin", "rst") and event.time_ns <= time_ns for event in events)
    return not gone and component[1] is not None and _group(exchange, talk) == component


def _group(exchange: Exchange, talk: Talk) -> tuple[object, ...]:
    """Return session and component of a connection; component None: it cannot be told."""
    names = next((stun.username for stun in talk.stun if stun.is_check), None) or ""
    session = frozenset(names.split(":"))
    return session, _component(exchange, talk.connection.server) or _component_said(talk)


def _component(exchange: Exchange, server: Address) -> tuple[int, int] | None:
    """Return media section and component of the candidate that was connected to."""
    for party in exchange.known.parties:
        for number, section in enumerate(party.media):
            for candidate in section:
                if candidate.is_tcp and candidate in party.at(server):
                    return number, candidate.component
    return None


def _component_said(talk: Talk) -> tuple[int, int] | None:
    """Return the component by the priority of the checks, whose last octet tells it."""
    for stun in talk.stun:
        try:
            priority = stun.message.priority
        except StunError:
            continue
        if stun.is_check and priority is not None:
            return 0, 256 - (priority & 0xFF)
    return None
