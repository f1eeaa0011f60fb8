"""RFC 8839 section 4.2.1.6: streams that are inactive or disabled."""

from __future__ import annotations

from conformance.peer.describe import joined
from conformance.suites.marks import requirement
from conformance.suites.sections import disabled, ice_of


@requirement("RFC8839-4.2.1.6-01", needs="sides:answerer")
def test_inactive_stream_has_ice(upper, peer):
    """with    our offer of a stream that is inactive
    when    the IUT answers it and takes the stream
    then    its section has ice-ufrag, ice-pwd and candidates, or says that they trickle."""
    answer = upper.answer_unless_rejected(peer.offer("active", attributes=["inactive"])).media()
    assert answer.ufrag, "there is no a=ice-ufrag"
    assert answer.pwd, "there is no a=ice-pwd"
    assert answer.candidates or "trickle" in answer.ice_options, "there are no candidates"


@requirement("RFC8839-4.2.1.6-02", needs="sides:answerer")
def test_disabled_section_has_no_candidates(upper, peer):
    """with    our offer of two sections, the second disabled by port 0
    when    the IUT answers it
    then    its second section has no candidates."""
    offer = joined([peer.offer("active"), disabled(peer.offer("active", mid="1"))])
    names = ice_of(upper.answer_unless_rejected(offer).media(1))
    assert "candidate" not in names, f"it has {names}"
