"""RFC 8489 section 14.5: integrity."""

from __future__ import annotations

from conformance.suites.marks import both_sides, by_openers, requirement
from conformance.suites.messages import (
    asked,
    converse,
    unprotected,
)


@both_sides
@by_openers
@requirement("RFC8489-14.5-s01", "RFC8489-9.1.1-s01", needs="agent:full")
def test_integrity_of_checks_covers_what_stands_before_it(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    MESSAGE-INTEGRITY of each of its checks is computed, with the length that ends behind it
    then    it is right under our password."""
    converse(upper, peer, side, opener)
    wrong = unprotected(asked(peer), peer.pwd)
    assert not wrong, wrong[0]
