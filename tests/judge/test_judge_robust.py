"""Whatever octets a capture holds, the judge comes to its verdicts or says that it is no capture."""

from __future__ import annotations

import contextlib
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.judge import Known
from conformance.run.judging import judge_file
from conformance.wire.sdp import SessionDescription
from conformance.wire.tcp import ACK, FIN, RST, SYN
from pcaps.golden.build import FOLDER, GOLDEN
from pcaps.golden.scene import Scene
from pcaps.packets import ETHERNET, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW_IP, Segment, build, locate
from pcaps.pcapng import CaptureError, Writer, read_file

OFFER, ANSWER = (
    SessionDescription.parse((FOLDER / f"usual.{kind}.sdp").read_bytes().decode()) for kind in ("offer", "answer")
)
KNOWN = Known.of([("offer", OFFER), ("answer", ANSWER)])
FILES = sorted(path for path in FOLDER.glob("*.pcapng") if path.stat().st_size < 20000)
SCENE = Scene("robust")
MESSAGES = [
    SCENE.check(SCENE.left, SCENE.right),
    SCENE.check(SCENE.right, SCENE.left),
    SCENE.check(SCENE.left, SCENE.right, nominate=True),
    SCENE.success(SCENE.check(SCENE.left, SCENE.right), SCENE.right, SCENE.left.at(50000)),
    b"\x16\x03\x01\x00\x46\x01\x00\x00\x42\x03\x03" + bytes(60),
    b"\x80\x00\x00\x01" + bytes(20),
    b"",
]


def judged(path, known=KNOWN):
    with contextlib.suppress(CaptureError):
        return judge_file(path, known, show=3)
    return None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 20000), st.integers(0, 255)), min_size=1, max_size=30))
def test_mutated_captures(tmp_path_factory, path, changes) -> None:
    octets = bytearray(path.read_bytes())
    for place, value in changes:
        octets[place % len(octets)] = value
    broken = tmp_path_factory.getbasetemp() / "mutated"
    broken.write_bytes(octets)
    judged(broken)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x0a\x0d\x0d\x0a", b"\xd4\xc3\xb2\xa1", b"\x1f\x8b\x08\x00"]))
def test_any_octets_at_all(tmp_path_factory, octets, magic) -> None:
    path = tmp_path_factory.getbasetemp() / "octets"
    path.write_bytes(magic + octets)
    judged(path)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([ETHERNET, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW_IP, 7]), st.binary(max_size=120))
def test_any_packet(link, octets) -> None:
    locate(link, octets)


SEGMENTS = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(0, 300),
        st.sampled_from([ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST]),
        st.sampled_from(MESSAGES),
        st.sampled_from([True, True, False]),
        st.integers(-3, 3),
        st.integers(0, 400),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(SEGMENTS)
def test_any_segments(tmp_path_factory, segments) -> None:
    """Any order, overlap, gap and repetition of framed and bare messages, wrong LENGTHs and endings included."""
    client, server = SCENE.left.at(50000), SCENE.right.at(7000)
    file = io.BytesIO()
    writer = Writer(file, RAW_IP)
    for number, (forth, sequence, flags, message, framed, wrong, acknowledged) in enumerate(segments):
        payload = max(0, len(message) + wrong).to_bytes(2, "big") + message if framed else message
        ends = (client, server) if forth else (server, client)
        writer.packet(number * 1_000_000, build(Segment(*ends, sequence, acknowledged, flags, payload)))
    path = tmp_path_factory.getbasetemp() / "segments"
    path.write_bytes(file.getvalue())
    reading = judged(path)
    assert reading is not None
    assert reading.reading.packets == len(segments)
    assert not reading.cut


def test_every_cut_of_a_file_is_judged_up_to_there(tmp_path) -> None:
    whole = (FOLDER / "clean-controlling-offerer.pcapng").read_bytes()
    path = tmp_path / "cut"
    counts = []
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        reading = judged(path)
        counts.append(0 if reading is None else reading.reading.packets)
    assert counts == sorted(counts)
    assert counts[-1] == len(list(read_file(FOLDER / "clean-controlling-offerer.pcapng"))) - 1


def test_names_of_golden_captures_say_what_they_are() -> None:
    assert all(bool(golden.breaks) is golden.name.startswith("broken-") for golden in GOLDEN.values())
