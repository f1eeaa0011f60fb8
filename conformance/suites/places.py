"""Connections at other places than the usual one, which we open to the first stream's first component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.driving import check_each
from conformance.suites.establishing import await_selection, establish
from conformance.suites.negotiation import negotiate, negotiate_streams
from conformance.suites.relays import relayed_of
from conformance.suites.restarts import RESTARTS_BY, restart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.events import Expectation
    from conformance.peer.tester import Peer

    Asked = tuple[Description, Connection]

_NEEDS = {
    "opened": ("connects:active",),
    "component": ("offers:passive", "components:2"),
    "stream": ("offers:passive", "streams:2"),
    "so": ("offers:so",),
    "relayed": ("tcp_relay",),
    "restarted": ("offers:passive", "restart"),
}


def places(*names: str) -> pytest.MarkDecorator:
    """Make a case run on connections at these places.

    "opened" by the IUT, to the second "component" or the second "stream", to an "so" or a "relayed" candidate, and to
    one of when ICE was "restarted".
    """
    marks = {name: pytest.mark.requirement(needs=_NEEDS[name]) for name in names}
    return pytest.mark.parametrize("where", [pytest.param(name, marks=mark) for name, mark in marks.items()])


def connected_at(upper: Upper, peer: Peer, side: str, where: str) -> list[Asked]:
    """Have a connection at a place, and those that the session needs in addition (preamble).

    Return each with the description of its stream; the one at the place is the last.
    """
    if where == "opened":
        iut = negotiate(upper, peer, side, peer_tcptypes="passive")
        return [(iut, peer.await_connection())]
    if where == "component":
        iut = negotiate(upper, peer, side, peer_tcptypes="active", components=2)
        return [(iut, peer.connect(iut.candidate(tcptype="passive", component=number))) for number in (1, 2)]
    if where == "stream":
        return _of_each(peer, negotiate_streams(upper, peer, side))
    if where == "so":
        iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
        return [(iut, peer.connect(iut.candidate(tcptype="so")))]
    if where == "relayed":
        server = peer.turn_server()
        iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
        return [(iut, server.connect(relayed_of(iut)))]
    establish(upper, peer, side, opener="tester")
    iut = restart(upper, peer, RESTARTS_BY[side])
    return [(iut, peer.connect(iut.candidate(tcptype="passive")))]


def ask_each(peer: Peer, asked: Sequence[Asked], until: type[Expectation] = BindingSuccess) -> None:
    """Send a check on each connection, and give what is to follow the time to come; judge nothing."""
    for iut, connection in asked:
        check_each(peer, iut, [connection], until)


def selected_at(upper: Upper, peer: Peer, side: str, where: str) -> list[Asked]:
    """Bring ICE to completion on such connections (preamble); return what `connected_at` does."""
    return complete_each(upper, peer, connected_at(upper, peer, side, where))


def complete_each(upper: Upper, peer: Peer, asked: Sequence[Asked]) -> list[Asked]:
    """Bring ICE to completion on connections, each of the stream that is described beside it (preamble)."""
    selected = [(iut, peer.complete(iut, connection)) for iut, connection in asked]
    for _, connection in selected:
        await_selection(upper, peer, connection)
    return selected


def _of_each(peer: Peer, streams: Sequence[Description]) -> list[Asked]:
    return [(stream, peer.connect(stream.candidate(tcptype="passive"))) for stream in streams]
