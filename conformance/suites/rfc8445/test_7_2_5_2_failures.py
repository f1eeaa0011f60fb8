"""RFC 8445 section 7.2.5.2: which pairs fail, and which do not."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.marks import both_families, crosswise, in_segments, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.segments import ENDS, break_off, establish_in_segments
from conformance.wire.layers import RFC4571


@in_segments
@both_families
@pytest.mark.parametrize("end", ["FIN", "half-close", "RST"])
@requirement("RFC8445-7.2.5.2-s01", "RFC8489-6.2.2-s03", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_broken_connection_ends_only_its_pair(upper, peer, segments, end, pixit):
    """with    two candidates of ours, and the connection that the controlling IUT opens first broken off in its check
    when    the checks on the other connection are answered
    then    the IUT nominates."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation="first"), peer.candidate("passive", address=segments.other_address)]
    negotiate(upper, peer, "offerer", peer_candidates=ours)
    broken = peer.await_connection()
    broken.await_frame(BindingRequest, within=pixit.response)
    break_off(broken, end)
    peer.set_aside(broken)
    peer.answer_held()
    peer.expect_any_nomination()


@in_segments
@both_families
@pytest.mark.parametrize("end", ENDS)
@requirement("RFC8445-7.2.5.2-s01", "RFC6544-7.1-s04", "RFC6544-7.2-s01", needs="offers:passive sides:answerer")
def test_valid_pair_that_breaks_leaves_the_others(upper, peer, end, pixit):
    """with    two connections to the controlled IUT's passive candidate, the first one checked both ways
    when    the first one breaks off before anything is nominated, and we check and nominate on the other
    then    the IUT answers there and checks in return."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    first, second = peer.connect(iut.candidate(tcptype="passive")), peer.connect(iut.candidate(tcptype="passive"))
    first.send(RFC4571() / peer.check(iut))
    first.await_frame(BindingRequest, within=pixit.connect)
    peer.settle(first)
    break_off(first, end)
    peer.wait(pixit.silence)
    second.send(RFC4571() / peer.check(iut))
    second.expect(BindingSuccess, within=pixit.response)
    second.expect(BindingRequest, within=pixit.connect)
    second.send(RFC4571() / peer.check(iut, use_candidate=True))
    second.expect(BindingSuccess, within=pixit.response)


@in_segments
@crosswise
@pytest.mark.parametrize("end", ENDS)
@requirement("RFC8445-7.2.5.2-s01", "RFC6544-7.1-s04", "RFC6544-7.2-s01", needs="offers:passive restart")
def test_former_connection_that_breaks_leaves_the_restart(upper, peer, side, end, pixit):
    """with    ICE restarted, and a connection to the IUT's new passive candidate
    when    the formerly selected connection breaks off, and we check on the new one
    then    the IUT answers there and checks in return."""
    former = establish_in_segments(upper, peer, side)
    iut = restart(upper, peer, RESTARTS_BY[side])
    connection = peer.connect(iut.candidate(tcptype="passive"))
    break_off(former, end)
    peer.wait(pixit.silence)
    connection.send(RFC4571() / peer.check(iut))
    connection.expect(BindingSuccess, within=pixit.response)
    connection.expect(BindingRequest, within=pixit.connect)
