"""RFC 8839 section 4.4.1.1.2: streams that are removed."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.sections import ice_of
from conformance.suites.updates import complete_and_remove_second
from conformance.verdict import Level


@requirement("RFC8839-4.4.1.1.2-01", needs="sides:answerer streams:2 offers:passive")
def test_removed_stream_has_no_candidates(upper, peer):
    """with    ICE completed for two streams
    when    our later offer has removed the second, and the IUT has answered
    then    the second section of its answer has no candidates."""
    answer, _ = complete_and_remove_second(upper, peer)
    names = ice_of(answer.media(1))
    assert "candidate" not in names, f"it has {names}"


@requirement("RFC8839-4.4.1.1.2-01", needs="sides:answerer streams:2 offers:passive", at=Level.SHOULD)
def test_removed_stream_has_nothing_of_ice(upper, peer):
    """with    ICE completed for two streams
    when    our later offer has removed the second, and the IUT has answered
    then    the second section of its answer has no attribute of ICE."""
    answer, _ = complete_and_remove_second(upper, peer)
    names = ice_of(answer.media(1))
    assert not names, f"it has {names}"
