"""Which connections are opened, and how many (RFC 6544 sections 6.2, 7.1 and 12)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import cast

from conformance.judge.known import Party, same_address
from conformance.judge.model import HELD, Exchange, Observation, rule, unclear
from conformance.judge.talk import Talk
from conformance.verdict import Verdict
from conformance.wire.attributes import Address
from pcaps.connections import Connection

_MOST_OUTSTANDING = 5
_DISCARD = 9
_ANSWERS = ("syn-ack", "rst")
_REPETITION_NS = 1_000_000_000  # RFC 6298 section 2.1: the first retransmission timeout


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connection that an agent asked for, with the time in which it was certainly outstanding."""

    client: Address
    server: Address
    first_ns: int
    until_ns: int
    connection: Connection | None


def _opened(exchange: Exchange) -> list[_Opened]:
    """Return what judged agents asked for, attempts that came to nothing included."""
    if "opened" not in exchange.found:
        exchange.found["opened"] = _all_opened(exchange)
    return cast("list[_Opened]", exchange.found["opened"])


def _all_opened(exchange: Exchange) -> list[_Opened]:
    found = []
    for talk, client in exchange.sides():
        asked = [e.time_ns for e in talk.signals if e.what == "syn" and e.from_client is client]
        if asked:
            answers = [e.time_ns for e in talk.signals if e.what in _ANSWERS and e.from_client is not client]
            until = min(answers, default=asked[-1])
            ends = talk.address(client=client), talk.address(client=not client)
            found.append(_Opened(*ends, asked[0], until, talk.connection))
    for attempt in exchange.attempts:
        if exchange.known.judges(attempt.client):
            until = attempt.last_ns if attempt.answered_ns is None else attempt.answered_ns
            found.append(_Opened(attempt.client, attempt.server, attempt.first_ns, until, None))
    return sorted(found, key=lambda opened: opened.first_ns)


def _broken(opened: _Opened, reason: str, expected: str, actual: str = "") -> Observation:
    agent = str(opened.client)
    return Observation(
        Verdict.FAIL, f"{agent} {reason}", expected, actual or reason, opened.connection, opened.first_ns, agent
    )


@rule("RFC6544-6.2-s01", title="connections are opened to passive and S-O candidates only")
def connection_is_to_a_candidate_that_accepts(exchange: Exchange) -> Iterator[Observation]:
    """Active pairs with passive, S-O with S-O; nothing is opened to an active candidate, whose port means nothing."""
    peers = {(talk.connection.client.ip, talk.connection.server.ip) for talk in exchange.talks if talk.checked}
    for opened in _opened(exchange):
        if exchange.known.parties:
            yield from _paired(exchange.known.parties, opened)
        elif (
            opened.server.port == _DISCARD
            and {
                (opened.client.ip, opened.server.ip),
                (opened.server.ip, opened.client.ip),
            }
            & peers
        ):
            yield unclear(f"{opened.client} connected to {opened.server}: without descriptions its kind is not known")


def _paired(parties: tuple[Party, ...], opened: _Opened) -> Iterator[Observation]:
    theirs = [(party, c) for party in parties for c in party.at(opened.server)]
    kinds = {(candidate.tcptype or "").lower() for _, candidate in theirs}
    if not kinds:
        return  # no candidate of anybody: a server, or a peer-reflexive one
    if kinds == {"active"}:
        yield _broken(
            opened,
            f"opened a connection to the active candidate {opened.server}",
            "connections to passive and S-O candidates only",
        )
    elif kinds == {"so"}:
        yield from _simultaneous([p for p in parties if p not in [party for party, _ in theirs]], opened)
    else:
        yield HELD


def _simultaneous(others: list[Party], opened: _Opened) -> Iterator[Observation]:
    """S-O pairs with S-O: the connection comes from such a candidate's own port, unless a NAT is between."""
    for party in others:
        if party.owns(opened.client.ip):
            bases = [c for c in party.based_at(opened.client) if (c.tcptype or "").lower() == "so"]
            if bases:
                yield HELD
            elif party.trickles:
                yield unclear(
                    f"{opened.client} connected to an S-O candidate: it may have told of one of its own later"
                )
            else:
                yield _broken(
                    opened,
                    f"opened a connection to the S-O candidate {opened.server} from a port that is no S-O candidate's",
                    "a connection from the base of an S-O candidate",
                )


def _same_ports(one: Talk, other: Talk) -> bool:
    return (one.connection.client, one.connection.server) == (other.connection.client, other.connection.server)


@rule("RFC6544-7.1-s02", title="a pair has one connection")
def pair_has_one_connection(exchange: Exchange) -> Iterator[Observation]:
    """A second connection for the same check list, from one address to one candidate, while the first is open."""
    latest: dict[tuple[str, Address, str], Talk] = {}
    for talk, client in sorted(exchange.sides(), key=lambda side: side[0].connection.first_ns):
        if not client or not talk.connection.began or talk.relayed:
            continue
        name = next((stun.username for stun in talk.sent(client=client) if stun.is_check and stun.valid), None)
        if name is None:
            continue
        key = (talk.connection.client.ip, talk.connection.server, name)
        earlier = latest.get(key)
        latest[key] = talk
        # Between two ports TCP has one connection at a time: a capture that shows two lacks the end of the first.
        if earlier is None or earlier.ended_ns <= talk.connection.first_ns or _same_ports(earlier, talk):
            yield HELD
        elif not any(_has_one_active(party, key[0]) for party in exchange.known.parties):
            yield unclear("a second connection: the descriptions do not show that it is for the same pair", talk)
        elif earlier.connection.last_from(client=True) <= talk.connection.first_ns:
            yield unclear("whether the pair's first connection was still open: nothing more was seen on it", earlier)
        elif exchange.untimed:
            yield unclear("whether the pair's first connection was still open: the capture's clock went back", earlier)
        else:
            opened = _Opened(talk.connection.client, key[1], talk.connection.first_ns, 0, talk.connection)
            yield _broken(
                opened,
                f"opened a second connection to {key[1]} while {earlier} was open",
                "one connection for a candidate pair",
            )


def _has_one_active(party: Party, ip: str) -> bool:
    """Whether an agent has, for each component, just one candidate at an address to connect from: the pair is known."""
    found = Counter(
        candidate.component
        for section in party.media
        for candidate in section
        if candidate.is_tcp and (candidate.tcptype or "").lower() == "active" and same_address(candidate.address, ip)
    )
    return bool(found) and len(party.media) == 1 and set(found.values()) == {1}


@rule("RFC6544-12-03", title="at most five connection attempts are outstanding")
def few_attempts_are_outstanding(exchange: Exchange) -> Iterator[Observation]:
    """An attempt counts while it is certain: until it is answered, or until its SYN was last repeated."""
    aimed = exchange.known.endpoints()
    by_peer: defaultdict[tuple[str, str], list[_Opened]] = defaultdict(list)
    for opened in _opened(exchange):
        by_peer[opened.client.ip, opened.server.ip].append(opened)
    for attempts in by_peer.values():
        candidates = [opened for opened in attempts if opened.server in aimed]
        most, last = _most(candidates)
        if most > _MOST_OUTSTANDING and exchange.untimed:
            yield unclear("more than five attempts at one address: the capture's clock does not tell when")
        elif most > _MOST_OUTSTANDING:
            yield _broken(
                last,
                f"had {most} connection attempts outstanding at {last.server.ip}",
                f"no more than {_MOST_OUTSTANDING}",
                f"{most} at once",
            )
        elif _most([_at_longest(attempt) for attempt in candidates])[0] > _MOST_OUTSTANDING:
            yield unclear("more than five attempts at one address within a second: some may have been given up")
        elif not aimed and _most(attempts)[0] > _MOST_OUTSTANDING and any(a.connection for a in attempts):
            yield unclear("more than five attempts at one address: without descriptions they may not be ICE's")
        elif candidates:
            yield HELD


def _at_longest(attempt: _Opened) -> _Opened:
    """Return an attempt as it may have been: without an answer, outstanding until its SYN would have been repeated."""
    silent = attempt.connection is None and attempt.until_ns == attempt.first_ns
    return replace(attempt, until_ns=attempt.first_ns + _REPETITION_NS) if silent else attempt


def _most(attempts: list[_Opened]) -> tuple[int, _Opened]:
    """Return the most that were outstanding at once, and the one whose beginning made it so many."""
    best: tuple[int, _Opened] | None = None
    ends: list[int] = []
    for attempt in sorted(attempts, key=lambda attempt: attempt.first_ns):
        heappush(ends, max(attempt.until_ns, attempt.first_ns))
        while ends[0] < attempt.first_ns:
            heappop(ends)
        if best is None or len(ends) > best[0]:
            best = len(ends), attempt
    return best if best is not None else (0, _Opened(Address("", 0), Address("", 0), 0, 0, None))
