"""Connections with S-O candidates at both ends: from the beginning, or by a restart (RFC 6544 section 9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.suites.establishing import await_selection
from conformance.suites.negotiation import negotiate, negotiate_dtls
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.verdict import NotApplicable

if TYPE_CHECKING:
    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

_ALL = "active passive so"
# Who opened the connection, and what that takes.
_OPENERS = {"tester": ("offers:passive",), "IUT": ("connects:active",), "S-O": ("connects:so",)}


def openers(identifier: str) -> pytest.MarkDecorator:
    """Make a case of this requirement run on connections that we, the IUT, and S-O candidates have opened."""
    marks = {name: pytest.mark.requirement(identifier, needs=needs) for name, needs in _OPENERS.items()}
    return pytest.mark.parametrize("opener", [pytest.param(name, marks=mark) for name, mark in marks.items()])


def complete_on(upper: Upper, peer: Peer, side: str, opener: str) -> Connection:
    """Bring ICE to completion on a connection between the IUT and a port at which we also listen (preamble)."""
    base = peer.listen()
    tcptype = {"tester": "active", "IUT": "passive", "S-O": "so"}[opener]
    ours = [peer.candidate(tcptype, port=9 if tcptype == "active" else base.port)]
    iut = negotiate(upper, peer, side, tcptypes=_ALL, peer_candidates=ours)
    if opener == "tester":
        selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive"), source=base))
    else:
        peer.await_connection()
        selected = peer.complete_any(iut)
    await_selection(upper, peer, selected)
    upper.forget_data()
    return selected


def complete_dtls_on(upper: Upper, peer: Peer, side: str) -> Connection:
    """Do the same below DTLS, whose client is the IUT, on a connection that we open (preamble)."""
    base = peer.listen()
    iut = negotiate_dtls(upper, peer, side, peer_tcptypes="active", tcptypes=_ALL)
    return peer.complete(iut, peer.connect(iut.candidate(tcptype="passive"), source=base))


def restart_on(upper: Upper, peer: Peer, side: str, selected: Connection) -> Description:
    """Restart with S-O candidates at both ends of the selected connection; return the IUT's description (preamble).

    n/a where the IUT states none there, which RFC 6544 section 9.2 leaves to it.
    """
    peer.settle(selected)
    selected.begin_anew()
    peer.forget_arrivals()
    ours = [peer.candidate("so", port=selected.local_address.port)]
    iut = restart(upper, peer, RESTARTS_BY[side], candidates=ours)
    so = [c for c in iut.media().candidates if (c.tcptype or "").lower() == "so"]
    if not any(c.endpoint == selected.remote_address for c in so):
        raise NotApplicable(f"the IUT states no S-O candidate at {selected.remote_address} when ICE restarts")
    return iut
