"""Nomination and what follows from it (RFC 6544 section 8)."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from conformance.judge.known import same_address
from conformance.judge.media import is_media
from conformance.judge.model import HELD, Exchange, Observation, broken, hole, rule, unclear
from conformance.judge.talk import Stun, Talk
from conformance.wire.attributes import Address, Attribute
from conformance.wire.errors import StunError
from pcaps.connections import Event

_SWITCH_NS = 1_000_000_000  # from the nomination's success to where data follows it
_WAIT_NS = 10_000_000_000  # more than three times the waiting of RFC 8445 section 8.3


@rule("RFC8445-7.1.2-02", "RFC6544-7.1-s04", title="USE-CANDIDATE comes from the controlling agent only")
def only_the_controlling_agent_nominates(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.2.2."""
    for talk, stun in exchange.checks():
        if not stun.valid or not stun.message.use_candidate:
            continue
        if stun.message.has(Attribute.ICE_CONTROLLED) and not stun.message.has(Attribute.ICE_CONTROLLING):
            yield broken(
                talk,
                stun,
                "sent USE-CANDIDATE together with ICE-CONTROLLED",
                expected="no USE-CANDIDATE of a controlled agent",
            )
        else:
            yield HELD


@rule("RFC6544-8-01", title="a pair is nominated after a check of it succeeded")
def nomination_follows_a_success(exchange: Exchange) -> Iterator[Observation]:
    """With TCP candidates nomination is regular, whatever an agent of RFC 5245 may do over UDP alone.

    A success on an earlier connection of the pair counts too: the connection was lost and opened again (section 11.1).
    So does one that the agent had while it was controlled: roles may switch.
    """
    earned = _Earned(exchange)
    for talk, stun in exchange.checks():
        if not stun.valid or not stun.message.use_candidate:
            continue
        if earned.before(talk, stun):
            yield HELD
        elif doubt := earned.doubt(talk, stun):
            yield doubt
        else:
            yield broken(
                talk,
                stun,
                "nominated the pair before any check of it had succeeded",
                expected="a check without USE-CANDIDATE, its success, then a check with it",
                actual="USE-CANDIDATE without an earlier success of the agent on this pair in the capture",
            )


class _Earned:
    """The first successes of an exchange, and what of the capture keeps one from knowing them all."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._here: dict[tuple[object, ...], int] = {}  # index of the first success on a connection
        self._first: dict[tuple[object, ...], int] = {}  # time of the first success of a pair
        for talk in exchange.talks:
            for client in (True, False):
                for request, response in talk.successes(exchange.known, client=client):
                    key = (*talk.pair, client, request.username)  # a restart changes the user name
                    here = (id(talk), client, request.username)
                    self._here[here] = min(response.index, self._here.get(here, response.index))
                    time_ns = response.event.time_ns
                    self._first[key] = min(time_ns, self._first.get(key, time_ns))

    def before(self, talk: Talk, stun: Stun) -> bool:
        """Whether a check of the same session had succeeded before this one, on this connection or an earlier one."""
        here = self._here.get((id(talk), stun.from_client, stun.username))
        first = self._first.get((*talk.pair, stun.from_client, stun.username))
        return (here is not None and here < stun.index) or (first is not None and first < stun.event.time_ns)

    def doubt(self, talk: Talk, stun: Stun) -> Observation | None:
        """Return what keeps one from knowing that none had."""
        client, server = talk.pair
        gap = self._gaps.get((client, server)) or self._gaps.get((server, client))
        if gap is not None:
            return unclear(f"whether a check had succeeded before the nomination: {hole(gap)}", gap)
        if (client, server) in self._strangers:
            return unclear("whether a check had succeeded on a connection that began before the capture", talk)
        if self._exchange.partial:
            return unclear("whether a check had succeeded on an earlier connection of the pair, let go of before", talk)
        if self._exchange.untimed and (*talk.pair, stun.from_client, stun.username) in self._first:
            return unclear("whether a check had succeeded before: the capture's clock was set back", talk)
        return None

    @functools.cached_property
    def _gaps(self) -> dict[tuple[object, object], Talk]:
        """Connections of which the capture lacks something, by their pairs; the success may lie there."""
        found: dict[tuple[object, object], Talk] = {}
        for talk in self._exchange.talks:
            if not (talk.whole() and talk.legible(client=True) and talk.legible(client=False)):
                found.setdefault(talk.pair, talk)
                if not talk.connection.began:  # who opened it is not known
                    found.setdefault((talk.connection.client, talk.connection.server.ip), talk)
        return found

    @functools.cached_property
    def _strangers(self) -> set[tuple[str, Address]]:
        """Pairs of connections that were there before the capture began, whatever they were."""
        known = {frozenset((talk.connection.client, talk.connection.server)) for talk in self._exchange.talks}
        both = [ends for ends in self._exchange.strangers if frozenset(ends) not in known]
        return {pair for one, other in both for pair in ((one.ip, other), (other.ip, one))}


@rule("RFC6544-8-02", title="connections that were not selected are closed")
def unselected_connections_are_closed(exchange: Exchange) -> Iterator[Observation]:
    """Judged some time after the nomination succeeded; needs the descriptions, which tell the components apart."""
    for (_, component), talks in _groups(exchange).items():
        selection = _selection(exchange, talks)
        if component is not None and selection is not None:
            chosen, time_ns = selection
            for talk in talks:
                if talk is not chosen and _is_there(talk, time_ns):
                    yield from _closed(exchange, talk, time_ns)


def _closed(exchange: Exchange, talk: Talk, time_ns: int) -> Iterator[Observation]:
    ended = next((e for e in talk.connection.events if e.what in ("fin", "rst")), None)
    if ended is not None and ended.time_ns <= time_ns + _WAIT_NS:
        yield HELD
    elif exchange.until_ns < time_ns + _WAIT_NS:
        if not exchange.known.whole:
            yield unclear("whether the other connections were closed: the capture ends too early", talk)
    elif talk.connection.last_ns < time_ns + _WAIT_NS:
        yield unclear("whether another connection was closed: nothing was seen on it afterwards", talk)
    elif talk.connection.disordered or exchange.untimed:
        yield unclear("whether another connection was closed: the capture's times contradict their order", talk)
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


@rule("RFC8445-12.1-02", "RFC8445-8.1.1-s02", title="data goes over the selected pair")
def data_goes_over_the_selected_pair(exchange: Exchange) -> Iterator[Observation]:
    """Judged from a second after the nomination on, of who knows of it: its own check on that pair has succeeded."""
    for (_, component), talks in _groups(exchange).items():
        selection = _selection(exchange, talks)
        if component is None or selection is None or exchange.untimed:
            continue
        chosen, time_ns = selection
        for talk in talks:
            for client in (True, False):
                if exchange.known.judges(talk.address(client=client)):
                    yield from _data(exchange, chosen, time_ns + _SWITCH_NS, talk, client)


def _data(exchange: Exchange, chosen: Talk, from_ns: int, talk: Talk, client: bool) -> Iterator[Observation]:
    events = talk.connection.events
    late = (e for e in events if e.from_client is client and e.time_ns > from_ns and is_media(e))
    event = next(late, None)
    if event is None:
        return
    if talk.pair == chosen.pair:  # the connection itself, or the same pair's once it was opened again
        yield HELD
    elif not (_is_there(chosen, event.time_ns) or _closed_by(chosen, talk.address(client=client).ip)):
        return  # it was lost
    elif not talk.whole():
        yield unclear(f"whether data left by another pair than the selected one: {hole(talk)}", talk)
    elif _has_validated(exchange, chosen, talk.address(client=client).ip, from_ns):
        after = (event.time_ns - from_ns + _SWITCH_NS) / 1e9
        yield broken(
            talk,
            event,
            f"sent data over {talk}, and not over the selected pair",
            expected=f"data over {chosen}, which was nominated",
            actual=f"{event.payload[:16].hex(' ')} … {after:.1f} s after that",
        )


def _closed_by(talk: Talk, ip: str) -> bool:
    """Whether it was this agent that ended a connection."""
    ended = next((event for event in talk.connection.events if event.what in ("fin", "rst")), None)
    return ended is not None and talk.address(client=ended.from_client).ip == ip


def _has_validated(exchange: Exchange, talk: Talk, ip: str, until_ns: int) -> bool:
    """Whether an agent's own check on a connection had succeeded by then."""
    return any(
        response.event.time_ns < until_ns
        for client in (True, False)
        if talk.address(client=client).ip == ip
        for _, response in talk.successes(exchange.known, client=client)
    )


def _selection(exchange: Exchange, talks: Sequence[Talk]) -> tuple[Talk, int] | None:
    """Return connection and time of the nomination that succeeded; None: there is none, or on several connections."""
    found = [
        (talk, response.event.time_ns)
        for talk in talks
        for client in (True, False)
        for request, response in talk.successes(exchange.known, client=client)
        if request.message.use_candidate
    ]
    return found[0] if found and all(talk is found[0][0] for talk, _ in found) else None


def _is_there(talk: Talk, time_ns: int) -> bool:
    """Whether a connection was established before this time and not over by then."""
    over = any(event.what in ("fin", "rst") and event.time_ns <= time_ns for event in talk.connection.events)
    return talk.connection.first_ns <= time_ns and not over


def _groups(exchange: Exchange) -> dict[tuple[object, ...], list[Talk]]:
    """Return the connections of each session and component."""
    groups: defaultdict[tuple[object, ...], list[Talk]] = defaultdict(list)
    for talk in exchange.talks:
        if talk.checked:
            groups[_group(exchange, talk)].append(talk)
    return groups


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
                if candidate.is_tcp and candidate.port == server.port and same_address(candidate.address, server.ip):
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
