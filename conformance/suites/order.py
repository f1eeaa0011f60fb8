"""In which order the IUT takes up our candidates, judged by when its packets passed.

The recording tells that, whatever the tester was doing. Where nothing is recorded, the tester's own looks at all its
sockets do: what it sees in one look may have come in any order, what it sees only in a later look has come later.
What comes within the least Ta has come at once, and shows no order: threads of an IUT are not in step to less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from conformance.peer.recorded import Place, sent_at, taken_up
from conformance.verdict import Inconclusive, JudgedElsewhere, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.peer.connection import Connection
    from conformance.peer.datagram import DatagramSocket
    from conformance.peer.events import Frame
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

AT_ONCE = 0.005  # seconds, the least Ta (RFC 8445 section 14.2)
_TURNS = 3  # a message is not heeded in what the IUT has begun when it reads it, or is about to begin
_HIGHEST, _MIDDLE, _LOWEST = 2**31 - 1, 1000, 100  # the lower of both sides' priorities comes first in a pair's


@dataclass(frozen=True, slots=True)
class Ranked:
    """Our candidates, best first, whatever priorities the IUT's own have; none keeps another frozen."""

    candidates: Sequence[Candidate]
    udp: DatagramSocket

    def reversed_pairs(self, peer: Peer, *, within: float) -> list[str]:
        """Watch the IUT take them up; return, in words, which one was taken up before a better one.

        n/a if it takes up all of them at once, or if the order is another but it began before its own description was
        complete: then it lacked candidates to pair. Inconclusive if it does not come to all of ours and takes up none
        too early.
        """
        peer.wait_until(lambda: len(self._seen(peer)) == len(self.candidates), within)
        times = self._times(peer)
        _needs_pace([times[c.port] for c in self.candidates if c.port in times], len(self.candidates))
        wrong = [
            f"{_name(worse)} before {_name(better)}"
            for better, worse in combinations([c for c in self.candidates if c.port in times], 2)
            if times[better.port] - times[worse.port] > AT_ONCE
        ]
        early = [_name(c) for c in self.candidates if times.get(c.port, peer.met_at) < peer.met_at]
        if wrong and early:
            raise NotApplicable(f"the IUT began with {early[0]} before its description was complete")
        missing = [_name(c) for c in self.candidates if c.port not in times]
        if missing and not wrong:
            raise Inconclusive(f"the IUT did not come to {', '.join(missing)} within {within:g} s")
        return wrong

    def _seen(self, peer: Peer) -> dict[Place, _Seen]:
        """Return what the tester itself has seen of the IUT taking them up."""
        seen = _seen(peer)
        if self.udp.first_request is not None:
            seen[self.udp.local_address.port, ""] = _Seen(self.udp.first_request, self.udp.first_request_at)
        return {place: seen[place] for place in seen if place[0] in {c.port for c in self.candidates}}

    def _times(self, peer: Peer) -> dict[int, float]:
        """Return, by port, when the IUT took up each of them, from whichever address."""
        ours = {candidate.port for candidate in self.candidates}
        times = _recorded(peer) or _looked(self._seen(peer))
        return {port: min(t for (p, _), t in times.items() if p == port) for port in ours & {p for p, _ in times}}


class _Seen(NamedTuple):
    """What the tester knows by itself of an arrival: in which look at all sockets it had it, and when that was."""

    look: int
    time: float


def _seen(peer: Peer) -> dict[Place, _Seen]:
    """Return what the tester saw of the first connection to each port of ours from each address."""
    seen: dict[Place, _Seen] = {}
    for connection in peer.connections:
        place = connection.local_address.port, connection.remote_address.ip
        seen.setdefault(place, _Seen(connection.look, connection.opened_at))
    return seen


def _looked(seen: dict[Place, _Seen]) -> dict[Place, float]:
    """Return when each arrival was there, the same time for all of one look."""
    begun: dict[int, float] = {}
    for look, time in seen.values():
        begun[look] = min(time, begun.get(look, time))
    return {place: begun[look] for place, (look, _) in seen.items()}


def _recorded(peer: Peer) -> dict[Place, float]:
    """Return when the first packet came to each port of ours from each address; empty where nothing is recorded."""
    return taken_up(peer.recorded(), peer.address)


def _times(peer: Peer) -> dict[Place, float]:
    """Return when the IUT began its first connection to each port of ours from each address."""
    seen = _seen(peer)
    recorded = _recorded(peer)
    return {place: recorded[place] for place in recorded if place in seen} or _looked(seen)


def _needs_pace(times: Sequence[float], expected: int) -> None:
    """Raise `JudgedElsewhere` where all that was expected came at once: most of it so, or on the average.

    An IUT that opens its connections as it reads the candidates keeps the order in which it has read them. On a busy
    machine it may be held up for long between two of them.
    """
    if len(times) < max(expected, 2):
        return
    gaps = [later - earlier for earlier, later in pairwise(sorted(times))]
    if sum(gaps) < AT_ONCE * len(gaps) or 2 * sum(gap < AT_ONCE for gap in gaps) > len(gaps):
        raise JudgedElsewhere(
            f"the IUT took up all {len(times)} candidates at once", case="RFC8445-6.1.4.2/checks_are_paced"
        )


def overtaken(
    peer: Peer, expected: Sequence[Place], *, within: float, last: Place | None = None, left: float = math.inf
) -> list[str]:
    """Watch the IUT connect to ours; return, in words, which place it took up before one that comes first.

    `last` may come never, but not before any of the expected ones. n/a and inconclusive as of `Ranked.reversed_pairs`.
    `left`: how many it still had to take up, the one that must not come first among them, when it read what made the
    other one come first. Inconclusive if these were too few to show an order.
    """
    peer.wait_until(lambda: all(place in _seen(peer) for place in expected), within)
    times = _times(peer)
    order = [*expected, *([last] if last is not None else [])]
    _needs_pace([times[place] for place in order if place in times], len(expected))
    wrong = {
        worse: f"port {worse[0]} from {worse[1]} before port {better[0]} from {better[1]}"
        for better, worse in combinations(order, 2)
        if worse in times and times.get(better, math.inf) - times[worse] > AT_ONCE
    }
    if wrong and all(times[worse] < peer.met_at for worse in wrong):
        raise NotApplicable("the IUT began before its description was complete")
    if wrong and left < _TURNS:
        raise Inconclusive(f"the IUT had only {left} candidates left when it read what was to change its order")
    missing = [f"port {place[0]} from {place[1]}" for place in expected if place not in times]
    if missing and not wrong:
        raise Inconclusive(f"the IUT did not connect to {', '.join(missing)} within {within:g} s")
    return list(wrong.values())


def still_left(peer: Peer, ours: Sequence[Candidate]) -> int:
    """Return to how many of our candidates the IUT has not connected yet."""
    peer.wait_until(lambda: False, 0)  # one more look
    reached = {connection.local_address.port for connection in peer.connections}
    return sum(candidate.port not in reached for candidate in ours)


def needs_both(peer: Peer, first: Sequence[Candidate], second: Sequence[Candidate]) -> None:
    """Raise `NotApplicable` where the IUT has connected to the candidates of one stream only."""
    reached = {connection.local_address.port for connection in peer.connections}
    if not all(any(c.port in reached for c in ours) for ours in (first, second)):
        raise JudgedElsewhere(
            "the IUT connected to one stream's candidates only",
            case="RFC6544-7.1/candidates_of_every_stream_are_checked",
        )


def taken_before(peer: Peer, first: Sequence[Candidate], second: Sequence[Candidate]) -> int:
    """Return how many of the first candidates the IUT had connected to before any of the second."""
    times = {port: time for (port, _), time in sorted(_times(peer).items(), key=itemgetter(1), reverse=True)}
    begun = min((times[c.port] for c in second if c.port in times), default=math.inf)
    return sum(times.get(c.port, begun) < begun - AT_ONCE for c in first)


def checked_between(peer: Peer, earlier: Frame, later: Frame, *, beside: Connection) -> int:
    """Return how many checks on other connections surely came after one frame and before another."""
    others = [check for check in peer.checks() if not any(check is event for event in beside.events)]
    begin, end, *times = sent_at(peer.recorded(), [earlier, later, *others])
    return sum(begin + AT_ONCE < time < end - AT_ONCE for time in times)


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
