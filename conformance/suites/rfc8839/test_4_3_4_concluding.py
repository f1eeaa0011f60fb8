"""RFC 8839 section 4.3.4: the default destination after ICE has concluded."""

from __future__ import annotations

import pytest

from conformance.suites.establishing import establish
from conformance.suites.marks import OPENERS, requirement
from conformance.suites.updates import ICE2, expect_default_of


@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC8839-4.3.4-01", "RFC8839-4.4.1.2.2-01", needs="profile:plain")
def test_later_offer_to_an_rfc5245_peer_aligns_the_default(upper, peer, opener):
    """with    the IUT controlling, ICE completed with us, who do not say ice2
    when    the IUT makes a later offer
    then    the default destination in it is its end of the nominated pair."""
    selected = establish(upper, peer, "offerer", opener=opener)
    expect_default_of(upper.updated_offer().media(), selected)


@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC8839-4.3.4-02", "RFC8839-4.4.1.2.2-01", needs="profile:plain")
def test_later_offer_to_an_ice2_peer_aligns_the_default(upper, peer, opener):
    """with    the IUT controlling, ICE completed with us, who say ice2
    when    the IUT makes a later offer
    then    the default destination in it is its end of the nominated pair."""
    selected = establish(upper, peer, "offerer", opener=opener, says=ICE2)
    expect_default_of(upper.updated_offer().media(), selected)
