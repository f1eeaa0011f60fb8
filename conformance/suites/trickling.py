"""Candidates that come after the descriptions, told by either side (RFC 8838)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.iut.trickle import without_candidates
from conformance.suites.establishing import await_selection
from conformance.suites.negotiation import negotiate_trickled
from conformance.suites.servers import NAT, gathered
from conformance.verdict import Failed, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

TRICKLE = {"session_attributes": ["ice-options:trickle"]}
FULL = 100  # pairs of a check list, by default (RFC 8445 section 6.1.2.5)


def told_in_full(upper: Upper, peer: Peer, side: str, **wishes: Any) -> Description:
    """Exchange descriptions without candidates; return the IUT's with all that it tells later."""
    negotiate_trickled(upper, peer, side, **wishes)
    return upper.await_candidates()


def needs_an_end(iut: Description) -> Description:
    """Return a description whose end of candidates has been told; n/a if it has not."""
    if not iut.complete:
        raise NotApplicable("the IUT tells no end of candidates")
    return iut


def completed(upper: Upper, peer: Peer, iut: Description) -> Connection:
    """Bring ICE to completion on a connection of ours."""
    connection = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    await_selection(upper, peer, connection)
    return connection


def told_since(upper: Upper) -> list[str]:
    """Return the candidates that the IUT has told and nobody has taken up yet."""
    upper.states_since(0)
    return [candidate for candidate, _ in upper.trickled if candidate]


def await_told(upper: Upper, peer: Peer, tcptype: str) -> bool:
    """Wait whether the IUT tells a candidate of this tcptype; return whether it has."""

    def told() -> bool:
        return any(f"tcptype {tcptype}" in candidate.lower() for candidate in told_since(upper))

    return peer.wait_until(told, peer.pixit.silence)


def restart_trickled(upper: Upper, peer: Peer) -> Description:
    """Restart ICE by an offer of ours without candidates; return the IUT's answer and what it tells later."""
    upper.accept(without_candidates(peer.restart_offer(candidates=[])), kind="offer")
    upper.describe(trickle=True)
    return upper.await_candidates()


def reflexive_behind_a_nat(upper: Upper, peer: Peer, side: str, described: list[Candidate]) -> Description:
    """Exchange descriptions; return the IUT's with the reflexive candidates of its one address (preamble)."""
    server = peer.stun_server(mapped=NAT)
    negotiate_trickled(upper, peer, side, described=described, ice_servers=[server.entry])
    iut = upper.await_candidates()
    iut.needs_one_base()
    iut.require(bool(gathered(iut, "srflx", "active")), "active reflexive candidates")
    return iut


def fill(upper: Upper, peer: Peer, ports: Mapping[int, int]) -> None:
    """Tell the IUT of as many passive candidates of ours as fill its check list, all of one foundation.

    They come in the order of their priorities. Connections to them are refused, but for those that have `ports` of
    their own, by their places from 0.
    """
    for number in range(FULL):
        port = ports.get(number, 1000 + number)
        upper.trickle(peer.candidate("passive", port=port, foundation="many", other=5000 - number))


def expect_order_of_components(candidates: list[Candidate]) -> None:
    """Expect candidates that are alike otherwise to come in the order of their components (RFC 8838 section 17).

    Of several that are alike but for their ports the first of each component counts.
    """
    alike: dict[tuple[object, ...], list[int]] = {}
    for candidate in candidates:
        kind: tuple[object, ...] = candidate.foundation, candidate.tcptype, candidate.type, candidate.address
        alike.setdefault(kind, []).append(candidate.component)
    for kind, components in alike.items():
        if list(dict.fromkeys(components)) != sorted(set(components)):
            raise Failed(
                f"components of {' '.join(map(str, kind))} are told as {components}",
                expected="lower components first",
                actual=f"{components}",
            )
