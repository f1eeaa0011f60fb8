"""What offer and answer themselves show (RFC 6544 sections 4.2 and 4.5)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from conformance.judge.known import Party, is_address
from conformance.judge.model import HELD, Exchange, Observation, rule
from conformance.verdict import Verdict
from conformance.wire.candidate import Candidate

_DISCARD = 9
_TUNNELED = 75
# RFC 8445 section 5.1.2.2; written as srflx are also NAT-assisted candidates (105) and as srflx or relay UDP-tunneled
# ones (75; RFC 6544 sections 4.2, 5.3 and 5.4).
_TYPE_PREFERENCES = {"host": (126,), "prflx": (110,), "srflx": (100, 105, _TUNNELED), "relay": (0, _TUNNELED)}
_HOST_DIRECTIONS = {"active": 6, "passive": 4, "so": 2}
_REFLEXIVE_DIRECTIONS = {"so": 6, "active": 4, "passive": 2}


def _sections(exchange: Exchange) -> Iterator[tuple[Party, list[Candidate]]]:
    """Yield the TCP candidates of each media section of each agent."""
    for party in exchange.known.parties:
        for section in party.media:
            yield party, [candidate for candidate in section if candidate.is_tcp]


def _broken(party: Party, candidate: Candidate, reason: str, expected: str) -> Observation:
    return Observation(Verdict.FAIL, f"{party.name}: {reason}", expected, str(candidate), agent=party.name)


@rule("RFC6544-4.5-s02", title="a TCP candidate has a tcptype that is known")
def candidate_has_tcptype(exchange: Exchange) -> Iterator[Observation]:
    """Every TCP candidate says its direction: active, passive or so."""
    for party, candidates in _sections(exchange):
        for candidate in candidates:
            if _tcptype(candidate) in _HOST_DIRECTIONS:
                yield HELD
            else:
                how = "without tcptype" if candidate.tcptype is None else f"with tcptype {candidate.tcptype!r}"
                yield _broken(party, candidate, f"a TCP candidate {how}", "tcptype active, passive or so")


@rule("RFC8839-5.1-01", title="a candidate has an IP address, not a host name")
def candidate_has_an_address(exchange: Exchange) -> Iterator[Observation]:
    """Of candidates over TCP and over UDP; what other transports put there is not known."""
    for party in exchange.known.parties:
        for candidate in party.candidates:
            if candidate.transport.upper() not in ("TCP", "UDP"):
                continue
            if is_address(candidate.address):
                yield HELD
            else:
                yield _broken(party, candidate, f"a candidate at the name {candidate.address}", "an IP address")


@rule("RFC8445-5.1.1.1-06", title="a candidate's address is one that can be connected to")
def candidate_address_is_of_use(exchange: Exchange) -> Iterator[Observation]:
    """No unspecified, broadcast, multicast or IPv4-mapped address, and a port where it can be connected to."""
    for party, candidates in _sections(exchange):
        for candidate in candidates:
            if not is_address(candidate.address):
                continue  # a rule of its own says so
            problem = _useless(candidate)
            if problem:
                yield _broken(party, candidate, f"a candidate {problem}", "an address and port of one interface")
            else:
                yield HELD


def _useless(candidate: Candidate) -> str:
    address = ipaddress.ip_address(candidate.address)
    if address.is_unspecified or address.is_multicast or candidate.address == "255.255.255.255":
        return f"at {candidate.address}, which belongs to no interface"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return f"at {candidate.address}, which is an IPv4 address"
    return "at port 0" if not candidate.port and _tcptype(candidate) != "active" else ""


@rule("RFC8839-5.1-s02", title="candidates stand in media sections")
def candidates_stand_in_media_sections(exchange: Exchange) -> Iterator[Observation]:
    """The attribute is for the media level only: elsewhere it does not say which stream it belongs to."""
    for party in exchange.known.parties:
        for line in party.misplaced:
            what = f"{party.name}: a candidate at the session level"
            yield Observation(Verdict.FAIL, what, "candidates in media sections only", f"a={line}", agent=party.name)
        if party.candidates and not party.misplaced:
            yield HELD


@rule("RFC6544-4.5-01", title="an active candidate states port 9")
def active_candidate_states_port_9(exchange: Exchange) -> Iterator[Observation]:
    """An active relayed candidate states the address of another candidate of its relay instead."""
    for party, candidates in _sections(exchange):
        for candidate in candidates:
            if _tcptype(candidate) != "active" or candidate.type.lower() == "relay":
                continue
            if candidate.port == _DISCARD:
                yield HELD
            else:
                yield _broken(party, candidate, f"an active candidate with port {candidate.port}", "port 9")


@rule("RFC6544-4.2-11", title="candidates of equal preferences differ in other-pref")
def other_preference_tells_equals_apart(exchange: Exchange) -> Iterator[Observation]:
    """Within one component, candidates of the same type preference and direction-pref."""
    for party, candidates in _sections(exchange):
        for one, other in combinations(candidates, 2):
            if _ranks(one) != _ranks(other) or _is_same(one, other):
                continue
            if one.other_preference != other.other_preference:
                yield HELD
            else:
                what = f"two candidates with priority {other.priority}"
                yield _broken(party, other, what, f"another other-pref than that of {one}")


def _ranks(candidate: Candidate) -> tuple[object, ...]:
    return candidate.component, candidate.type_preference, candidate.direction_preference


def _is_same(one: Candidate, other: Candidate) -> bool:
    """Whether two lines tell of the same candidate, as in an updated offer."""
    return (one.endpoint, one.type, _tcptype(one)) == (other.endpoint, other.type, _tcptype(other))


@rule("RFC6544-4.2-01", title="priorities follow the formula and the recommended type preferences")
def priority_follows_the_formula(exchange: Exchange) -> Iterator[Observation]:
    """With UDP candidates in the section the type preferences may be lowered or raised (4.2-02)."""
    for party in exchange.known.parties:
        for section in party.media:
            alone = all(candidate.is_tcp for candidate in section)
            for candidate in section:
                if candidate.is_tcp:
                    yield _formula(party, candidate, alone)


def _formula(party: Party, candidate: Candidate, alone: bool) -> Observation:
    if 256 - (candidate.priority & 0xFF) != candidate.component:
        component = 256 - (candidate.priority & 0xFF)
        return _broken(party, candidate, f"a priority of component {component}", f"component {candidate.component}")
    wanted = _TYPE_PREFERENCES.get(candidate.type.lower())
    if alone and wanted is not None and candidate.type_preference not in wanted:
        found = f"type preference {candidate.type_preference} of a {candidate.type} candidate"
        return _broken(party, candidate, found, f"type preference {' or '.join(map(str, wanted))}")
    return HELD


@rule("RFC6544-4.2-09", title="direction-pref of host and relayed candidates")
def host_direction_preference(exchange: Exchange) -> Iterator[Observation]:
    """6 for active, 4 for passive, 2 for S-O."""
    yield from _directions(exchange, ("host", "relay"), _HOST_DIRECTIONS)


@rule("RFC6544-4.2-10", title="direction-pref of reflexive candidates")
def reflexive_direction_preference(exchange: Exchange) -> Iterator[Observation]:
    """6 for S-O, 4 for active, 2 for passive. What is UDP-tunneled has host candidates' values (RFC 6544 4.2)."""
    yield from _directions(exchange, ("srflx",), _REFLEXIVE_DIRECTIONS)


def _directions(exchange: Exchange, types: tuple[str, ...], wanted: dict[str, int]) -> Iterator[Observation]:
    for party, candidates in _sections(exchange):
        for candidate in candidates:
            expected = wanted.get(_tcptype(candidate))
            if candidate.type.lower() not in types or expected is None:
                continue
            if candidate.type.lower() == "srflx" and candidate.type_preference == _TUNNELED:
                expected = _HOST_DIRECTIONS[_tcptype(candidate)]
            if candidate.direction_preference == expected:
                yield HELD
            else:
                kind = f"{_tcptype(candidate)} {candidate.type}"
                found = f"direction-pref {candidate.direction_preference} of a {kind} candidate"
                yield _broken(party, candidate, found, f"direction-pref {expected}")


def _tcptype(candidate: Candidate) -> str:
    return (candidate.tcptype or "").lower()
