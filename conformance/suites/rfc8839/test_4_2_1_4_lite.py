"""RFC 8839 section 4.2.1.4: a=ice-lite."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import obtain_description


@varied("family", "components")
@requirement("RFC8839-4.2.1.4-01", needs="sdp:full")
def test_lite_mode_is_declared(upper, peer, side):
    """with    a lite IUT
    when    its description is read
    then    it says a=ice-lite."""
    assert obtain_description(upper, peer, side, agent="lite").lite, "there is no a=ice-lite"


@both_sides
@requirement("RFC8839-4.2.1.4-02")
def test_full_agent_does_not_say_ice_lite(upper, peer, side):
    """with    a full IUT
    when    its description is read
    then    it does not say a=ice-lite."""
    assert not obtain_description(upper, peer, side).lite, "a=ice-lite is there"
