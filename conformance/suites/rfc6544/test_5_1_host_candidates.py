"""RFC 6544 section 5.1: host candidates."""

from __future__ import annotations

from conformance.suites.case import describe, requirement, varied
from conformance.suites.values import is_host


@varied("family", "components", "candidates")
@requirement("RFC6544-5.1-01", needs="offers:passive")
def test_passive_candidate_is_offered(upper, peer, side):
    """with    an IUT that can listen
    when    its description is read
    then    it has a passive host candidate with a port of its own."""
    media = describe(upper, peer, side).media()
    passive = [c for c in media.candidates if is_host(c, "passive") and c.port not in (0, 9)]
    assert passive, "there is no passive host candidate"
