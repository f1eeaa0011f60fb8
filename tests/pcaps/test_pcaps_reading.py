"""Captures from the reading: found again behind gaps, not misled by what is something else, bounded in memory."""

from __future__ import annotations

import gzip
import io
import struct
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conformance.wire.attributes import Attribute
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MessageClass, Method, build
from conformance.wire.tcp import ACK, SYN
from pcaps import reading as reading_module
from pcaps.connections import MOST_EVENTS
from pcaps.frames import FrameReader, begins_like_ice, without_nulls
from pcaps.golden import scene as s
from pcaps.golden.scene import Scene
from pcaps.ladder import render
from pcaps.packets import ETHERNET, LINUX_SLL, LOOP, RAW_IP, Segment, parse
from pcaps.packets import build as build_packet
from pcaps.pcapng import CaptureError, Packet, read, read_file
from pcaps.reading import Reading
from pcaps.reassembly import Reassembly

SCENE = Scene("reading")
CHECK = SCENE.check(SCENE.left, SCENE.right)
OTHER = SCENE.check(SCENE.right, SCENE.left)
LEFT, RIGHT = SCENE.left.at(50000), SCENE.right.at(7000)


def cuts(frames: FrameReader, octets: bytes, places: list[int]) -> list[tuple[bytes, bool]]:
    ends = [0, *sorted(place % (len(octets) + 1) for place in places), len(octets)]
    pieces = [octets[begin:end] for begin, end in pairwise(ends)]
    found = [cut for piece in pieces if piece for cut in frames.feed(piece)]
    return [(cut.payload, cut.framed) for cut in found for _ in range(cut.frames)]


# -- frames ------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([CHECK, OTHER, b"", s.RTP, s.DTLS_HELLO, bytes(700)]), max_size=8),
    st.lists(st.integers(0, 9999)),
)
def test_frames_do_not_depend_on_how_the_stream_was_cut(payloads, places) -> None:
    stream = b"".join(map(frame, payloads))
    assert cuts(FrameReader(synced=True), stream, places) == [(payload, True) for payload in payloads]


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from([CHECK, OTHER]), st.lists(st.integers(0, 9999)))
def test_frames_are_found_again_behind_anything(rubbish, message, places) -> None:
    assume(rubbish[-2:-1] not in map(bytes, [[n] for n in (0, *range(0x40, 0x80))]))  # what TURN puts before messages
    stream = rubbish + frame(message) + frame(s.RTP)
    assert cuts(FrameReader(synced=False), stream, places)[-2:] == [(message, True), (s.RTP, True)]


def test_messages_without_frames_are_told_from_frames() -> None:
    stream = CHECK + frame(s.RTP) + OTHER
    assert cuts(FrameReader(synced=True), stream, []) == [(CHECK, False), (s.RTP, True), (OTHER, False)]


def test_a_hole_inside_a_frame_costs_that_frame_only() -> None:
    frames = FrameReader(synced=True)
    octets = frame(s.RTP + bytes(100))
    assert frames.feed(octets[:30]) == []
    (broken,) = frames.hole(len(octets) - 30)
    assert (broken.payload, broken.whole) == (octets[2:30], False)
    assert [cut.payload for cut in frames.feed(frame(CHECK))] == [CHECK]


@pytest.mark.parametrize("missing", [1, 2, 500])
def test_a_hole_over_a_length_loses_the_frames_until_a_check_comes(missing) -> None:
    frames = FrameReader(synced=True)
    frames.feed(frame(s.RTP)[:1])
    assert frames.hole(missing) == []
    assert frames.feed(frame(s.RTP)) == []
    assert [cut.payload for cut in frames.feed(frame(CHECK))] == [CHECK]
    assert frames.rest == b""


def test_tls_and_rtp_without_frames() -> None:
    frames = FrameReader(synced=True)
    assert [cut.framed for cut in frames.feed(frame(CHECK) + s.TLS_HELLO)] == [True, False]
    frames = FrameReader(synced=True)
    packets = [b"\x80\x00" + struct.pack("!HI", number, 0) + b"ssrc" + bytes(80) for number in range(5)]
    assert [cut.framed for packet in packets for cut in frames.feed(packet)] == [False]


def test_a_huge_frame_of_rtp_like_pieces_is_a_frame() -> None:
    frames = FrameReader(synced=True)
    payload = (b"\x80\x00\x00\x07" + bytes(4) + b"ssrc" + bytes(988)) * 33
    stream = frame(payload)
    found = [cut for at in range(0, len(stream), 1000) for cut in frames.feed(stream[at : at + 1000])]
    assert [(cut.payload, cut.framed) for cut in found] == [(payload, True)]


def test_what_a_connection_begins_with() -> None:
    assert begins_like_ice(b"\0") is None
    assert begins_like_ice(without_nulls(bytes(9))) is None
    assert begins_like_ice(frame(CHECK)[:9]) is None
    assert begins_like_ice(without_nulls(bytes(4) + frame(CHECK))) is True
    assert begins_like_ice(b"\0\0\0\x85\xffSMB\x72\0\0") is False
    assert begins_like_ice(frame(CHECK)) is True
    assert begins_like_ice(CHECK) is True
    assert begins_like_ice(b"GET / HTTP/1.1") is False


# -- order -------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.permutations(range(12)), st.integers(0, 11), st.sampled_from([5, 2**32 - 30]))
def test_a_gap_that_is_given_up_is_counted_and_the_rest_has_its_own_times(order, lost, base) -> None:
    octets = bytes(range(120))
    direction = Reassembly(expected=base % 2**32)
    pieces = []
    for time, number in enumerate(order):
        if number != lost:
            pieces += direction.take((base + number * 10) % 2**32, octets[number * 10 : number * 10 + 10], 0, time)
    while direction.missing:
        pieces += direction.skip()
    expected = octets[: lost * 10] + octets[lost * 10 + 10 :]
    assert b"".join(piece for piece, _ in pieces if isinstance(piece, bytes)) == expected
    holes = [piece for piece, _ in pieces if isinstance(piece, int)]
    assert holes == ([10] if lost < 11 else [])
    assert direction.lost == sum(holes)
    assert direction.held == 0


# -- connections -------------------------------------------------------------------------------------------------------


def read_scene(write, **options) -> Reading:
    scene = Scene("reading")
    write(scene)
    reading = Reading(**options)
    reading.read(read(io.BytesIO(scene.octets)))
    reading.finish()
    return reading


def test_other_connections_are_passed_over_at_their_first_octets() -> None:
    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        for _ in range(50):
            link.send(link.client, b"something that is plainly no ICE")
        again = scene.connection(LEFT, RIGHT).open()
        scene.validate(again)

    reading = read_scene(write)
    assert [len(connection.frames) for connection in reading.ended] == [4]
    assert reading.segments == reading.packets > 100
    assert not reading.live


def test_a_known_candidate_is_read_whatever_is_said() -> None:
    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        link.send(link.client, frame(s.RTP))
        link.send(link.server, frame(s.RTP))

    assert read_scene(write).ended == []
    assert len(read_scene(write, interesting={RIGHT}.__contains__).ended) == 1


def test_first_octets_may_come_one_by_one() -> None:
    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        for octet in frame(CHECK):
            link.send(link.client, bytes([octet]))

    (connection,) = read_scene(write).ended
    assert [event.payload for event in connection.frames] == [CHECK]
    assert connection.frames[0].segments == len(frame(CHECK))


def test_a_frame_knows_where_its_segments_end() -> None:
    """The third segment ends the first frame, and begins the second."""
    octets = frame(CHECK)

    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        for part in (octets[:1], octets[1:14], octets[14:] + octets[:5], octets[5:], octets):
            link.send(link.client, part)

    (connection,) = read_scene(write).ended
    ends = [(event.segments, event.ends) for event in connection.frames]
    assert ends == [(3, (1, 14)), (2, (5,)), (1, ())]


def test_media_takes_one_event_however_much_there_is() -> None:
    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        scene.validate(link)
        for _ in range(100):
            link.send(link.client, frame(s.RTP + bytes(1000)))
            link.send(link.client, frame(s.DTLS_HELLO))
            link.send(link.server, frame(b""))

    (connection,) = read_scene(write).ended
    assert [(event.count, len(event.payload)) for event in connection.frames[4:]] == [(100, 64), (100, 54), (100, 0)]
    assert "100 frames like [RTP 80 00" in render([connection])


def test_too_many_checks_are_counted_and_not_kept() -> None:
    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        for _ in range(MOST_EVENTS):
            link.send(link.client, frame(CHECK))

    (connection,) = read_scene(write).ended
    assert len(connection.events) == MOST_EVENTS
    assert connection.clipped == 2
    assert not connection.complete_from(client=True)


def test_lost_octets_are_known_by_their_acknowledgement_alone() -> None:
    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        scene.validate(link)
        link.send(link.client, frame(CHECK), lost=True)

    (connection,) = read_scene(write).ended
    assert connection.lossy_from(client=True)
    assert not connection.lossy_from(client=False)


def test_a_long_gap_is_given_up_before_the_end() -> None:
    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, RIGHT).open()
        link.send(link.client, frame(CHECK))
        link.send(link.client, frame(s.RTP), lost=True)
        for _ in range(20):
            link.send(link.client, frame(OTHER))
        link.end(link.client)

    (connection,) = read_scene(write).ended
    assert [event.payload for event in connection.frames] == [CHECK] + [OTHER] * 20
    assert [event.time_ns for event in connection.events] == sorted(event.time_ns for event in connection.events)
    assert f"({len(frame(s.RTP))} octets are not in the capture)" in render([connection])


def test_attempts_and_strangers_are_remembered() -> None:
    def write(scene: Scene) -> None:
        scene.connection(LEFT, RIGHT).open(answered=False, repeated=2)
        scene.connection(scene.left.at(50001), RIGHT).open(refused=True)
        scene.packet(Segment(scene.left.at(50002), RIGHT, 9, 9, ACK, b"in the middle"))

    reading = read_scene(write)
    silent, refused = reading.attempts
    assert (silent.answered_ns, silent.last_ns - silent.first_ns) == (None, 3_002_000_000)
    assert refused.answered_ns == refused.first_ns + 1_000_000
    assert reading.strangers == {(SCENE.left.at(50002), RIGHT)}


def test_a_new_attempt_from_the_same_port_is_another_connection() -> None:
    reading = Reading()
    for time, sequence in enumerate((100, 100, 900)):
        packet = build_packet(Segment(LEFT, RIGHT, sequence, 0, SYN, b""))
        reading.take(Packet(time, packet, RAW_IP))
    reading.finish()
    assert [(attempt.first_ns, attempt.last_ns) for attempt in reading.attempts] == [(0, 1), (2, 2)]


def test_connections_beyond_the_bound_are_given_up(monkeypatch) -> None:
    monkeypatch.setattr(reading_module, "_MOST_LIVE", 10)
    monkeypatch.setattr(reading_module, "_MOST_PASSED", 5)

    def write(scene: Scene) -> None:
        for port in range(30):
            scene.connection(scene.left.at(port + 1), RIGHT).open().send(scene.left.at(port + 1), frame(CHECK))
        for port in range(30):
            scene.connection(scene.left.at(port + 100), RIGHT).open().send(scene.left.at(port + 100), b"no ICE at all")

    reading = Reading()
    scene = Scene("reading")
    write(scene)
    reading.read(read(io.BytesIO(scene.octets)))
    assert len(reading.live) <= 10
    assert len(reading.ended) >= 20
    reading.relieve(0)
    assert not reading.live
    assert len(reading.ended) == 30
    reading.let_go()
    assert reading.weight == 0


def test_quiet_connections_that_are_over_are_let_go(monkeypatch) -> None:
    monkeypatch.setattr(reading_module, "_SWEEP", 8)
    reading = Reading()
    scene = Scene("reading")
    link = scene.connection(LEFT, RIGHT).open()
    scene.validate(link)
    link.end(link.client)
    scene.wait(200 * s.SECOND)
    other = scene.connection(scene.left.at(1), RIGHT).open()
    scene.validate(other)
    reading.read(read(io.BytesIO(scene.octets)))
    assert [connection.client for connection in reading.ended] == [LEFT]


# -- files and packets -------------------------------------------------------------------------------------------------


def block(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def test_simple_and_obsolete_blocks_and_an_offset_of_time() -> None:
    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    options = struct.pack("<HHqHH", 14, 8, 100, 0, 0)
    interface = block(1, struct.pack("<HHI", RAW_IP, 0, 3) + options)
    simple = block(3, struct.pack("<I", 6) + b"abc\0")
    obsolete = block(2, struct.pack("<HHIIII", 0, 0, 0, 5_000_000, 2, 2) + b"de\0\0")
    assert list(read(io.BytesIO(section + interface + simple + obsolete))) == [
        Packet(100_000_000_000, b"abc", RAW_IP),
        Packet(105_000_000_000, b"de", RAW_IP),
    ]
    with pytest.raises(CaptureError, match="does not fit"):
        list(read(io.BytesIO(section + simple)))


def test_gzip(tmp_path) -> None:
    path = tmp_path / "capture.gz"
    SCENE.packet(Segment(LEFT, RIGHT, 1, 0, SYN, b""))
    octets = gzip.compress(SCENE.octets)
    path.write_bytes(octets)
    assert len(list(read_file(path))) == 1
    path.write_bytes(octets[:-12])
    with pytest.raises(CaptureError, match="the gzipped file is cut off or broken"):
        list(read_file(path))


def test_more_link_layers() -> None:
    segment = Segment(LEFT, RIGHT, 1, 2, ACK, b"x")
    packet = build_packet(segment)
    assert parse(LOOP, b"\0\0\0\2" + packet) == segment
    assert parse(228, packet) == segment
    assert parse(12, packet) == segment
    assert parse(LINUX_SLL, bytes(14) + b"\x81\x00\x00\x05\x08\x00" + packet) == segment
    assert parse(ETHERNET, bytes(12) + b"\x91\x00\x00\x05\x81\x00\x00\x06\x08\x00" + packet) == segment


def test_what_was_cut_off_is_counted() -> None:
    packet = build_packet(Segment(LEFT, RIGHT, 1, 2, ACK, b"payload"))
    for kept in range(8):
        segment = parse(RAW_IP, packet[: len(packet) - kept])
        assert segment is not None
        assert (segment.lacking, segment.truncated) == (kept, kept > 0)


def test_a_turn_data_connection_has_its_frames_behind_the_words_with_the_server() -> None:
    request = build(
        Method.CONNECTION_BIND,
        MessageClass.REQUEST,
        b"1" * 12,
        [s.attr.RawAttribute(Attribute.CONNECTION_ID, b"conn")],
        fingerprint=False,
    )
    response = build(Method.CONNECTION_BIND, MessageClass.SUCCESS, b"1" * 12, fingerprint=False)

    def write(scene: Scene) -> None:
        link = scene.connection(LEFT, scene.right.at(3478)).open()
        link.send(link.client, request)
        link.send(link.server, response)
        scene.validate(link)

    (connection,) = read_scene(write).ended
    assert [event.what for event in connection.events if event.payload] == ["unframed"] * 2 + ["frame"] * 4
