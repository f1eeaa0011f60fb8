"""RFC 8445 section 7.2.4: FINGERPRINT in checks."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.check_contents import exchange_checks, wrong_checks
from conformance.suites.marks import both_sides, everywhere, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.integrity import Check


@varied("family", "segmentation", "candidates")
@requirement("RFC8445-7.2.4-02", "RFC8489-14.7-s01", "RFC6544-7.1-s04", needs="connects:active")
def test_check_has_a_fingerprint(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    its check arrives
    then    it has a right FINGERPRINT."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert request.fingerprint is Check.VALID, f"FINGERPRINT is {request.fingerprint}"


@both_sides
@everywhere
@requirement("RFC8445-7.2.4-02", "RFC8489-14.7-s01", "RFC6544-7.1-s04")
def test_every_check_has_a_fingerprint(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the FINGERPRINT of each check of the IUT's is computed
    then    it is right."""
    iut = exchange_checks(upper, peer, side, where)
    wrong = wrong_checks(peer, iut, "a right FINGERPRINT")
    assert not wrong, wrong[0]
