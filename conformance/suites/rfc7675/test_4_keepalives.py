"""RFC 7675 section 4: keepalives."""

from __future__ import annotations

from conformance.peer.events import BindingIndication
from conformance.suites.consent import (
    consenting,
    expect_consent_check,
)
from conformance.suites.marks import both_sides, requirement, watches


@both_sides
@watches(7)
@requirement("RFC7675-4-s01")
def test_no_indications_where_consent_is_checked(upper, peer, side):
    """with    ICE completed on a connection, and consent checked there
    when    the longest interval of six seconds is over
    then    no Binding indication has come."""
    selected = consenting(upper, peer, side)
    used, _ = expect_consent_check(upper, peer, selected)
    found = [event for event in used.events if BindingIndication().fulfilled_by(event)]
    assert not found, f"{len(found)} Binding indications came"
