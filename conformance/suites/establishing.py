"""Connections that are opened, and ICE that completes on them (preambles)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.suites.checks import needs_another_connection
from conformance.suites.negotiation import negotiate, negotiate_dtls, negotiate_streams
from conformance.verdict import Inconclusive, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer


def opener_of(upper: Upper, wished: str | None) -> str:
    """Return who opens the connection, "tester" or "IUT"; n/a where the IUT declares that it does not do its part.

    Without a wish the tester opens it if the IUT offers passive candidates, else the IUT.
    """
    passive, active = "passive" in upper.pics.get("offers", []), "active" in upper.pics.get("connects", [])
    if wished is None and not (passive or active):
        raise NotApplicable("the IUT's pics lack offers passive and connects active: nobody opens a connection")
    opener = wished or ("tester" if passive else "IUT")
    if opener == "IUT" and not active:
        raise NotApplicable("the IUT's pics lack connects active")
    return opener


def open_connections(upper: Upper, peer: Peer, side: str, opener: str) -> tuple[Description, list[Connection]]:
    """Exchange descriptions and have each component's connection opened, by the "tester" or by the "IUT"."""
    numbers = range(1, peer.shape.components + 1)
    if opener_of(upper, opener) == "tester":
        iut = negotiate(upper, peer, side, peer_tcptypes="active")
        return iut, [peer.connect(iut.candidate(tcptype="passive", component=number)) for number in numbers]
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    return iut, [peer.await_connection(listener) for listener in peer.listeners]


def two_connections(upper: Upper, peer: Peer, side: str) -> tuple[Description, list[Connection]]:
    """Exchange descriptions and have two connections of one component opened.

    By the tester, both to the IUT's passive candidate; where the IUT offers none, by the IUT to two candidates of ours.
    """
    if opener_of(upper, None) == "tester":
        iut = negotiate(upper, peer, side, peer_tcptypes="active")
        return iut, connect_twice(peer, iut)
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(2)]
    iut = negotiate(upper, peer, side, peer_candidates=ours)
    return iut, [peer.await_connection(), needs_another_connection(peer)]


def connect_twice(peer: Peer, iut: Description) -> list[Connection]:
    """Open two connections to the IUT's passive candidate. Inconclusive if it has ended one before anything came."""
    connections = [peer.connect(iut.candidate(tcptype="passive")) for _ in range(2)]
    peer.wait(peer.pixit.drip)
    if not all(connection.is_open for connection in connections):
        raise Inconclusive("the IUT has not kept two connections to one candidate")
    return connections


def establish(
    upper: Upper,
    peer: Peer,
    side: str,
    *,
    media: str = "rtp",
    opener: str | None = None,
    says: Mapping[str, Any] | None = None,
) -> Connection:
    """Bring ICE to completion and return the selected connection, ready for media.

    `opener`: see `opener_of`; `says`: see `negotiate`.
    """
    if opener is None and peer.shape.components > 1:
        return establish_components(upper, peer, side, peer.shape.components)[0]
    if opener_of(upper, opener) == "tester":
        iut = negotiate(upper, peer, side, peer_tcptypes="active", media=media, says=says)
        selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    else:
        iut = negotiate(upper, peer, side, peer_tcptypes="passive", media=media, says=says)
        selected = peer.complete(iut, peer.await_connection())
    await_selection(upper, peer, selected)
    upper.forget_data()
    peer.forget_arrivals()  # of an IUT's other pairs
    return selected


def establish_components(upper: Upper, peer: Peer, side: str, components: int) -> list[Connection]:
    """Bring ICE to completion for several components over connections that we open; return them in order."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", components=components)
    numbers = range(1, components + 1)
    connections = [peer.connect(iut.candidate(tcptype="passive", component=number)) for number in numbers]
    selected = complete_all(upper, peer, iut, connections)
    upper.forget_data()
    return selected


def establish_streams(upper: Upper, peer: Peer, side: str) -> list[Connection]:
    """Bring ICE to completion for two streams; return the selected connection of each."""
    streams = negotiate_streams(upper, peer, side)
    connections = [peer.connect(stream.candidate(tcptype="passive")) for stream in streams]
    for stream, connection in zip(streams, connections, strict=True):
        peer.complete(stream, connection)
    for connection in connections:
        await_selection(upper, peer, connection)
    upper.forget_data()
    return connections


def establish_dtls(upper: Upper, peer: Peer, side: str, *, iut_is: str = "active") -> Connection:
    """Bring ICE to completion below DTLS, over a connection that either side opened."""
    if "passive" in upper.pics.get("offers", []):
        iut = negotiate_dtls(upper, peer, side, iut_is=iut_is, peer_tcptypes="active")
        selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    else:
        iut = negotiate_dtls(upper, peer, side, iut_is=iut_is, peer_tcptypes="passive")
        selected = peer.complete(iut, peer.await_connection())
    await_selection(upper, peer, selected)
    return selected


def complete_all(upper: Upper, peer: Peer, iut: Description, connections: Sequence[Connection]) -> list[Connection]:
    """Bring ICE to completion on connections, one for each component; return the selected ones."""
    selected = [peer.complete(iut, connection) for connection in connections]
    for connection in selected:
        await_selection(upper, peer, connection)
    return selected


def await_selection(upper: Upper, peer: Peer, selected: Connection) -> None:
    """Wait until the IUT itself knows of the selection, and has kept the connection.

    A stack may tell no state, or be connected before it has read our answer to its nomination.
    """
    upper.ready(within=peer.pixit.complete)
    peer.settle(selected)
    upper.await_selected(within=peer.pixit.complete)
    await_open(peer, selected)


def await_open(peer: Peer, selected: Connection) -> None:
    """Make sure that the IUT has not closed a connection just after its selection."""
    peer.wait(peer.pixit.drip)
    if not selected.is_open:
        raise Inconclusive(f"{selected}: {selected.events[-1]}, though it is the selected one")
