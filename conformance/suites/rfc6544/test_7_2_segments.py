"""RFC 6544 section 7.2: what breaks one connection to the IUT leaves it ready for the others."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.marks import crosswise, in_segments, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.segments import ENDS, break_off
from conformance.wire.layers import RFC4571


@in_segments
@crosswise
@pytest.mark.parametrize("sent", [0, 1, 30])
@pytest.mark.parametrize("end", ENDS)
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", "RFC6544-7.2-s01", needs="offers:passive")
def test_broken_connection_leaves_the_others(upper, peer, side, end, sent, pixit):
    """with    a connection to the IUT's passive candidate broken off before or within its first check
    when    we connect to the candidate again and send a check
    then    the connection is accepted and the check answered."""
    passive = negotiate(upper, peer, side, peer_tcptypes="active")
    broken = peer.connect(passive.candidate(tcptype="passive"))
    broken.send(bytes(RFC4571() / peer.check(passive))[:sent])
    peer.wait(pixit.drip * 5)  # the IUT reads what there is
    break_off(broken, end)
    peer.wait(pixit.silence)
    connection = peer.expect_accept(passive.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(passive))
    connection.expect(BindingSuccess, within=pixit.response)


@in_segments
@crosswise
@pytest.mark.parametrize("end", ENDS)
@requirement("RFC6544-7.2-02", "RFC6544-7.2-s01", needs="offers:passive")
def test_connection_broken_behind_its_check_leaves_the_others(upper, peer, side, end, pixit):
    """with    the only connection to the IUT's passive candidate broken off behind its first check
    when    we connect to the candidate again, where ICE has not failed with its only pair, and send a check
    then    the check is answered."""
    peer.answering = False  # else ICE may complete on this connection before it breaks off
    passive = negotiate(upper, peer, side, peer_tcptypes="active")
    broken = peer.connect(passive.candidate(tcptype="passive"))
    broken.send(RFC4571() / peer.check(passive))
    peer.wait(pixit.drip * 5)  # the IUT reads it
    break_off(broken, end)
    peer.wait(pixit.silence)
    connection = peer.connect_if_possible(passive.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(passive))
    connection.expect(BindingSuccess, within=pixit.response)
