"""RFC 8839 section 4.4.1.2.2: later offers after a pair has been nominated."""

from __future__ import annotations

import pytest

from conformance.suites.establishing import establish
from conformance.suites.marks import OPENERS, requirement
from conformance.suites.updates import (
    expect_default_of,
    expect_nominated_alone,
    named,
    needs_control_of_the_iut,
    update,
)


@requirement("RFC8839-4.4.1.2.2-01", needs="sides:answerer")
def test_default_of_an_answer_is_the_nominated_pairs(upper, peer):
    """with    ICE completed, and we control
    when    we make a later offer and the IUT answers it
    then    the default destination of the answer is the IUT's end of the nominated pair."""
    selected = establish(upper, peer, "answerer")
    expect_default_of(update(upper, peer, "tester", [selected]).media(), selected)


@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC8839-4.4.1.2.2-02")
def test_only_the_nominated_candidate_is_left(upper, peer, opener):
    """with    ICE completed, and the IUT controls
    when    the IUT makes a later offer
    then    it has one candidate, on the address of its end of the nominated pair. A WebRTC stack may repeat all."""
    selected = establish(upper, peer, "offerer", opener=opener)
    expect_nominated_alone(peer, upper.updated_offer().media(), selected)


@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC8839-4.4.1.2.2-03")
def test_remote_candidates_name_our_end(upper, peer, opener):
    """with    ICE completed, and the IUT controls
    when    the IUT makes a later offer
    then    it has a=remote-candidates with our end of the nominated pair."""
    selected = establish(upper, peer, "offerer", opener=opener)
    needs_control_of_the_iut(peer)
    ours = selected.local_address
    found = named(upper.updated_offer().media())
    assert found.get(1) == (ours.ip, ours.port), f"a=remote-candidates names {found}, our end is {ours}"
