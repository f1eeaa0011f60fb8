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


def host(address, port=5000, tcptype="passive"):
    return f"a=candidate:1 1 TCP 5 {address} {port} typ host tcptype {tcptype}\r\n"


def with_candidates(*lines):
    head = SECTION.partition("a=candidate")[0].format(port=5000, ufrag="aaaa", pwd="p" * 22)
    return Description("offer", SESSION + head + "".join(lines))


@pytest.mark.parametrize(
    ("address", "port", "why"),
    [
        ("1b4e28ba-2fa1-41d2-883f-0016d3cca427.local", 5000, "is not an IP address but a name"),
        ("0.0.0.0", 5000, "unspecified"),
        ("255.255.255.255", 5000, "broadcast"),
        ("::ffff:127.0.0.1", 5000, "IPv4-mapped"),
        ("127.0.0.1", 0, "port 0"),
    ],
)
def test_a_candidate_that_nobody_can_reach_is_passed_over_with_a_reason(address, port, why):
    with pytest.raises(Inconclusive, match=f"nothing can be sent to what the IUT's offer offers: .*{why}"):
        with_candidates(host(address, port)).candidate(tcptype="passive")
    both = with_candidates(host(address, port), host("192.0.2.1", 7000))
    assert both.candidate(tcptype="passive").port == 7000
    assert len(both.candidates(tcptype="passive")) == 2, "who reads the description judges it"


def test_a_port_of_two_components_is_of_none():
    second = host("127.0.0.1").replace(":1 1", ":1 2")
    with pytest.raises(Inconclusive, match=r"components 2 and 1 at 127\.0\.0\.1:5000"):
        with_candidates(host("127.0.0.1"), second).candidate(tcptype="passive")
    apart = with_candidates(host("127.0.0.1"), second.replace("5000", "5001"))
    assert apart.candidate(tcptype="passive", component=2).port == 5001
    muxed = with_candidates("a=rtcp-mux\r\n", host("127.0.0.1"), second)
    assert muxed.candidate(tcptype="passive").port == 5000, "RTCP has no component of its own"
    active = with_candidates(host("127.0.0.1", 9, "active"), second.replace("5000", "9").replace("passive", "active"))
    assert active.candidate(tcptype="active").port == 9


def test_an_address_that_nobody_can_reach_is_of_no_family():
    description = with_candidates(host("::ffff:127.0.0.1"), host("192.0.2.1"))
    description.ipv6 = True
    with pytest.raises(NotApplicable, match="no IPv6 address"):
        description.candidate(tcptype="passive")


def test_candidates_at_the_session_level_are_named():
    text = SESSION + host("192.0.2.1") + SECTION.partition("a=candidate")[0].format(port=9, ufrag="a" * 4, pwd="p" * 22)
    with pytest.raises(Inconclusive, match="but at the session level"):
        Description("offer", text).candidate(tcptype="passive")


def test_the_first_section_that_is_not_disabled_is_the_one_in_use():
    text = TWO.replace("m=audio 5000", "m=audio 0")
    assert Description("offer", text).ufrag == "bbbb"
    assert Description("offer", text.replace("m=audio 0", "m=audio 0", 1) + "a=x\r\n").media(0).port == 0
    bundled = text.replace("a=ice-ufrag:aaaa", "a=bundle-only\r\na=ice-ufrag:aaaa")
    assert Description("offer", bundled).ufrag == "aaaa"


def test_the_base_of_the_active_candidate_is_of_the_family_of_the_case():
    """Janus: an active candidate at 198.18.0.1, and one at fd6d::1."""
    both = host("192.0.2.1", 9, "active"), host("2001:db8::1", 9, "active")
    assert with_candidates(*both).needs_one_base().address == "192.0.2.1"
    assert with_candidates(*reversed(both)).needs_one_base().address == "192.0.2.1"
    with pytest.raises(NotApplicable, match="has 2 active host candidates of IPv4"):
        with_candidates(*both, host("192.0.2.2", 9, "active")).needs_one_base()
