"""RFC 8838 section 17: the order in which candidates are told."""

from __future__ import annotations

from conformance.suites.marks import crosswise, requirement
from conformance.suites.trickling import expect_order_of_components, told_in_full


@crosswise
@requirement("RFC8838-17-01")
def test_components_are_told_in_order(upper, peer, side):
    """with    a stream of two components
    when    the IUT tells its candidates
    then    of those alike otherwise, that of component 1 comes before that of component 2."""
    iut = told_in_full(upper, peer, side, components=2)
    expect_order_of_components(iut.trickled_candidates())
