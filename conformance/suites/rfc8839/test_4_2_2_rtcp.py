"""RFC 8839 section 4.2.2: RTP and RTCP."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description


@both_sides
@requirement("RFC8839-4.2.2-01")
def test_both_components_have_candidates(upper, peer, side):
    """with    a description of the IUT with RTP and RTCP on ports of their own
    when    the components of its candidates are read
    then    there are candidates of both."""
    found = {c.component for c in obtain_description(upper, peer, side, components=2).media().candidates}
    assert len(found) == 2, f"candidates of {len(found)} component: {sorted(found)}"
