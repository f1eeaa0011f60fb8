"""RFC 8445 section 5.1.2: the priorities of candidates."""

from __future__ import annotations

from conformance.suites.marks import requirement, varied
from conformance.suites.negotiation import obtain_description
from conformance.suites.values import duplicates


@varied("family", "components", "candidates")
@requirement("RFC8445-5.1.2-02", "RFC6544-4.2-01", needs="transports:tcp")
def test_priority_ends_in_the_component(upper, peer, side):
    """with    a description of the IUT with TCP candidates
    when    their priorities are taken apart by the formula
    then    the low octet of each is 256 minus the component."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.candidates() if c.priority & 0xFF != 256 - c.component]
    assert not wrong, f"priority's low octet is not 256 - component: {wrong[0]}"


@varied("family", "candidates")
@requirement("RFC8445-5.1.2-02", "RFC6544-4.2-01", needs="components:2")
def test_priority_tells_components_apart(upper, peer, side):
    """with    a description of the IUT with two components
    when    the priorities of the second one's candidates are taken apart by the formula
    then    the low octet of each is 254."""
    iut = obtain_description(upper, peer, side, components=2)
    wrong = [c for c in iut.candidates(component=2) if c.priority & 0xFF != 254]
    assert not wrong, f"priority's low octet is not 254: {wrong[0]}"


@varied("family", "components", "candidates")
@requirement("RFC8445-5.1.2-01")
def test_priorities_are_unique(upper, peer, side):
    """with    a description of the IUT
    when    the priorities of its candidates are compared
    then    no two are the same, and each lies between 1 and 2^31 - 1."""
    candidates = obtain_description(upper, peer, side).media().candidates
    priorities = [candidate.priority for candidate in candidates]
    assert not duplicates(priorities), f"two candidates have the priority {duplicates(priorities)[0]}"
    assert all(1 <= priority < 2**31 for priority in priorities), f"priorities {sorted(priorities)}"
