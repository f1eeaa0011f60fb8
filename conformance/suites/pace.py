"""How fast the IUT begins its transactions, judged so that a slow machine never makes a lawful IUT look fast.

Nothing that the IUT begins can come sooner than its turn: the n-th transaction at least n - 1 times Ta behind our
description. Whatever is slow, the IUT, this machine or the tester, only makes it come later than that. When it came
is what the recording says, so that a slow tester does not make a fast IUT look slow either.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.peer.recorded import opened_at, sent_at
from conformance.verdict import Inconclusive, JudgedElsewhere, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.iut.description import Description
    from conformance.peer.servers import Asked
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

DEFAULT_TA = 0.050  # RFC 8445 section 14.2: of an agent that proposes nothing; the higher value counts
LEAST_TA = 0.020  # RFC 5245 section 16.1, for RTP
_FAR_LONGER = 5
_TOLERANCE = 0.9  # of a timer's resolution


@dataclass(frozen=True, slots=True)
class Pace:
    """When the IUT's connections and checks came, in seconds since our description was made; `ta` is the least Ta."""

    connections: Sequence[float]
    checks: Sequence[float]
    ta: float

    def early(self, times: Sequence[float]) -> str:
        """Say which of these came before its turn; empty if none did."""
        for number, time in enumerate(sorted(times)):
            if time < number * self.ta * _TOLERANCE:
                return f"number {number + 1} came {time:.3f} s after our description, with Ta {self.ta:.3f} s"
        return ""

    def require_paced_checks(self) -> None:
        """Raise `Inconclusive` where the checks themselves were too fast: "checks_are_paced" judges that."""
        if self.early(self.checks):
            raise Inconclusive(f"the checks are not paced: {self.early(self.checks)}")


def targets(peer: Peer, count: int, name: str = "target") -> list[Candidate]:
    """Return passive candidates of ours of which none keeps another frozen: each has its own foundation.

    `name`: of another stream another one, since foundations count in all.
    """
    return [peer.candidate("passive", other=8191 - n, foundation=f"{name}{n}") for n in range(count)]


def until_calm(peer: Peer, enough: int, *, calm: float) -> None:
    """Wait until the IUT has connected to so many candidates, or to no new one for `calm` seconds or far longer.

    Far longer: several times its longest pause yet, since on a busy machine the pace of all is another. Several
    connections to one candidate count once: Chromium opens two.
    """

    def met() -> int:
        return len({connection.local_address for connection in peer.connections})

    peer.wait_until(lambda: met() > 0, peer.pixit.connect)
    count = 0
    while count < met() < enough:
        count = met()
        times = [peer.described_at, *sorted(connection.opened_at for connection in peer.connections)]
        longest = max(later - earlier for earlier, later in itertools.pairwise(times))
        peer.wait_until(lambda: met() > count, max(calm, _FAR_LONGER * longest))  # noqa: B023


def needs_second_begun(met: Sequence[object]) -> None:
    """n/a where the IUT has come to no pair of the second stream: by RFC 5245 section 5.7.4 all of it is frozen."""
    if not met:
        raise NotApplicable("the IUT leaves the second stream frozen as long as no check of the first has succeeded")


def needs_a_limit(met: int, *, below: int) -> None:
    """Raise `JudgedElsewhere` where the IUT has come to all of our candidates, so that nothing was left out."""
    if met >= below:
        raise JudgedElsewhere(
            f"the IUT has connected to all {met}", case="RFC8445-6.1.2.5/limit_holds_for_all_streams_together"
        )


def opened_to(peer: Peer, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return those of our candidates to which the IUT has connected."""
    met = {connection.local_address.port for connection in peer.connections}
    return [candidate for candidate in candidates if candidate.port in met]


def watch(peer: Peer, iut: Description, count: int, *, within: float, ours: float = 0.0) -> Pace:
    """Wait until the IUT has sent so many checks, or the time since its first one is over; return when all of it came.

    `ours`: the Ta that we propose.

    Inconclusive if none came; n/a for an IUT that made only one in this time: one check has no pace.
    """
    peer.wait_until(lambda: bool(peer.checks()), peer.pixit.connect)
    peer.wait_until(lambda: len(peer.checks()) >= count, within)
    packets = peer.recorded()
    checks = [time - peer.described_at for time in sent_at(packets, peer.checks())]
    if not checks:
        raise Inconclusive(f"the IUT sent no check within {peer.pixit.connect:g} s")
    if len(checks) < 2:
        raise NotApplicable(f"the IUT made only one check within {within:g} s: one check has no pace")
    begun = opened_at(packets, peer.connections)
    connections = [time - peer.described_at for time in begun]
    return Pace(connections, checks, max(ours, least_ta(iut)))


def of_requests(peer: Peer, iut: Description, requests: Sequence[Asked]) -> Pace:
    """Return when these requests came, in seconds since our description was made; n/a where there is no second one."""
    if len(requests) < 2:
        raise NotApplicable(f"the IUT has made {len(requests)} requests: that has no pace")
    times = sent_at(peer.recorded(), requests)
    return Pace([], [time - peer.described_at for time in times], least_ta(iut))


def least_ta(iut: Description) -> float:
    """Return the shortest Ta that the IUT may use towards us, who propose none.

    By RFC 8445 the default or more; an agent that neither says ice2 nor proposes a value may follow RFC 5245.
    """
    proposed = iut.sdp.attribute("ice-pacing") or iut.media().attribute("ice-pacing") or ""
    if proposed.isdecimal():
        return max(DEFAULT_TA, int(proposed) / 1000)
    return DEFAULT_TA if "ice2" in iut.media().ice_options else LEAST_TA
