"""RFC 6544 section 4.4: the lite mode."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import needs_lite_over_tcp
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.values import LITE_TCPTYPES, both_transports, is_host


@varied("family", "components")
@requirement("RFC6544-4.4-s01")
def test_lite_agent_has_passive_host_candidates(upper, peer, side):
    """with    a lite IUT
    when    its TCP candidates are read
    then    they are host candidates, all passive but for active ones where the default is active."""
    iut = obtain_description(upper, peer, side, agent="lite")
    allowed = LITE_TCPTYPES.get(iut.media().setup or "", {"passive"})
    wrong = [c for c in iut.candidates() if not any(is_host(c, tcptype) for tcptype in allowed)]
    assert not wrong, f"with a=setup:{iut.media().setup}: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.4-s01", needs="offers:so")
def test_lite_agent_has_no_so_candidates(upper, peer, side):
    """with    a lite IUT that would offer S-O candidates as a full agent
    when    its TCP candidates are read
    then    none is an S-O candidate."""
    iut = obtain_description(upper, peer, side, agent="lite", tcptypes="active passive so")
    so = [c for c in iut.media().candidates if is_host(c, "so")]
    assert not so, f"it has an S-O candidate: {so[0]}"


@both_sides
@requirement("RFC6544-4.4-s02", needs="transports:tcp")
def test_lite_mode_holds_for_both_transports(upper, peer, side, pixit):
    """with    a lite IUT with UDP and TCP candidates, and ours of both
    when    our check over UDP has been answered, and it has opened no TCP connection for checks
    then    no check of the IUT's has come over UDP either."""
    udp = peer.udp()
    ours = [udp.candidate(), *peer.candidates("active passive")]
    iut = negotiate(upper, peer, side, peer_candidates=ours, agent="lite", transports=["udp", "tcp"])
    theirs, _ = both_transports(iut)
    udp.send(peer.check(iut), iut.of_family(theirs).endpoint)
    udp.await_frame(BindingSuccess, within=pixit.response)
    needs_lite_over_tcp(peer, within=pixit.silence)
    udp.expect_nothing(BindingRequest, within=0)
