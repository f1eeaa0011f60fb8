"""RFC 8839 section 5.2: a=remote-candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description


@both_sides
@requirement("RFC8839-5.2-02")
def test_first_description_has_no_remote_candidates(upper, peer, side):
    """with    the IUT's first offer or answer
    when    its media section is read
    then    it has no a=remote-candidates, for nothing has been selected."""
    found = obtain_description(upper, peer, side).media().attribute("remote-candidates")
    assert found is None, f"a=remote-candidates:{found}"
