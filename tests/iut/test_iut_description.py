"""What the IUT says of itself, stream by stream."""

from __future__ import annotations

import pytest

from conformance.iut.description import Description
from conformance.verdict import Inconclusive, NotApplicable

SESSION = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
SECTION = (
    "m=audio {port} TCP/RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n"
    "a=candidate:1 1 TCP 5 192.0.2.1 {port} typ host tcptype passive\r\n"
)
TWO = (
    SESSION
    + SECTION.format(port=5000, ufrag="aaaa", pwd="p" * 22)
    + SECTION.format(port=6000, ufrag="bbbb", pwd="q" * 22)
)


def test_each_stream_has_its_own():
    both = Description("answer", TWO)
    second = both.stream(1)
    assert (both.ufrag, second.ufrag, second.pwd) == ("aaaa", "bbbb", "q" * 22)
    assert second.candidate(tcptype="passive").port == 6000
    assert both.candidate(tcptype="passive").port == 5000
    assert both.fragments == {"aaaa", "bbbb"}


def test_a_stream_that_is_disabled_or_missing():
    with pytest.raises(NotApplicable):
        Description("answer", TWO.replace("m=audio 6000", "m=audio 0")).stream(1)
    with pytest.raises(Inconclusive):
        Description("answer", TWO).stream(2)
