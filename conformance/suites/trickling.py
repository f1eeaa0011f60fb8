"""Cases in which candidates come after the descriptions (RFC 8838): how the exchange begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.iut.trickle import OPTION, without_candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate


def exchange(
    upper: Upper,
    peer: Peer,
    side: str,
    *,
    tcptypes: str = "active passive",
    described: Sequence[Candidate] = (),
) -> Description:
    """Exchange descriptions of which neither waits for candidates; ours holds no others than `described` (preamble).

    Ours are then told by `upper.trickle`, the IUT's taken by `upper.await_candidates`.
    """
    upper.open(side, tcptypes=tcptypes)
    says = [f"ice-options:{OPTION}"]
    if side == "offerer":
        theirs = upper.describe(trickle=True)
        answer = peer.answer(theirs.sdp, candidates=described, session_attributes=says)
        upper.accept(answer if described else without_candidates(answer), kind="answer")
        return theirs
    offer = peer.offer(candidates=described, session_attributes=says)
    upper.accept(offer if described else without_candidates(offer), kind="offer")
    return upper.describe(trickle=True)
