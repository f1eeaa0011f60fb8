"""RFC 8445 section 8.2: how a lite agent concludes."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.marks import requirement, varied
from conformance.suites.media import (
    expect_coming,
)
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@requirement(
    "RFC8445-8.2-02", "RFC8839-4.4.1.3-06", "RFC6544-6-s01", needs="offers:passive obeys:addresses updates sdp:full"
)
def test_lite_offerer_updates_its_candidates(upper, peer, pixit):
    """with    a lite IUT having offered candidates of both families, and our lite answer with candidates of both
    when    we have connected to one of its passive candidates
    then    its next description is an offer that names the pair in use."""
    ours = [peer.candidate("active"), peer.candidate("active", address=peer.other_address)]
    both = {"agent": "lite", "addresses": upper.both_families()}
    iut = negotiate(upper, peer, "offerer", peer_candidates=ours, peer_lite=True, **both)
    peer.connect(iut.candidate(tcptype="passive"))
    upper.ready(within=pixit.response)
    update = upper.describe()
    assert update.kind == "offer", f"its next description is an {update.kind}"
    assert update.media().has("remote-candidates"), "its next offer has no a=remote-candidates"


@varied("family")
@requirement("RFC8445-8.2-s01", "RFC8445-7.3.2-s01", "RFC6544-10.1-01", needs="offers:passive payload:raw")
def test_lite_agent_follows_the_nomination(upper, peer, side, pixit):
    """with    a lite IUT, and two connections of ours, a check answered on the first
    when    we check and nominate the second one
    then    its application's data comes over that one."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", agent="lite")
    first = peer.connect(iut.candidate(tcptype="passive"))
    first.send(RFC4571() / peer.check(iut))
    first.await_frame(BindingSuccess, within=pixit.response)
    second = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    peer.settle(second)
    expect_coming(upper, peer, second, DATA, "the data did not come over the nominated connection")
    assert DATA not in first.octets, "the data came over the other connection"
