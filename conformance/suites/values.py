"""Values that several cases compare with, and small questions to ask of lists."""

from __future__ import annotations

import ipaddress
import itertools
import math
import string
import struct
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from conformance.verdict import Failed, NotApplicable
from conformance.wire.addresses import flaw

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from conformance.iut.description import Description
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

T = TypeVar("T", bound="Hashable")


_DISCARD = 9  # RFC 6544 section 4.5: the port of an active candidate
SOURCE, OTHER_SOURCE = 0x0BADCAFE, 0x5EC0DD00  # synchronization sources


def rtp(sequence: int, payload: bytes, source: int = SOURCE) -> bytes:
    """Return an RTP packet (RFC 3550 section 5.1), which every media section of ours allows."""
    return struct.pack("!BBHII", 0x80, 0, sequence, sequence * 160, source) + payload


def rtcp(source: int) -> bytes:
    """Return a compound RTCP packet of one source: a receiver report and its CNAME (RFC 3550 section 6.1)."""
    name = b"%08x" % source
    item = (bytes([1, len(name)]) + name + b"\0").ljust(12, b"\0")
    report = struct.pack("!BBHI", 0x80, 201, 1, source)
    return report + struct.pack("!BBHI", 0x81, 202, 1 + len(item) // 4, source) + item


DATA = rtp(1, b"what the application says")
MORE_DATA = rtp(2, b"and what it says then")
ELSEWHERE = {"IPv4": "192.0.2.9", "IPv6": "2001:db8::9"}  # where nobody is (RFC 5737, RFC 3849)
NOT_STUN = DATA
# What other servers may answer to a check; not STUN of RFC 3489, which is STUN by its name. The text, as a frame,
# has the length of its first two octets.
OTHER_PROTOCOLS = {
    "one-octet": bytes.fromhex("0001 80"),
    "text": b"HTTP/1.1 400 Bad Request\r\n\r\n".ljust(2 + int.from_bytes(b"HT", "big"), b" "),
}
NO_RTCP = ("RS:0", "RR:0")  # bandwidth of a stream without RTCP (RFC 4571 section 4)
LOST = ("disconnected", "failed", "closed")  # states in which a session has nothing to send over
UNKNOWN_REQUIRED = 0x7FFF  # a comprehension-required type (RFC 8489 section 14) that nobody has registered
UNKNOWN_OPTIONAL = 0xFFFE  # a comprehension-optional one
_HEADER = "2112a442" + b"transaction:".hex()
# Requests that no parser can read to their end (RFC 8489 sections 5 and 14), so that FINGERPRINT does not matter.
MALFORMED = {
    "attribute-too-long": bytes.fromhex("0001 0008" + _HEADER + "0006 00ff 61626364"),
    "header-alone": bytes.fromhex("0001 0000" + _HEADER)[:18],
    "length-too-long": bytes.fromhex("0001 0040" + _HEADER + "0006 0004 61626364"),
    "length-not-of-four": bytes.fromhex("0001 000a" + _HEADER + "0006 0004 61626364 6566"),
}

# The smallest of these that has all characters of a sample is taken for the alphabet that it was drawn from.
_LETTERS = frozenset(string.ascii_lowercase), frozenset(string.ascii_uppercase)
_DIGITS = frozenset(string.digits)
_ALPHABETS = (
    *(_DIGITS, frozenset("0123456789abcdef"), frozenset("0123456789ABCDEF"), *_LETTERS),
    *(_DIGITS | _LETTERS[0], _DIGITS | _LETTERS[1], _LETTERS[0] | _LETTERS[1], _DIGITS | _LETTERS[0] | _LETTERS[1]),
)
# RFC 4145 section 4.1, table: what an answer may say to each offer.
SETUP_ANSWERS = {
    "active": {"passive", "holdconn"},
    "passive": {"active", "holdconn"},
    "actpass": {"active", "passive", "holdconn"},
    "holdconn": {"holdconn"},
}
# RFC 6544 section 4.4: the directions of a lite agent's candidates, by a=setup, which tells its default's.
LITE_TCPTYPES = {"active": {"passive", "active"}}


def says_no_rtcp(description: Description) -> bool:
    """Whether a description says that no RTCP is sent (RFC 4571 section 4), also at the session level."""
    return set(NO_RTCP) <= {*description.sdp.values("b"), *description.media().bandwidth}


def needs_rtcp(description: Description) -> None:
    """Raise `NotApplicable` where a stream has no connection of its own for RTCP: none is sent, or both share one."""
    description.needs_no("rtcp-mux")
    if says_no_rtcp(description):
        raise NotApplicable(f"the IUT's {description.kind} says that no RTCP is sent")


def is_address(text: str) -> bool:
    """Whether a text is an IP address, with or without a zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def duplicates(items: Iterable[T]) -> list[T]:
    """Return what occurs more than once."""
    return [item for item, count in Counter(items).items() if count > 1]


def preferences(candidate: Candidate) -> tuple[int, int, int, int]:
    """Return what other-pref must tell apart: component, type preference and direction preference; and other-pref."""
    return candidate.component, candidate.type_preference, candidate.direction_preference, candidate.other_preference


def families(candidates: Iterable[Candidate]) -> set[int]:
    """Return the address families of candidates, 4 and 6."""
    return {6 if ":" in candidate.address else 4 for candidate in candidates}


def unreachable(candidate: Candidate) -> str:
    """Return, in words, why nobody can send to a candidate, whoever and wherever; empty if somebody can.

    The port of an active candidate does not count, for nobody sends there: RFC 6544 section 4.5 has cases of its own.
    """
    why = flaw(candidate.address, _DISCARD if candidate.tcptype == "active" else candidate.port)
    return why if why.endswith(("unspecified address", "broadcast address", "multicast address", "port 0")) else ""


def varying(texts: Sequence[str]) -> int:
    """Return how many characters of these texts vary, at the same place from the beginning."""
    return sum(len({text[place : place + 1] for text in texts}) > 1 for place in range(max(map(len, texts))))


def best_of_equals(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return, of candidates alike in component, type preference and direction preference, the one preferred most.

    Those on one address can be several, and must then differ in other-pref (RFC 6544 section 4.2).
    """
    best: dict[tuple[int, int, int], Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: c.other_preference):
        best[candidate.component, candidate.type_preference, candidate.direction_preference] = candidate
    return list(best.values())


def deprecated_ipv6(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return those at IPv4-compatible or site-local IPv6 addresses (RFC 8445 section 5.1.1.1); ::1 is neither."""
    return [c for c in candidates if (at := _ipv6(c)) is not None and (at.is_site_local or _is_compatible(at))]


def ipv4_mapped(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return those at IPv4-mapped IPv6 addresses."""
    return [c for c in candidates if (at := _ipv6(c)) is not None and at.ipv4_mapped is not None]


def _ipv6(candidate: Candidate) -> ipaddress.IPv6Address | None:
    try:
        return ipaddress.IPv6Address(candidate.address)
    except ValueError:
        return None


def _is_compatible(address: ipaddress.IPv6Address) -> bool:
    return int(address) >> 32 == 0 and not (address.is_loopback or address.is_unspecified)


def by_type(candidates: Iterable[Candidate]) -> dict[str, set[int]]:
    """Return the type preferences of each type of candidate."""
    found: dict[str, set[int]] = {}
    for candidate in candidates:
        found.setdefault(candidate.type.lower(), set()).add(candidate.type_preference)
    return found


def interleaved(candidates: Iterable[Candidate]) -> dict[str, set[int]]:
    """Return the type preferences by transport and type if they are ordered neither by transport nor by type.

    By type: those of each type, whatever the transport, are above or below all those of another. By transport: those of
    one transport are above all those of the other, where relayed candidates may be below all others (RFC 6544 4.2).
    """
    found = [(c.transport.upper(), c.type.lower(), c.type_preference) for c in candidates]
    types = _grouped((kind, worth) for _, kind, worth in found)
    transports = _grouped((transport, worth) for transport, _, worth in found)
    direct = _grouped((transport, worth) for transport, kind, worth in found if kind != "relay")
    relayed = [worth for _, kind, worth in found if kind == "relay"]
    others = [worth for _, kind, worth in found if kind != "relay"]
    lowest = not relayed or not others or max(relayed) < min(others)
    if _apart(types) or _apart(transports) or (lowest and _apart(direct)):
        return {}
    return _grouped((f"{transport} {kind}", worth) for transport, kind, worth in found)


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    groups: dict[str, set[int]] = {}
    for name, value in pairs:
        groups.setdefault(name, set()).add(value)
    return groups


def _apart(groups: dict[str, set[int]]) -> bool:
    """Whether the ranges of these groups do not overlap."""
    ranges = sorted((min(values), max(values)) for values in groups.values())
    return all(high < low for (_, high), (low, _) in itertools.pairwise(ranges))


def random_bits(texts: Sequence[str]) -> float:
    """Return how many random bits the shortest text holds at most, as a sample shows: more than that it cannot.

    A place at which all have the same character holds none; the others as many as the smallest of the usual alphabets
    in which all characters are. Of 100 characters drawn from a larger one nearly all others would be there.
    """
    places = sum(len(set(characters)) > 1 for characters in zip(*texts, strict=False))
    used = set().union(*texts)
    size = min((len(alphabet) for alphabet in _ALPHABETS if used <= alphabet), default=64)
    return places * math.log2(size)


def is_host(candidate: Candidate, tcptype: str) -> bool:
    """Whether it is a host candidate of this tcptype; letter case says nothing (RFC 5234 section 2.3)."""
    return ((candidate.tcptype or "").lower(), candidate.type.lower()) == (tcptype, "host")


def both_transports(description: Description) -> tuple[list[Candidate], list[Candidate]]:
    """Return the host candidates of UDP and of TCP of the first component; Inconclusive unless there are both."""
    hosts = [c for c in description.media().candidates if (c.type.lower(), c.component) == ("host", 1)]
    udp, tcp = [c for c in hosts if c.transport.upper() == "UDP"], [c for c in hosts if c.is_tcp]
    description.require(bool(udp and tcp), "host candidates of both UDP and TCP")
    return udp, tcp


def expect_candidates_everywhere(description: Description, addresses: Iterable[str]) -> None:
    """Expect a candidate of each of the description's tcptypes on each address (RFC 8839 sections 4.3.1 and 4.3.2)."""
    hosts = description.hosts()
    found = {(c.address, (c.tcptype or "").lower()) for c in hosts}
    kinds = {tcptype for _, tcptype in found}
    description.require(bool(kinds), "TCP host candidates")
    missing = sorted((address, kind) for address in addresses for kind in kinds if (address, kind) not in found)
    if missing:
        raise Failed(
            f"there is no {missing[0][1]} candidate on {missing[0][0]}",
            expected=f"candidates {', '.join(sorted(kinds))} on each address",
            actual=f"{sorted(found)}",
        )


def expect_all_or_nothing(peer: Peer, answer: Description, *, within: float) -> None:
    """Expect of an answer that says a=ice-mismatch no candidates, and no connection (RFC 8839 section 4.2.5)."""
    media = answer.media()
    if media.has("ice-mismatch"):
        if media.candidates:
            raise Failed(
                "the answer says ice-mismatch and nevertheless has candidates",
                expected="a=ice-mismatch without candidates",
                actual=f"a=ice-mismatch and {len(media.candidates)} candidates",
            )
        peer.expect_no_connection(within=within)
