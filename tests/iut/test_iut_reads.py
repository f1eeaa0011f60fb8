"""Of a description it is noted what a case reads, and whether another would read the same."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from conformance.iut.description import Description, says_the_same
from conformance.iut.reads import Reads
from conformance.wire.candidate import Candidate
from conformance.wire.sdp import SessionDescription

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=ice-options:ice2\r\n"
CANDIDATES = (
    "a=candidate:1 1 TCP 2105458943 192.0.2.1 9 typ host tcptype active\r\n"
    "a=candidate:2 1 TCP 2105458942 2001:DB8:0::1 5001 typ host tcptype passive\r\n"
)
SECTION = (
    "m=audio {port} TCP/RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\nb=RS:0\r\na=mid:{mid}\r\na=setup:passive\r\n"
    "a=ice-ufrag:{ufrag}\r\na=ice-pwd:pppppppppppppppppppppp\r\n" + CANDIDATES
)
TEXT = HEAD + SECTION.format(port=9, mid=0, ufrag="aaaa") + SECTION.format(port=5001, mid=1, ufrag="bbbb")


def described(kind="answer"):
    """Return a description and what is noted of it."""
    reads = Reads()
    return Description(kind, TEXT, reads=reads), reads


READING = [
    ("the fragment", lambda one: one.ufrag, "a=ice-ufrag:aaaa", "a=ice-ufrag:cccc"),
    ("that of the second stream", lambda one: one.stream(1).ufrag, "a=ice-ufrag:bbbb", "a=ice-ufrag:cccc"),
    ("all fragments", lambda one: one.fragments, "a=ice-ufrag:bbbb", "a=ice-ufrag:cccc"),
    ("lite", lambda one: one.lite, "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n"),
    ("setup", lambda one: one.answered_setup, "a=setup:passive", "a=setup:active"),
    ("what the session has", lambda one: one.media().connection, "t=0 0\r\n", "t=0 0\r\na=connection:new\r\n"),
    ("the options", lambda one: one.media().ice_options, "ice2", "ice2 x"),
    ("lines by their letter", lambda one: one.sdp.values("t"), "t=0 0", "t=0 1"),
    ("lines of a section", lambda one: one.media().bandwidth, "b=RS:0", "b=RS:1"),
    ("the default's address", lambda one: one.media().connection_address, "c=IN IP4 192.0.2.1", "c=IN IP4 192.0.2.2"),
    ("the port", lambda one: one.media(1).port, "m=audio 5001", "m=audio 5002"),
    ("the formats", lambda one: one.media(1).formats, "TCP/RTP/AVP 0", "TCP/RTP/AVP 0 8"),
    ("how many candidates", lambda one: len(one.media().candidates), CANDIDATES, CANDIDATES + CANDIDATES),
    ("a candidate's port", lambda one: one.candidates()[1].port, "1 5001 typ", "1 5002 typ"),
    ("a candidate's place", lambda one: one.candidates()[1].endpoint, "::1 5001", "::2 5001"),
    ("a candidate's preference", lambda one: one.media().candidates[0].type_preference, "2105458943", "205458943"),
    ("a candidate that is written", lambda one: str(one.media().candidates[0]), "candidate:1 ", "candidate:9 "),
    ("a candidate that is compared", lambda one: one.hosts()[0] == one.hosts()[1], "candidate:1 ", "candidate:9 "),
    ("a changed candidate", lambda one: replace(one.hosts()[0], port=1), "candidate:1 ", "candidate:9 "),
    ("the lines", lambda one: one.media().lines, "s=-", "s=x"),
    ("the text", lambda one: one.text, "s=-", "s=x"),
    ("the text for a comparison", lambda one: says_the_same(one, one), "s=-", "s=x"),
    ("all of it, written", lambda one: str(one.sdp), "s=-", "s=x"),
    ("a comparison", lambda one: one.sdp == SessionDescription.parse(TEXT), "s=-", "s=x"),
    ("a comparison of sections", lambda one: one.media() == one.media(1), "b=RS:0", "b=RS:1"),
]


@pytest.mark.parametrize(("reading", "old", "new"), [row[1:] for row in READING], ids=[row[0] for row in READING])
def test_what_is_read_matters(reading, old, new) -> None:
    description, reads = described()
    other = TEXT.replace(old, new)
    assert other != TEXT
    reading(description)
    assert reads.alike(TEXT, TEXT)
    assert not reads.alike(TEXT, other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("s=-", "s=x"),
        ("a=ice-options:ice2", "a=ice-options:ice2 x"),
        ("b=RS:0\r\n", ""),
        ("candidate:1 ", "candidate:9 "),
        ("2105458943", "205458943"),
        ("a=ice-ufrag:bbbb", "a=ice-ufrag:cccc"),
    ],
)
def test_what_is_not_read_does_not_matter(old, new) -> None:
    description, reads = described()
    assert description.ufrag == "aaaa"
    assert description.candidate(tcptype="active").port == 9
    assert reads.alike(TEXT, TEXT.replace(old, new))


def test_other_sections_and_what_cannot_be_read_always_matter() -> None:
    _, reads = described()
    assert not reads.alike(TEXT, TEXT[: TEXT.rindex("m=")])
    assert not reads.alike(TEXT, TEXT.replace("a=ice-ufrag:bbbb", "a=ice-ufrag:b"))


def test_of_a_description_that_nobody_got_nothing_is_known() -> None:
    assert not Reads().alike(TEXT, TEXT)


def test_it_behaves_like_any_other() -> None:
    description, _ = described()
    plain = Description("answer", TEXT)
    assert str(description.sdp) == str(plain.sdp) == TEXT
    assert description.sdp == plain.sdp
    assert plain.media() == description.media()
    assert description.sdp != TEXT
    assert description.media() != TEXT
    assert description.media(1).mid == "1"
    assert description.stream(1).media().mid == "1"
    mine, theirs = description.media().candidates, plain.media().candidates
    assert mine == theirs
    assert theirs == mine
    assert mine[0] != theirs[1]
    assert set(mine) == set(theirs)
    assert mine[0] != str(mine[0])
    assert repr(mine[0]).endswith(repr(theirs[0]).removeprefix("Candidate"))
    assert description.candidates(tcptype="passive") == plain.candidates(tcptype="passive")
    assert [getattr(mine[0], field.name) for field in fields(Candidate)] == [
        getattr(theirs[0], field.name) for field in fields(Candidate)
    ]
    description.add("candidate:3 1 TCP 5 192.0.2.1 7000 typ host tcptype so", "0")
    assert description.candidates(tcptype="so")[0].port == 7000
    description.add(str(theirs[1]), "0")
    assert len(description.candidates()) == 3, "it is there already"
