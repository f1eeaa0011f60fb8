"""RFC 6544 section 6.2: which TCP candidates are paired, and which pairs are pruned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import (
    await_checks_have_begun,
    expect_no_connection_for,
    expect_no_connection_from_passive,
)
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571

_HIGHEST = 2**31 - 1


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-6.2-s01", needs="connects:active")
def test_active_is_paired_with_passive(upper, peer, side, pixit):
    """with    our description holding a passive candidate only
    when    the IUT has both descriptions
    then    it connects to it from an active candidate and sends a check."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.expect_connection()
    connection.await_frame(BindingRequest, within=pixit.response)


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-6.2-s01", "RFC4145-4.1-02", needs="connects:active")
def test_active_is_not_paired_with_active(upper, peer, side):
    """with    our active candidate unusually, listening on its port 9, and a passive one of lower priority
    when    the IUT has connected to the passive one
    then    it does not connect to the active one."""
    discard, listener = peer.listen(port=9), peer.listen()
    ours = [peer.candidate("active", priority=_HIGHEST), peer.candidate("passive", port=listener.port)]
    negotiate(upper, peer, side, peer_candidates=ours)
    peer.await_connection(listener)
    peer.expect_no_connection(discard)


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-6.2-s01", needs="connects:active")
def test_so_is_not_paired_with_active(upper, peer, side):
    """with    our S-O candidate of highest priority, a passive one, and an IUT without S-O candidates
    when    the IUT has connected to the passive one
    then    it does not connect to the S-O one."""
    so, listener = peer.listen(), peer.listen()
    ours = [
        peer.candidate("so", port=so.port, priority=_HIGHEST),
        peer.candidate("passive", port=listener.port),
    ]
    negotiate(upper, peer, side, peer_candidates=ours).needs_no_candidates("so")
    first = peer.await_connection()
    assert first.local_address.port == listener.port, "it connected to the S-O candidate"
    peer.expect_no_connection(so)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-6.2-01", "RFC4145-4.1-02", needs="offers:passive")
def test_pairs_with_a_local_passive_candidate_are_pruned(upper, peer, side, pixit):
    """with    the IUT having passive candidates, and our active one unusually, listening on its port 9
    when    checks have begun, as an answer to ours or one of its own shows
    then    the IUT does not connect to our active candidate."""
    discard = peer.listen(port=9)
    iut = negotiate(upper, peer, side, tcptypes="passive", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    await_checks_have_begun(peer, connection, within=pixit.response)
    expect_no_connection_for(peer, iut, discard)


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-6.2-s01", needs="offers:passive")
def test_passive_is_not_paired_with_passive(upper, peer, side, pixit):
    """with    the IUT having passive candidates, and we a passive and an active one
    when    checks have begun, as an answer to ours or one of its own shows
    then    the IUT does not connect to our passive candidate, unless from an active one."""
    iut = negotiate(upper, peer, side, tcptypes="passive")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    await_checks_have_begun(peer, connection, within=pixit.response)
    expect_no_connection_from_passive(peer, iut)


@both_sides
@pytest.mark.parametrize("word", [None, "sideways"], ids=["none", "unknown"])
@requirement("RFC6544-6.2-s01", needs="connects:active")
def test_candidate_without_a_known_tcptype_is_not_paired(upper, peer, side, word):
    """with    our best TCP candidate without a tcptype, or with an unknown one, and a passive one
    when    the IUT, which takes such a description, has connected to the passive one
    then    it does not connect to the other.
    """
    strange, listener = peer.listen(), peer.listen()
    best = replace(peer.candidate("passive", port=strange.port, priority=_HIGHEST), tcptype=word)
    ours = [best, peer.candidate("passive", port=listener.port)]
    negotiate(upper, peer, side, peer_candidates=ours, may_reject=True)
    peer.await_connection(listener)
    peer.expect_no_connection(strange)
