"""Descriptions and candidates: lossless, and refused with line, column and clause."""

from __future__ import annotations

import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.wire import candidate as one_candidate
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate, priority, tcp_local_preference
from conformance.wire.errors import SdpError, WireError
from conformance.wire.sdp import SessionDescription

OFFER = "\r\n".join(
    [
        "v=0", "o=jdoe 2890844526 2890842807 IN IP4 10.0.1.1", "s=", "c=IN IP4 192.0.2.3", "t=0 0",
        "a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=ice-ufrag:8hhY", "a=ice-options:trickle", "x=unknown",
        "m=audio 45664/2 TCP/RTP/AVP 0 8", "b=RS:0", "b=RR:0", "a=setup:active", "a=connection:new", "a=mid:0",
        "a=rtcp:45665", "a=ice-options:renomination", "a=end-of-candidates",
        "a=candidate:1 1 TCP 2128609279 10.0.1.1 9 typ host tcptype active",
        "a=candidate:4 1 TCP 1688207359 192.0.2.3 9 typ srflx raddr 10.0.1.1 rport 9 tcptype active",
        "m=message 9 TCP *", "c=IN IP6 ::1", "a=ice-ufrag:other", "a=ice-pwd:another0123456789012345", "",
    ]
)  # fmt: skip


def test_a_description_is_kept_and_understood() -> None:
    description = SessionDescription.parse(OFFER)
    assert str(description) == OFFER
    first, second = description.media
    assert (first.kind, first.port, first.ports, first.proto, first.formats) == (
        "audio",
        45664,
        2,
        "TCP/RTP/AVP",
        ["0", "8"],
    )
    assert (first.ufrag, first.pwd) == ("8hhY", "asd88fgpdd777uzjYhagZg")
    assert (second.ufrag, second.pwd) == ("other", "another0123456789012345")
    assert (first.setup, first.connection, first.mid, first.rtcp) == ("active", "new", "0", "45665")
    assert second.setup is None
    assert first.ice_options == ("trickle", "renomination")
    assert description.ice_options == ("trickle",)
    assert first.bandwidth == ["RS:0", "RR:0"]
    assert first.end_of_candidates
    assert not second.end_of_candidates
    assert (first.connection_address, second.connection_address) == ("192.0.2.3", "::1")
    assert [c.type for c in first.candidates] == ["host", "srflx"]
    assert not description.ice_lite


def test_attributes_are_names_with_values_or_flags() -> None:
    description = SessionDescription.parse(OFFER)
    names = [line.attribute for line in description.lines]
    assert names == [None] * 5 + [
        ("ice-pwd", "asd88fgpdd777uzjYhagZg"),
        ("ice-ufrag", "8hhY"),
        ("ice-options", "trickle"),
        None,
    ]
    media = description.media[0]
    assert [media.attributes(name) for name in ("candidate", "end-of-candidates", "end")] == [
        [str(candidate).removeprefix("candidate:") for candidate in media.candidates], [None], [],
    ]  # fmt: skip


def test_a_description_comes_through_a_pipe_as_it_was() -> None:
    description = SessionDescription.parse(OFFER)
    again = pickle.loads(pickle.dumps(description))
    assert again == description
    assert (str(again), again.media[1].session is again) == (OFFER, True)


def test_line_ends_are_kept() -> None:
    text = "v=0\ns=-\r\na=ice-lite"
    description = SessionDescription.parse(text)
    assert str(description) == text
    assert description.ice_lite
    assert description.attribute("ice-lite") is None
    assert SessionDescription.parse("v=0\nm=audio 9 TCP *\n").media[0].connection_address is None


def test_what_is_built_parses_to_what_was_asked() -> None:
    candidate = Candidate("1", 1, "TCP", 2128609279, "::1", 9, "host", tcptype="active")
    built = SessionDescription.build(
        kind="audio", proto="TCP/RTP/AVP", formats=["0"], address="::1", port=9, ufrag="abcd", pwd="p" * 22,
        candidates=[candidate], setup="active", connection="new", mid="a", ice_lite=True, ice_options="x y",
        bandwidth=["RS:0"], session_attributes=["group:BUNDLE a"], attributes=["rtcp-mux"],
    )  # fmt: skip
    media = built.media[0]
    assert media.candidates == [candidate]
    assert (media.ufrag, media.pwd, media.setup, media.connection, media.mid) == (
        "abcd",
        "p" * 22,
        "active",
        "new",
        "a",
    )
    assert media.has("rtcp-mux")
    assert built.ice_lite
    assert media.ice_options == ("x", "y")
    assert SessionDescription.parse(str(built)) == built


HEAD = "v=0\r\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("", 1, 1, "begins with v=0"),
        ("s=-\r\n", 1, 1, "begins with v=0"),
        ("v=1\r\n", 1, 3, "version '1'"),
        (HEAD + "nonsense\r\n", 2, 1, "no line of the form"),
        (HEAD + "\r\n", 2, 1, "no line of the form"),
        (HEAD + "a=a\rb\r\n", 2, 4, "CR or NUL"),
        (HEAD + "m=audio x TCP *\r\n", 2, 3, "not m="),
        (HEAD + "m=audio 65536 TCP *\r\n", 2, 3, "not m="),
        (HEAD + "m=audio 9 TCP\r\n", 2, 3, "not m="),
        (HEAD + "a=ice-ufrag:abc\r\n", 2, 13, "a=ice-ufrag is not 4 to 256"),
        (HEAD + "m=audio 9 TCP *\r\na=ice-pwd:short\r\n", 3, 11, "a=ice-pwd is not 22 to 256"),
        (HEAD + "m=audio 9 TCP *\r\na=ice-pwd\r\n", 3, 11, "a=ice-pwd is not 22 to 256"),
        (HEAD + "m=audio 9 TCP *\r\na=candidate:1 1 TCP 1 1.2.3.4 9 type host\r\n", 3, 33, "'type' where 'typ'"),
    ],
)
def test_what_is_wrong_is_found_in_its_place(text, line, column, what) -> None:
    with pytest.raises(SdpError, match=what) as caught:
        SessionDescription.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.clause
    assert isinstance(caught.value, WireError)


LINE = "candidate:1 1 TCP 2128609279 10.0.1.1 9 typ host"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("candidate:", "foundation"), ("candidate", "where candidate"), ("cand:1", "where candidate"), ("", "ends where its cand"),
        ("candidate:a_b 1", "foundation"), (f"candidate:{'a' * 33} 1", "foundation"),
        ("candidate:1 0 TCP", "component-id '0'"), ("candidate:1 257 TCP", "component-id"), ("candidate:1 x TCP", "component-id"),
        ("candidate:1 1 T(P 1", "no transport"), ("candidate:1 1 TCP 0 x", "priority '0'"), ("candidate:1 1 TCP 2147483648 x", "priority"),
        ("candidate:1 1 TCP 1 10.0.0.256: 9", "neither an IP"), ("candidate:1 1 TCP 1 -x- 9", "neither an IP"),
        ("candidate:1 1 TCP 1 h 65536", "port '65536'"), ("candidate:1 1 TCP 1 h 9 typ", "ends where its candidate type"),
        (f"{LINE} raddr 1.2.3.4 rport x", "rel-port"), (f"{LINE} raddr", "ends where its rel-addr"),
        (f"{LINE} tcptype", "has no value"), (f"{LINE} odd", "no value"),
    ],
)  # fmt: skip
def test_a_candidate_that_is_none(text, what) -> None:
    with pytest.raises(SdpError, match=what):
        Candidate.parse(text)


def test_candidates_read_at_once_are_those_read_word_by_word() -> None:
    """Usual candidates with something put in: whatever is read at once is what the reader of words makes of it."""
    rng = random.Random(0)
    usual = [
        "candidate:1 1 TCP 2105458943 192.0.2.1 9 typ host tcptype active",
        "candidate:ab 2 udp 1 ::1 65535 typ srflx raddr 10.0.0.1 rport 77 generation 0 network-id 1",
        "candidate:1 1 TCP 5 192.0.2.1 9 typ srflx raddr 1.2.3.4 rport 5 tcptype so x y",
        "candidate:1 1 UDP 1 name.local 9 typ host raddr x rport 0",
    ]
    put_in = [*" a019:.%", "  ", "TCPTYPE", "tcptype a ", "raddr ", " rport 1", "256", "257", "65536", "1.2.3.4", "\n"]
    at_once = 0
    for _ in range(4000):
        text = rng.choice(usual)
        for _ in range(rng.randrange(3)):
            begin = rng.randrange(len(text) + 1)
            text = text[:begin] + rng.choice(put_in) + text[begin + rng.choice((0, 0, 1, 3)) :]
        if (found := one_candidate._usual(text)) is not None:
            at_once += 1
            assert found == one_candidate._Parser(text, 1, 1).candidate(), text
    assert at_once > 1000


def test_tcptype_and_its_place() -> None:
    first = Candidate.parse(f"a={LINE} tcptype Passive generation 0")
    assert first.tcptype == "Passive"
    assert first.tcptype_in_place
    late = Candidate.parse(f"{LINE} generation 0 tcptype passive network 1 tcptype so")
    assert not late.tcptype_in_place
    assert late.extensions == (("generation", "0"), ("network", "1"), ("tcptype", "so"))
    assert str(late) == f"{LINE} generation 0 tcptype passive network 1 tcptype so"
    assert not Candidate.parse(LINE).tcptype_in_place
    assert Candidate.parse(f"{LINE} tcptype sideways").tcptype == "sideways"


def test_parts_of_a_candidate() -> None:
    candidate = Candidate.parse(
        "candidate:x 2 tcp 1684013055 host.example. 45664 typ srflx raddr 10.0.1.1 rport 8998 tcptype so"
    )
    assert candidate.is_tcp
    assert (candidate.related_address, candidate.related_port) == ("10.0.1.1", 8998)
    assert candidate.endpoint == Address("host.example.", 45664)
    assert not Candidate.parse("candidate:1 1 UDP 1 ::1 9 typ host").is_tcp


def test_priorities_by_the_formula() -> None:
    value = priority(126, tcp_local_preference(6, 8191), 1)
    assert value == 2128609279
    candidate = Candidate("1", 1, "TCP", value, "h", 9, "host")
    assert (candidate.type_preference, candidate.direction_preference, candidate.other_preference) == (126, 6, 8191)
    assert candidate.local_preference == 57343


tokens = st.text("abcXYZ019-+", min_size=1, max_size=8)
candidates = st.builds(
    Candidate,
    foundation=st.text("abc019+/", min_size=1, max_size=32),
    component=st.integers(1, 256),
    transport=st.sampled_from(["TCP", "tcp", "UDP"]),
    priority=st.integers(1, 2**31 - 1),
    address=st.ip_addresses().map(str),
    port=st.integers(0, 65535),
    type=tokens,
    related_address=st.none() | st.ip_addresses().map(str),
    related_port=st.none() | st.integers(0, 65535),
    tcptype=st.none() | st.sampled_from(["active", "passive", "so"]),
    extensions=st.lists(st.tuples(tokens.map(lambda t: f"x{t}"), tokens), max_size=3).map(tuple),
)


@settings(deadline=None)
@given(candidates)
def test_a_candidate_survives_its_text(candidate) -> None:
    assert Candidate.parse(str(candidate)) == candidate


@settings(deadline=None)
@given(
    st.text(max_size=80),
    st.sampled_from(["", "candidate:1 1 TCP ", LINE + " ", "v=0\r\nm=audio 9 TCP *\r\na=candidate:"]),
)
def test_any_text_parses_or_is_refused(text, start) -> None:
    for parse in (Candidate.parse, SessionDescription.parse):
        try:
            parsed = parse(start + text)
        except SdpError as error:
            assert error.line >= 1
            assert error.column >= 1
        else:
            if isinstance(parsed, SessionDescription):
                assert str(parsed) == start + text


CALL = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 TCP/RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"
    "a=candidate:1 1 TCP 2128609279 192.0.2.1 9 typ host tcptype active\r\n"
)


def test_octets_are_utf_8_or_what_their_charset_says() -> None:
    spoken = CALL.replace("s=-", "s=t\u00e9l\u00e9phone")
    assert str(SessionDescription.parse(spoken.encode())) == spoken
    latin = spoken.replace("t=0 0", "a=charset:ISO-8859-1\r\nt=0 0")
    assert str(SessionDescription.parse(latin.encode("latin-1"))) == latin
    russian = latin.replace("8859-1", "8859-5").replace("\u00e9", "\u0436")
    assert str(SessionDescription.parse(russian.encode("iso-8859-5"))) == russian
    for octets in (spoken.encode("latin-1"), latin.replace("ISO-8859-1", "UTF-16").encode("latin-1")):
        with pytest.raises(SdpError, match="octet 0xe9") as caught:
            SessionDescription.parse(octets)
        assert (caught.value.line, caught.value.column) == (3, 4)


@pytest.mark.parametrize(
    ("line", "disabled"),
    [("m=audio 9 ", False), ("m=audio 0 ", True), ("m=audio 0 TCP/RTP/AVP 0\r\na=bundle-only\r\nm=video 9 ", False)],
)
def test_a_section_with_port_0_is_disabled(line: str, disabled: bool) -> None:
    assert SessionDescription.parse(CALL.replace("m=audio 9 ", line)).media[0].disabled is disabled


def test_candidates_at_the_session_level_are_known_as_such() -> None:
    stray = "candidate:9 1 TCP 1 192.0.2.5 9 typ host tcptype active"
    description = SessionDescription.parse(CALL.replace("m=", f"a={stray}\r\nm="))
    assert description.misplaced_candidates == (stray,)
    assert SessionDescription.parse(CALL).misplaced_candidates == ()


@pytest.mark.parametrize(
    "wrong", ["a=a=candidate:", "a= candidate:", "a=candidate :", "a=\tCandidate:", "a=candidate: candidate:"]
)
def test_a_line_that_only_looks_like_a_candidate_is_refused(wrong: str) -> None:
    with pytest.raises(SdpError) as caught:
        SessionDescription.parse(CALL.replace("a=candidate:", wrong))
    assert caught.value.line == 7


@pytest.mark.parametrize("other", ["a=candidate-x:1", "a=x-candidate:1", "a=candidates:1", "a=end-of-candidates"])
def test_an_attribute_of_another_name_is_none(other: str) -> None:
    assert len(SessionDescription.parse(CALL + other + "\r\n").media[0].candidates) == 1


@pytest.mark.parametrize(
    ("one", "other", "column"),
    [
        ("192.0.2.1 9 typ", "fe80::1%eth0 9 typ", 32),
        ("c=IN IP4 192.0.2.1", "c=IN IP6 fe80::1%2", 17),
        ("typ host", "typ srflx raddr fe80::1%1 rport 9", None),
    ],
)
def test_an_address_with_a_zone_is_refused(one: str, other: str, column: int | None) -> None:
    with pytest.raises(SdpError, match="zone") as caught:
        SessionDescription.parse(CALL.replace(one, other))
    assert column is None or caught.value.column == column


def test_a_line_with_a_password_is_not_shown() -> None:
    with pytest.raises(SdpError, match="a line with a password is no line") as caught:
        SessionDescription.parse(CALL + " a=ice-pwd:secretsecretsecretsecret\r\n")
    assert "secret" not in str(caught.value)
