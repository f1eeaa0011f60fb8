"""RFC 8839 section 5.2: a=remote-candidates."""

from __future__ import annotations

from conformance.suites.establishing import establish_components
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.updates import named, needs_control_of_the_iut


@both_sides
@requirement("RFC8839-5.2-02")
def test_first_description_has_no_remote_candidates(upper, peer, side):
    """with    the IUT's first offer or answer
    when    its media section is read
    then    it has no a=remote-candidates, for nothing has been selected."""
    found = obtain_description(upper, peer, side).media().attribute("remote-candidates")
    assert found is None, f"a=remote-candidates:{found}"


@requirement("RFC8839-5.2-01", needs="offers:passive components:2")
def test_remote_candidates_name_each_component(upper, peer):
    """with    ICE completed for two components, and the IUT controls
    when    the IUT makes a later offer
    then    a=remote-candidates names our end of both pairs."""
    selected = establish_components(upper, peer, "offerer", 2)
    needs_control_of_the_iut(peer)
    ours = {one.component: (one.local_address.ip, one.local_address.port) for one in selected}
    found = named(upper.updated_offer().media())
    assert found == ours, f"a=remote-candidates names {found}, our ends are {ours}"
