"""RFC 6544 section 4.4: the lite mode."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import needs_lite_over_tcp
from conformance.suites.establishing import await_selection
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.media import came
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.values import DATA, LITE_TCPTYPES, both_transports, is_host
from conformance.wire.layers import RFC4571


@varied("family", "components")
@requirement("RFC6544-4.4-01", needs="sdp:full")
def test_lite_mode_is_declared(upper, peer, side):
    """with    a lite IUT
    when    its description is read
    then    it says a=ice-lite."""
    assert obtain_description(upper, peer, side, agent="lite").lite, "there is no a=ice-lite"


@varied("family")
@requirement("RFC6544-4.4-01", "RFC6544-10.1-01", needs="offers:passive payload:raw")
def test_lite_agent_follows_the_nomination(upper, peer, side, pixit):
    """with    a lite IUT, and two connections of ours, a check answered on the first
    when    we check and nominate the second one
    then    its application's data comes over that one."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", agent="lite")
    first = peer.connect(iut.candidate(tcptype="passive"))
    first.send(RFC4571() / peer.check(iut))
    first.await_frame(BindingSuccess, within=pixit.response)
    second = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    await_selection(upper, peer, second)
    assert came(upper, peer, second, DATA), "the data did not come over the nominated connection"
    assert DATA not in first.octets, "the data came over the other connection"


@varied("family", "components")
@requirement("RFC6544-4.4-s01", needs="sdp:full")
def test_lite_agent_has_passive_host_candidates(upper, peer, side):
    """with    a lite IUT
    when    its TCP candidates are read
    then    they are host candidates, all passive but for active ones where the default is active."""
    iut = obtain_description(upper, peer, side, agent="lite")
    allowed = LITE_TCPTYPES.get(iut.media().setup or "", {"passive"})
    wrong = [c for c in iut.candidates() if not any(is_host(c, tcptype) for tcptype in allowed)]
    assert not wrong, f"with a=setup:{iut.media().setup}: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.4-s01", needs="sdp:full offers:so")
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
    udp.send(peer.check(iut), theirs[0].endpoint)
    udp.await_frame(BindingSuccess, within=pixit.response)
    needs_lite_over_tcp(peer, within=pixit.silence)
    udp.expect_nothing(BindingRequest, within=0)
