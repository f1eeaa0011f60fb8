"""RFC 6544 section 5: candidates of both address families."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.marks import both_families, both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.values import families
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC6544-5-02", needs="obeys:addresses families:4 families:6")
def test_candidates_of_both_families(upper, peer, side):
    """with    the IUT on an IPv4 and an IPv6 address, and our candidates of both families
    when    its candidates are read
    then    there are some of each family."""
    ours = [peer.candidate("passive"), peer.candidate("passive", address=peer.other_address)]
    iut = negotiate(upper, peer, side, peer_candidates=ours, addresses=upper.both_families())
    assert families(iut.candidates()) == {4, 6}, f"candidates of IPv{families(iut.candidates())} only"


@both_sides
@both_families
@requirement("RFC6544-5-02", needs="families:4 families:6 obeys:addresses connects:active")
def test_connects_over_either_family(upper, peer, side, pixit):
    """with    the IUT on an IPv4 and an IPv6 address, and our candidate of one family
    when    the IUT has both descriptions
    then    it connects to our candidate and sends a check."""
    negotiate(upper, peer, side, peer_tcptypes="passive", addresses=upper.both_families())
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@both_sides
@both_families
@requirement("RFC6544-5-02", "RFC6544-7.2-01", needs="families:4 families:6 obeys:addresses offers:passive")
def test_accepts_over_either_family(upper, peer, side, pixit):
    """with    the IUT on an IPv4 and an IPv6 address
    when    we connect to its passive candidate of one family and send a check
    then    the IUT accepts and answers."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", addresses=upper.both_families())
    connection = peer.expect_accept(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
