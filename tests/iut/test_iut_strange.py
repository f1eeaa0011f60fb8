"""Strange descriptions say the same as plain ones."""

from __future__ import annotations

import pytest

from conformance.agent import description
from conformance.agent.config import Config
from conformance.agent.decisions import Decisions
from conformance.iut.strange import strange
from conformance.wire.candidate import Candidate
from conformance.wire.sdp import SessionDescription

OURS = [
    Candidate("a", 1, "TCP", 2105458943, "192.0.2.9", 9, "host", tcptype="active"),
    Candidate("b", 1, "TCP", 2105458942, "192.0.2.9", 50001, "host", tcptype="passive"),
]


def plain(candidates, port=50001):
    return SessionDescription.build(
        kind="audio",
        proto="TCP/RTP/AVP",
        formats=["0"],
        address="192.0.2.9",
        port=port,
        ufrag="abcd",
        pwd="p" * 22,
        candidates=candidates,
        setup="actpass",
    )


@pytest.mark.parametrize("candidates", [OURS, OURS[:1], []], ids=["two", "one", "none"])
def test_an_agent_reads_the_same_from_it(candidates):
    decisions = Decisions(Config(offerer=False))
    before = description.read(str(plain(candidates)), decisions)
    after = description.read(strange(plain(candidates), offered=True), decisions)
    assert (after.streams[0] is None, after.streams[1:]) == (False, (None,))
    one, other = before.streams[0], after.streams[0]
    assert (other.ufrag, other.pwd, other.plan) == (one.ufrag, one.pwd, one.plan)
    usable = [(c.endpoint, c.tcptype, c.priority) for c in other.candidates if c.is_tcp]
    assert usable == [(c.endpoint, c.tcptype, c.priority) for c in one.candidates]
    assert after.terms == before.terms


def test_foundations_stay_apart_and_as_long_as_they_can_be():
    parsed = SessionDescription.parse(strange(plain(OURS), offered=False))
    ours = [c for c in parsed.media[0].candidates if c.address == "192.0.2.9"]
    assert [len(c.foundation) for c in ours] == [32, 32]
    assert len({c.foundation for c in ours}) == 2


def test_an_answer_and_an_offer_with_a_spare_section_get_no_further_one():
    assert len(SessionDescription.parse(strange(plain(OURS), offered=False)).media) == 1
    two = SessionDescription.parse(strange(plain(OURS), offered=True))
    assert len(SessionDescription.parse(strange(two, offered=True)).media) == 2
