"""RFC 8839 section 4.4.1.1.3: streams that are added."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.updates import add_second


@requirement("RFC8839-4.4.1.1.3-s01", "RFC8839-4.4.3.1-05", needs="sides:answerer")
def test_added_stream_has_ice(upper, peer, pixit):
    """with    ICE completed
    when    our later offer has added a stream, and the IUT has answered
    then    the second section of its answer has credentials and candidates, and the first stream's connection stays."""
    iut, selected = add_second(upper, peer)
    assert iut.ufrag, "there is no a=ice-ufrag"
    assert iut.pwd, "there is no a=ice-pwd"
    assert iut.media().candidates or "trickle" in iut.media().ice_options, "there are no candidates"
    selected.expect_open(within=pixit.silence)
