"""What cases ask of the IUT's description, and where that leaves them nothing to judge."""

from __future__ import annotations

import pytest

from conformance.iut.description import Description, says_the_same
from conformance.verdict import Inconclusive, NotApplicable

PASSIVE = "candidate:1 1 TCP 2124414975 {} {} typ host tcptype passive"
ACTIVE = "candidate:2 1 TCP 2128609279 {} 9 typ host tcptype active"


def described(*attributes, proto="TCP/RTP/AVP", version=1, **known) -> Description:
    lines = ["v=0", f"o=- 1 {version} IN IP4 127.0.0.1", "s=-", "t=0 0", f"m=audio 9 {proto} 0"]
    lines += [f"a={attribute}" for attribute in attributes]
    return Description("offer", "".join(f"{line}\r\n" for line in lines), **known)


def test_of_several_candidates_the_case_takes_the_one_at_the_address_that_it_wished_for() -> None:
    lines = PASSIVE.format("127.0.0.1", 1000), PASSIVE.format("198.18.0.1", 2000)
    assert described(*lines).candidate(tcptype="passive").port == 1000
    assert described(*lines, wished=["198.18.0.1"]).candidate(tcptype="passive").port == 2000
    assert described(*lines, wished=["192.0.2.1"]).candidate(tcptype="passive").port == 1000, "a wish is only a hint"


def test_no_candidate_is_inconclusive_unless_the_iut_declares_that_it_offers_none() -> None:
    active = described(ACTIVE.format("127.0.0.1"), offers=["active", "passive"])
    with pytest.raises(Inconclusive, match="does not have passive TCP candidates"):
        active.candidates(tcptype="passive")
    with pytest.raises(NotApplicable, match="lack offers passive"):
        described(ACTIVE.format("127.0.0.1"), offers=["active"]).candidates(tcptype="passive")
    with pytest.raises(NotApplicable, match="lack offers of any kind"):
        described(offers=[]).candidates()
    with pytest.raises(Inconclusive):
        described().candidates()


def test_an_iut_without_an_address_of_the_family_cannot_be_met_over_it() -> None:
    described(PASSIVE.format("127.0.0.1", 1000)).needs_family()
    described(ipv6=True).needs_family()  # it may connect without offering anything
    with pytest.raises(NotApplicable, match="no IPv6 address here"):
        described(PASSIVE.format("127.0.0.1", 1000), ipv6=True).needs_family()
    with pytest.raises(NotApplicable, match="no IPv4 address here"):
        described(PASSIVE.format("::1", 1000)).candidate(tcptype="passive")


def test_whose_pair_a_connection_belongs_to_shows_where_one_active_candidate_is() -> None:
    active = [ACTIVE.format("127.0.0.1"), ACTIVE.format("0:0:0:0:0:0:0:1")]
    described(*active).needs_one_active("127.0.0.1")
    described(*active).needs_one_active("::1")
    for address in ("127.0.0.1", "127.0.0.2"):
        with pytest.raises(NotApplicable, match=f"active candidates at {address}"):
            described(active[0], active[0], active[1]).needs_one_active(address)


def test_a_media_line_tells_whether_the_default_is_tcp() -> None:
    for proto in ("TCP/RTP/AVP", "TCP", "tcp/dtls/rtp/savpf"):
        described(proto=proto).needs_tcp_default()
    with pytest.raises(NotApplicable, match="not one of TCP but RTP/AVP"):
        described(proto="RTP/AVP").needs_tcp_default()


def test_an_offer_that_is_only_written_anew_is_no_updated_one() -> None:
    lines = [PASSIVE.format("127.0.0.1", 1000), ACTIVE.format("127.0.0.1")]
    first = described("connection:new", *lines)
    assert says_the_same(described("connection:new", *reversed(lines), version=2), first)
    assert not says_the_same(described("connection:existing", *lines, version=2), first)
    assert not says_the_same(described("connection:new", lines[0], version=2), first)
    assert not says_the_same(described("connection:new", "remote-candidates:1 127.0.0.1 9", *lines), first)
