"""RFC 6544 section 6.2: simultaneous-open candidates are paired with each other and with nothing else."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate

_HIGHEST = 2**31 - 1


@both_sides
@requirement("RFC6544-6.2-s01", needs="offers:so connects:so")
def test_so_is_paired_with_so(upper, peer, side, pixit):
    """with    our description holding an S-O candidate only
    when    the IUT has both descriptions
    then    it connects to it and sends a check."""
    negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="so")
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@both_sides
@requirement("RFC6544-6.2-s01", needs="offers:so connects:so obeys:tcptypes")
def test_so_is_not_paired_with_passive(upper, peer, side):
    """with    the IUT having S-O candidates only, and we a passive one of highest priority and an S-O one
    when    the IUT has connected to the S-O one
    then    it does not connect to the passive one."""
    so, passive = peer.listen(), peer.listen()
    ours = [peer.candidate("passive", port=passive.port, priority=_HIGHEST), peer.candidate("so", port=so.port)]
    negotiate(upper, peer, side, tcptypes="so", peer_candidates=ours)
    peer.await_connection(so)
    peer.expect_no_connection(passive)


@both_sides
@requirement("RFC6544-6.2-s01", needs="offers:so connects:so obeys:tcptypes")
def test_so_is_not_paired_with_an_active_candidate(upper, peer, side):
    """with    the IUT having S-O candidates only, and our active one unusually, listening on its port 9
    when    the IUT has connected to our S-O candidate
    then    it does not connect to the active one."""
    discard, so = peer.listen(port=9), peer.listen()
    ours = [peer.candidate("active", priority=_HIGHEST), peer.candidate("so", port=so.port)]
    negotiate(upper, peer, side, tcptypes="so", peer_candidates=ours)
    peer.await_connection(so)
    peer.expect_no_connection(discard)
