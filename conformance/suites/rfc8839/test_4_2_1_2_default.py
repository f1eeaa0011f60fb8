"""RFC 8839 section 4.2.1.2: the default destination."""

from __future__ import annotations

from conformance.suites.marks import requirement, varied
from conformance.suites.negotiation import obtain_description
from conformance.suites.sections import expect_candidate_for_default


@varied("family")
@requirement("RFC8839-4.2.1.2-s01")
def test_default_destination_is_a_candidate(upper, peer, side):
    """with    a description of the IUT
    when    the address and port of its c= and m= lines are read
    then    they are those of a candidate of component 1, or 0.0.0.0 or :: with port 9."""
    expect_candidate_for_default(obtain_description(upper, peer, side).media())
