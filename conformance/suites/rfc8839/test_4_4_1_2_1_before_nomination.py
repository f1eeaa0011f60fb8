"""RFC 8839 section 4.4.1.2.1: later offers before a pair is nominated."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.sections import expect_candidate_for_default


@requirement("RFC8839-4.4.1.2.1-01")
def test_later_offer_repeats_what_is_not_nominated(upper, peer):
    """with    descriptions exchanged, and no check made
    when    the IUT makes a later offer
    then    it has the candidates and credentials of the IUT's first one, and maybe more candidates."""
    first = negotiate(upper, peer, "offerer", peer_tcptypes="active")
    later = upper.updated_offer()
    missing = [str(c) for c in first.media().candidates if c not in later.media().candidates]
    assert not missing, f"missing: {missing[0]}"
    assert (later.ufrag, later.pwd) == (first.ufrag, first.pwd), "it has other credentials"


@requirement("RFC8839-4.4.1.2.1-04")
def test_later_offer_has_a_candidate_for_its_default(upper, peer):
    """with    descriptions exchanged, and no check made
    when    the IUT makes a later offer
    then    its default destination is that of a candidate, or 0.0.0.0 or :: with port 9."""
    negotiate(upper, peer, "offerer", peer_tcptypes="active")
    expect_candidate_for_default(upper.updated_offer().media())
