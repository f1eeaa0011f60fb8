"""Strange descriptions say the same as plain ones."""

from __future__ import annotations

import pytest

from conformance.agent import description
from conformance.agent.config import Config
from conformance.agent.decisions import Decisions
from conformance.iut.calls import Rejected
from conformance.iut.strange import strange, with_line_feeds
from conformance.iut.upper import Upper
from conformance.verdict import JudgedElsewhere
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


@pytest.mark.parametrize("ends", [str, with_line_feeds], ids=["CRLF", "LF"])
@pytest.mark.parametrize("candidates", [OURS, OURS[:1], []], ids=["two", "one", "none"])
def test_an_agent_reads_the_same_from_it(candidates, ends):
    decisions = Decisions(Config(offerer=False))
    before = description.read(str(plain(candidates)), decisions)
    after = description.read(ends(strange(plain(candidates), offered=True)), decisions)
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


def test_it_holds_what_is_to_be_ignored():
    text = strange(plain(OURS), offered=False)
    assert "\r\ns= \r\n" in text
    assert " ssltcp " in text
    assert " tcptype sideways\r\n" in text
    assert with_line_feeds(text).splitlines() == text.splitlines()
    assert "\r" not in with_line_feeds(text)


class Calls:
    """A stack that is asked to accept; it takes no text with this in it."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.asked = refused, []

    def call(self, method, **parameters):
        self.asked.append(parameters["sdp"])
        if any(text in parameters["sdp"] for text in self.refused):
            raise Rejected("not so")


class Uppers(Upper):
    """An upper tester without an adapter."""

    def __init__(self, calls) -> None:
        self.pics, self.is_strange, self.trickles, self.exchanged, self._untold = {}, True, False, [], None
        self.readings = []
        self.call = calls.call


@pytest.mark.parametrize(
    ("kind", "refused", "ends"),
    [("answer", "no such text", ["\n"]), ("answer", "=0\n", ["\n", "\r\n"]), ("offer", "no such text", ["\r\n"])],
)
def test_an_answer_ends_its_lines_with_lf_for_who_takes_it(kind, refused, ends):
    calls = Calls(refused)
    Uppers(calls).accept(plain(OURS), kind)
    assert [text.partition("v=0")[2][: len(end)] for text, end in zip(calls.asked, ends, strict=True)] == ends


@pytest.mark.parametrize("kind", ["answer", "offer"])
def test_who_refuses_a_candidate_of_an_unknown_transport_gets_what_else_is_strange(kind):
    """A case of its own judges the refusal; the variant says what it did without."""
    calls = Calls("ssltcp")
    upper = Uppers(calls)
    upper.accept(plain(OURS), kind)
    assert "a=x-strange-flag" in calls.asked[-1]
    assert " 192.0.2.9 50001 " in calls.asked[-1]
    without = "our description is without candidates of unknown transports, for which the IUT refused it: not so"
    assert upper.readings == [without]


@pytest.mark.parametrize(
    ("refused", "without"),
    [
        (("今日は",), "text that is not ASCII"),
        (("今日は", "ssltcp"), "candidates of unknown transports and text that is not ASCII"),
    ],
)
def test_who_refuses_text_of_other_languages_gets_what_else_is_strange(refused, without):
    calls = Calls(*refused)
    upper = Uppers(calls)
    upper.accept(plain(OURS), "offer")
    assert calls.asked[-1].isascii()
    assert ("ssltcp" in calls.asked[-1]) is ("ssltcp" not in refused)
    assert upper.readings == [f"our description is without {without}, for which the IUT refused it: not so"]


def test_who_refuses_what_is_to_be_ignored_is_judged_elsewhere():
    with pytest.raises(JudgedElsewhere, match="is to be ignored"):
        Uppers(Calls("a=")).accept(plain(OURS), "answer")
