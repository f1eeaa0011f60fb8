"""What follows a nomination: the pair is selected and used, and the others are freed (RFC 6544 section 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import cast

from conformance.judge.known import same_address
from conformance.judge.media import is_media
from conformance.judge.model import HELD, Exchange, Observation, broken, hole, rule, unclear
from conformance.judge.talk import Talk
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from pcaps.connections import Event

_SWITCH_NS = 1_000_000_000  # from the nomination's success to where data follows it
_WAIT_NS = 10_000_000_000  # more than three times the waiting of RFC 8445 section 8.3
_SOON_NS = 5_000_000_000  # a nominated connection that an agent closes so soon it has never selected
_IDLE_NS = 60_000_000_000  # four times the interval of keepalives (RFC 8445 section 11), twice that of consent
_ANEW, _APART_NS = 10, 1_000_000_000  # so many nominations of one pair, less than this apart, are no keepalives


@rule("RFC6544-8-02", title="connections that were not selected are closed")
def unselected_connections_are_closed(exchange: Exchange) -> Iterator[Observation]:
    """Judged some time after the nomination succeeded; needs the descriptions, which tell the components apart."""
    for component, talks, selection in _groups(exchange):
        if component is not None and selection is not None:
            chosen, time_ns = selection
            for talk in talks:
                if talk is not chosen and _is_there(talk, time_ns):
                    yield from _closed(exchange, talk, time_ns)


def _closed(exchange: Exchange, talk: Talk, time_ns: int) -> Iterator[Observation]:
    ended = talk.end()
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
    for component, talks, selection in _groups(exchange):
        if component is None or selection is None or exchange.untimed:
            continue
        chosen, time_ns = selection
        for talk in talks:
            for client in (True, False):
                if exchange.known.judges(talk.address(client=client)):
                    yield from _data(exchange, chosen, time_ns + _SWITCH_NS, talk, client)


def _data(exchange: Exchange, chosen: Talk, from_ns: int, talk: Talk, client: bool) -> Iterator[Observation]:
    late = (event for _, event in talk.plain[client] if event.time_ns > from_ns and is_media(event))
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


@rule("RFC8445-8.1.1-s02", title="a nominated pair is selected and used")
def nominated_pair_is_used(exchange: Exchange) -> Iterator[Observation]:
    """Judged of a component with one nominated connection. Data over it holds the rule, be it the only sign.

    An agent breaks it that goes on with its checks as if nothing were nominated, does not check the pair that the peer
    has nominated, closes its connection and keeps another, or nominates it again and again. Silence proves nothing.
    """
    for component, talks, selection in _groups(exchange):
        if component is not None and selection is not None and not exchange.untimed:
            for client in (True, False):
                if exchange.known.judges(selection[0].address(client=client)):
                    yield from _Use(exchange, talks, *selection, client).observations()


class _Use:
    """What one agent does with the connection that was nominated at a time."""

    def __init__(self, exchange: Exchange, talks: Sequence[Talk], chosen: Talk, time_ns: int, client: bool) -> None:
        self._exchange = exchange
        self._chosen = chosen
        self._time_ns = time_ns
        self._client = client
        self._ip = chosen.address(client=client).ip
        self._others = [talk for talk in talks if talk.pair != chosen.pair]
        self._checks = [stun for stun in chosen.sent(client=client) if stun.is_request]
        succeeded = chosen.successes(exchange.known, client=client)
        self._validated_ns = min((response.event.time_ns for _, response in succeeded), default=None)
        self._end = chosen.end()
        self._nominations = self._nominated_anew()

    def observations(self) -> Iterator[Observation]:
        """Yield what can be said of it."""
        chosen = self._chosen
        if any(is_media(event) for _, event in chosen.plain[self._client]):
            yield HELD
        elif (breach := self._breach()) is not None:
            whole = chosen.whole() and chosen.legible(client=True) and chosen.legible(client=False)
            yield breach if whole else self._unclear(hole(chosen))
        elif self._keeps_it:
            yield HELD
        elif self._chosen.connection.last_ns - self._time_ns >= _IDLE_NS:
            yield self._unclear(f"it sent nothing of its own over it for {_IDLE_NS // 10**9} s")

    def _breach(self) -> Observation | None:
        if self._leaves_it_unchecked():
            return self._broken("never checked the pair that was nominated", self._time_ns + _WAIT_NS)
        if (kept := self._closes_it_for_another()) is not None:
            return self._broken(f"closed the connection that was nominated and left {kept} open", self._end_ns)
        if len(anew := self._nominations) >= _ANEW and anew[-1] > self._time_ns + _WAIT_NS:
            return self._broken(f"nominated the pair {len(anew)} times more and never used it", anew[-1])
        if (other := self._goes_on_elsewhere()) is not None:
            talk, event = other
            after = (event.time_ns - self._time_ns) / 1e9
            what = f"went on with its checks on {talk} {after:.0f} s after the nomination, and did not use the pair"
            return self._broken(what, event.time_ns)
        return None

    def _broken(self, reason: str, time_ns: int) -> Observation:
        expected = f"{self._chosen}, which was nominated, is checked, selected and used"
        return broken(self._chosen, Event(time_ns, self._client, "unused"), reason, expected=expected)

    def _unclear(self, why: str) -> Observation:
        agent = self._chosen.address(client=self._client)
        return unclear(f"whether {agent} used the pair that was nominated: {why}", self._chosen)

    @property
    def _end_ns(self) -> int:
        return self._exchange.until_ns if self._end is None else self._end.time_ns

    def _is_full(self) -> bool:
        """Whether the agent is known to make checks: it made one somewhere, or its description does not say lite."""
        asked = next((stun for stun in self._chosen.sent(client=not self._client) if stun.is_check), None)
        owner = self._exchange.known.owner(asked.theirs) if asked else None
        if owner is not None:
            return not owner.lite
        return self._ip in _checking(self._exchange)

    def _leaves_it_unchecked(self) -> bool:
        """Whether a full agent sent no check of its own, on this connection or another of the pair."""
        if min(self._end_ns, self._chosen.connection.last_ns) - self._time_ns < _WAIT_NS:
            return False
        checked = (*self._chosen.pair, self._client) in _checked_pairs(self._exchange)
        return not checked and self._is_full() and not self._exchange.partial

    def _closes_it_for_another(self) -> Talk | None:
        """Return the connection that the agent left open when it closed this one, in place of the other way round."""
        end = self._end
        if end is None or end.from_client is not self._client or end.time_ns > self._time_ns + _SOON_NS:
            return None
        later = end.time_ns + _WAIT_NS
        kept = (talk for talk in self._others if _is_there(talk, end.time_ns) and _is_there(talk, later))
        return next((t for t in kept if t.connection.last_ns >= later and self._is_of_one_session(t)), None)

    def _is_of_one_session(self, talk: Talk) -> bool:
        """Whether a connection of this agent was never checked with the credentials of another session: a restart's."""
        names = _sessions(talk) | _sessions(self._chosen)
        ends = {talk.connection.client.ip, talk.connection.server.ip}
        return len(names) == 1 and len(ends) == 2 and self._ip in ends  # else it is not known which end is whose

    def _nominated_anew(self) -> list[int]:
        """Return when the agent nominated the pair anew, each time sooner than anything to keep it alive is due."""
        again = [s.event.time_ns for s in self._checks if s.message.use_candidate and s.event.time_ns > self._time_ns]
        if not again:
            return []
        before = [self._time_ns, *again]
        return [time_ns for last_ns, time_ns in zip(before, again, strict=False) if time_ns - last_ns < _APART_NS]

    def _goes_on_elsewhere(self) -> tuple[Talk, Event] | None:
        """Return a check on another connection of the component, long after the agent knew of the selection."""
        if self._validated_ns is None or self._keeps_it:
            return None
        since = max(self._time_ns, self._validated_ns)
        for talk in filter(self._is_of_one_session, self._others):
            client = talk.connection.client.ip == self._ip
            asked = any(stun.is_request and stun.event.time_ns > since for stun in talk.sent(client=not client))
            checks = [stun for stun in talk.sent(client=client) if stun.is_check and not asked]
            late = [stun for stun in checks if since + _WAIT_NS < stun.event.time_ns < self._end_ns]
            if late:
                return talk, late[0].event
        return None

    @property
    def _keeps_it(self) -> bool:
        """Whether the agent sent something of its own since: keepalives, checks for consent, what is no STUN."""
        since = max(self._time_ns, self._validated_ns or self._time_ns)
        if self._chosen.connection.last_from(client=self._client) <= since:
            return False
        answers = {stun.index for stun in self._chosen.sent(client=self._client) if stun.is_response}
        anew = set(self._nominations)
        events = enumerate(self._chosen.connection.events)
        return any(
            event.time_ns > since
            and event.from_client is self._client
            and event.what in ("frame", "unframed")
            and index not in answers
            and event.time_ns not in anew
            for index, event in events
        )


def _sessions(talk: Talk) -> set[frozenset[str]]:
    """Return the two user name fragments of each check on a connection, of either side; the order does not count."""
    return {frozenset((stun.username or "").split(":")) for stun in talk.stun if stun.is_check}


def _senders(exchange: Exchange) -> list[tuple[Talk, bool]]:
    """Return connections and sides, judged or not, from which checks came."""
    if "senders" not in exchange.found:
        sides = ((talk, client) for talk in exchange.talks for client in (True, False))
        exchange.found["senders"] = [
            (talk, client) for talk, client in sides if any(stun.is_check for stun in talk.sent(client=client))
        ]
    return cast("list[tuple[Talk, bool]]", exchange.found["senders"])


def _checking(exchange: Exchange) -> set[str]:
    """Return the addresses from which checks came."""
    if "checking" not in exchange.found:
        exchange.found["checking"] = {talk.address(client=client).ip for talk, client in _senders(exchange)}
    return cast("set[str]", exchange.found["checking"])


def _checked_pairs(exchange: Exchange) -> set[tuple[str, Address, bool]]:
    """Return the candidate pairs, and from which side, that were checked on some connection."""
    if "checked pairs" not in exchange.found:
        exchange.found["checked pairs"] = {(*talk.pair, client) for talk, client in _senders(exchange)}
    return cast("set[tuple[str, Address, bool]]", exchange.found["checked pairs"])


def _closed_by(talk: Talk, ip: str) -> bool:
    """Whether it was this agent that ended a connection."""
    ended = talk.end()
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
    first: tuple[Talk, int] | None = None
    for talk in talks:
        for client in (True, False):
            for request, response in talk.successes(exchange.known, client=client):
                if request.message.use_candidate:
                    if first is not None and first[0] is not talk:
                        return None
                    first = first or (talk, response.event.time_ns)
    return first


def _is_there(talk: Talk, time_ns: int) -> bool:
    """Whether a connection was established before this time and not over by then."""
    return talk.connection.first_ns <= time_ns < talk.ended_ns


_Group = tuple[object, list[Talk], tuple[Talk, int] | None]


def _groups(exchange: Exchange) -> list[_Group]:
    """Return the connections of each session and component, with the component and with what was selected."""
    if "groups" not in exchange.found:
        groups: defaultdict[tuple[object, object], list[Talk]] = defaultdict(list)
        for talk in exchange.talks:
            if talk.checked:
                groups[_group(exchange, talk)].append(talk)
        exchange.found["groups"] = [
            (component, talks, _selection(exchange, talks)) for (_, component), talks in groups.items()
        ]
    return cast("list[_Group]", exchange.found["groups"])


def _group(exchange: Exchange, talk: Talk) -> tuple[object, object]:
    """Return session and component of a connection; component None: it cannot be told."""
    names = next((stun.username for stun in talk.stun if stun.is_check), None) or ""
    session = frozenset(names.split(":"))
    by_server = cast("dict[Address, object]", exchange.found.setdefault("components", {}))
    server = talk.connection.server
    if server not in by_server:
        by_server[server] = _component(exchange, server)
    return session, by_server[server] or _component_said(talk)


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
