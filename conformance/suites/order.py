"""In which order the IUT takes up our candidates, judged without trusting any clock.

The tester looks at all its sockets at once, again and again. What it sees in one look may have come in any order;
what it sees only in a later look has come later. So a stall of the tester hides an order, but never makes one up.
Where packets are recorded, they tell the order of the first ones, whatever the tester was doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from conformance.verdict import Inconclusive, JudgedElsewhere, NotApplicable
from conformance.wire import tcp, udp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.peer.connection import Connection
    from conformance.peer.datagram import DatagramSocket
    from conformance.peer.events import Frame
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

_AT_ONCE = 0.005  # the least Ta (RFC 8445 section 14.2): what has less pace on average shows no order
_HIGHEST, _MIDDLE, _LOWEST = 2**31 - 1, 1000, 100  # the lower of both sides' priorities comes first in a pair's


@dataclass(frozen=True, slots=True)
class Ranked:
    """Our candidates, best first, whatever priorities the IUT's own have; none keeps another frozen."""

    candidates: Sequence[Candidate]
    udp: DatagramSocket

    def reversed_pairs(self, peer: Peer, *, within: float) -> list[str]:
        """Watch the IUT take them up; return, in words, which one was taken up before a better one.

        n/a if the order is another but the IUT began before its own description was complete: then it lacked
        candidates to pair, and if it takes up all at once and no packets are recorded to tell the order. Inconclusive
        if it does not come to all of ours and takes up none too early.
        """
        peer.wait_until(lambda: len(self._looks(peer)) == len(self.candidates), within)
        looks = self._looks(peer)
        # what came before the IUT's description was there is told by looks alone
        came = self._recorded(peer) if all(look > peer.met_in_look for look in looks.values()) else {}
        if not came and len(looks) == len(self.candidates) and self._spread(peer) < _AT_ONCE * (len(looks) - 1):
            raise JudgedElsewhere(
                f"the IUT took up all {len(looks)} candidates at once", case="RFC8445-6.1.4.2/checks_are_paced"
            )
        came = came or looks
        wrong = [
            f"{_name(worse)} before {_name(better)}"
            for better, worse in combinations([c for c in self.candidates if c.port in looks and c.port in came], 2)
            if came[worse.port] < came[better.port]
        ]
        early = [_name(c) for c in self.candidates if looks.get(c.port, peer.met_in_look) < peer.met_in_look]
        if wrong and early:  # or merely so soon that the tester had not read the description yet
            raise NotApplicable(f"the IUT began with {early[0]} before its description was complete")
        missing = [_name(c) for c in self.candidates if c.port not in looks]
        if missing and not wrong:
            raise Inconclusive(f"the IUT did not come to {', '.join(missing)} within {within:g} s")
        return wrong

    def _firsts(self, peer: Peer) -> dict[int, Connection]:
        """Return, by port, the IUT's first connection to each of our candidates."""
        ours = {candidate.port for candidate in self.candidates}
        found: dict[int, Connection] = {}
        for connection in peer.connections:
            if connection.local_address.port in ours:
                found.setdefault(connection.local_address.port, connection)
        return found

    def _spread(self, peer: Peer) -> float:
        """Return how many seconds passed from the first candidate that the IUT took up to the last."""
        times = {port: connection.opened_at for port, connection in self._firsts(peer).items()}
        if self.udp.first_request is not None:
            times[self.udp.local_address.port] = self.udp.first_request_at
        return max(times.values()) - min(times.values()) if times else 0.0

    def _recorded(self, peer: Peer) -> dict[int, int]:
        """Return, by port, the number of the first packet to a candidate of ours; empty where nothing is recorded."""
        ours = {candidate.port for candidate in self.candidates}
        found: dict[int, int] = {}
        for number, packet in enumerate(peer.witness()):
            sent = tcp.parse(packet) or udp.parse(packet)
            if sent is not None and sent.destination.port in ours and sent.destination.ip == peer.address:
                found.setdefault(sent.destination.port, number)
        return found

    def _looks(self, peer: Peer) -> dict[int, int]:
        """Return, by port, in which look the IUT's first connection or request for a candidate was there."""
        looks = {port: connection.look for port, connection in self._firsts(peer).items()}
        if self.udp.first_request is not None:
            looks[self.udp.local_address.port] = self.udp.first_request
        return looks


Place = tuple[int, str]  # our port, and the IUT's address


def overtaken(peer: Peer, expected: Sequence[Place], *, within: float, last: Place | None = None) -> list[str]:
    """Watch the IUT connect to ours; return, in words, which place it took up before one that comes first.

    `last` may come never, but not before any of the expected ones. n/a and inconclusive as of `Ranked.reversed_pairs`.
    """
    peer.wait_until(lambda: all(place in _first_looks(peer) for place in expected), within)
    looks = _first_looks(peer)
    order = [*expected, *([last] if last is not None else [])]
    wrong = {
        worse: f"port {worse[0]} from {worse[1]} before port {better[0]} from {better[1]}"
        for better, worse in combinations(order, 2)
        if worse in looks and looks[worse] < looks.get(better, peer.looks)
    }
    if wrong and all(looks[worse] < peer.met_in_look for worse in wrong):
        raise NotApplicable("the IUT began before its description was complete")
    missing = [f"port {place[0]} from {place[1]}" for place in expected if place not in looks]
    if missing and not wrong:
        raise Inconclusive(f"the IUT did not connect to {', '.join(missing)} within {within:g} s")
    return list(wrong.values())


def _first_looks(peer: Peer) -> dict[Place, int]:
    """Return in which look the first connection to each port of ours from each address was there."""
    looks: dict[Place, int] = {}
    for connection in peer.connections:
        looks.setdefault((connection.local_address.port, connection.remote_address.ip), connection.look)
    return looks


def taken_before(peer: Peer, first: Sequence[Candidate], second: Sequence[Candidate]) -> int:
    """Return how many of the first candidates the IUT had connected to before any of the second."""
    looks = {port: look for (port, _), look in _first_looks(peer).items()}
    begun = min((looks[c.port] for c in second if c.port in looks), default=peer.looks)
    return sum(looks.get(c.port, begun) < begun for c in first)


def checked_between(peer: Peer, earlier: Frame, later: Frame, *, beside: Connection) -> int:
    """Return how many checks on other connections surely came after one frame and before another."""
    others = [check for check in peer.checks() if not any(check is event for event in beside.events)]
    return sum(earlier.look < check.look < later.look for check in others)


def ranked(peer: Peer, *, above: int, below: int) -> Ranked:
    """Return passive candidates above and below a UDP one."""
    udp = peer.udp()
    priorities = [_HIGHEST - n for n in range(above)] + [_LOWEST - n for n in range(below)]
    passive = [
        peer.candidate("passive", priority=priority, foundation=f"tcp{n}") for n, priority in enumerate(priorities)
    ]
    return Ranked([*passive[:above], udp.candidate(priority=_MIDDLE), *passive[above:]], udp)


def _name(candidate: Candidate) -> str:
    return f"{candidate.transport} port {candidate.port} (our priority {candidate.priority})"
