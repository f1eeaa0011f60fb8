"""RFC 8839 section 5.5: a=ice-pacing."""

from __future__ import annotations

from conformance.suites import pace
from conformance.suites.marks import both_sides, lasts, requirement
from conformance.suites.negotiation import negotiate, obtain_description

_SLOW = 0.25


@both_sides
@requirement("RFC8839-5.5-s01")
def test_ice_pacing_is_a_number_at_the_session_level(upper, peer, side):
    """with    a description of the IUT
    when    its a=ice-pacing is read, if it has any
    then    it stands at the session level and is a number."""
    iut = obtain_description(upper, peer, side)
    values = iut.sdp.attributes("ice-pacing")
    assert not iut.media().has("ice-pacing"), "it stands in a media section"
    wrong = [value for value in values if value is None or not (value.isascii() and value.isdigit())]
    assert not wrong, f"a=ice-pacing:{wrong[0]}"


@both_sides
@lasts(2)
@requirement("RFC8839-5.5-s02")
def test_slower_of_the_two_paces_counts(upper, peer, side):
    """with    our a=ice-pacing larger than any that the IUT proposes, and four passive candidates of ours
    when    the IUT checks them
    then    its checks come no faster than by our value."""
    says = {"session_attributes": [f"ice-pacing:{round(_SLOW * 1000)}"]}
    iut = negotiate(upper, peer, side, peer_candidates=pace.targets(peer, 4), says=says)
    seen = pace.watch(peer, iut, 3, within=2.0, ours=_SLOW)
    assert not seen.early(seen.checks), seen.early(seen.checks)
