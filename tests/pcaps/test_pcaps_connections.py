"""Reassembly does not depend on how segments came; the witnesses agree, and a planted disagreement is found."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.wire import layers
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from conformance.wire.tcp import ACK, FIN, RST, SYN
from pcaps.capture import RunCapture, SyntheticCapture
from pcaps.growth import Growth
from pcaps.ladder import render
from pcaps.packets import ETHERNET, RAW_IP, Segment, build
from pcaps.pcapng import Packet
from pcaps.reading import read_capture, read_packets
from pcaps.tshark import Captures, TsharkFailed, TsharkMissing, View, ask_tshark, compare, own_view, tshark_view

US, THEM = Address("127.16.0.1", 40000), Address("127.0.0.1", 9999)
START = 1_700_000_000_000_000_000


def request(number: int) -> bytes:
    packet = layers.binding_request(
        username="a:b", password="p" * 22, priority=1862270975, controlling=1, transaction_id=bytes([number]) * 12
    )
    return bytes(layers.RFC4571() / packet)


def packets(segments: list[tuple[int, bytes]], base: int = 1000) -> list[Packet]:
    opening = Segment(US, THEM, (base - 1) % 2**32, 0, SYN, b"")
    data = [Segment(US, THEM, (base + offset) % 2**32, 0, ACK, octets) for offset, octets in segments]
    return [Packet(START + i * 1000, build(s), RAW_IP) for i, s in enumerate([opening, *data])]


STREAM = request(1) + frame(b"") + request(2) + frame(b"\x80data" * 9)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(STREAM)), st.integers(1, 60)), max_size=20),
    st.randoms(),
    st.sampled_from([1000, 2**32 - 50, 0]),
)
def test_frames_do_not_depend_on_order_overlap_and_repetition(extra, random, base) -> None:
    pieces = [(at, STREAM[at : at + 25]) for at in range(0, len(STREAM), 25)]
    pieces += [(at, STREAM[at : at + size]) for at, size in extra if STREAM[at : at + size]]
    random.shuffle(pieces)
    (connection,) = read_packets(packets(pieces, base)).connections
    assert b"".join(frame(event.payload) for event in connection.frames) == STREAM
    assert not connection.lossy
    assert [e.message.transaction_id[:1] for e in connection.frames if e.message] == [b"\1", b"\2"]


def test_a_gap_makes_a_connection_lossy() -> None:
    (connection,) = read_packets(packets([(0, STREAM[:10]), (20, STREAM[20:])])).connections
    assert connection.lossy
    assert [event.what for event in connection.events[:2]] == ["syn", "gap"]
    assert [event.message.transaction_id[:1] for event in connection.frames if event.message] == [b"\2"]
    assert not any(event.certain for event in connection.frames)
    assert own_view([connection]) == View(unsure={(US, THEM)})


def test_handshake_ends_and_a_port_pair_used_again() -> None:
    def packet(number, source, destination, flags, sequence=0):
        return Packet(START + number, build(Segment(source, destination, sequence, 0, flags, b"")), RAW_IP)

    found = read_packets(
        [
            packet(0, US, THEM, SYN), packet(1, THEM, US, SYN | ACK), packet(2, THEM, US, FIN | ACK), packet(3, THEM, US, FIN | ACK),
            packet(4, US, THEM, RST), packet(5, US, THEM, SYN, 9), packet(6, US, THEM, SYN, 9),
            Packet(START, b"no packet", RAW_IP),
        ]
    ).connections  # fmt: skip
    assert [[event.what for event in c.events] for c in found] == [["syn", "syn-ack", "fin", "rst"], ["syn", "syn"]]


def test_a_connection_without_its_beginning() -> None:
    (connection,) = read_packets([Packet(START, build(Segment(US, THEM, 5, 0, ACK, request(1))), RAW_IP)]).connections
    assert not connection.began
    assert len(connection.frames) == 1


@pytest.fixture
def synthetic(tmp_path):
    path = tmp_path / "case.pcapng"
    capture = SyntheticCapture(path, "RFC6544-7.2/a_case")
    key = (US, THEM)
    capture.opened(US, THEM, True, START)
    capture.sent(key, STREAM[:1], START + 1_000_000)
    capture.sent(key, STREAM[1:], START + 2_000_000)
    capture.received(key, bytes(layers.RFC4571() / layers.binding_success(b"\1" * 12, US, "p" * 22)), START + 3_000_000)
    capture.received(
        key, bytes(layers.RFC4571() / layers.binding_error(b"\2" * 12, 401, "no", None)), START + 4_000_000
    )
    capture.sent(key, frame(bytes(65535)), START + 5_000_000)
    capture.closed(key, True, False, START + 6_000_000)
    capture.closed(key, False, True, START + 7_000_000)
    capture.close()
    return path


def test_a_ladder_shows_the_exchange(synthetic) -> None:
    lines = render(read_capture(synthetic).connections, {"127.16.0.1": "tester", "127.0.0.1": "IUT"}).splitlines()
    assert lines[0] == "tester 127.16.0.1:40000 -> IUT 127.0.0.1:9999"
    assert "[80, in 2 segments] Binding request 01010101  USERNAME=a:b" in lines[3]
    assert "(type 110, direction 7, other 8191, component 1)" in lines[3]
    assert lines[4].endswith("null frame")
    assert "same segment" in lines[5]
    assert "XOR-MAPPED-ADDRESS=127.16.0.1:40000  (IF)" in lines[7]
    assert "ERROR-CODE=401 no  (F)" in lines[8]
    assert lines[-2:] == ["     6.000 ms  <--  FIN", "     7.000 ms  -->  RST"]
    assert render([]) == "no connection"


def test_a_ladder_shows_what_is_broken(tmp_path) -> None:
    bad = [
        layers.STUN(
            transaction_id=b"\1" * 12, attributes=[layers.ErrorCode(value=b"x"), layers.RawStunAttribute(type=0x7FFF)]
        ),
        layers.STUN(length=4, transaction_id=b"\2" * 12, attributes=[layers.RawStunAttribute(type=6, length=9)]),
    ]
    path = tmp_path / "bad.pcapng"
    capture = SyntheticCapture(path, "bad")
    capture.opened(US, THEM, False, START)
    for packet in bad:
        capture.sent((US, THEM), bytes(layers.RFC4571() / packet), START)
    capture.close()
    text = render(read_capture(path).connections)
    assert "ERROR-CODE: ERROR-CODE is shorter than 4 octets" in text
    assert "0x7FFF" in text
    assert "broken STUN: USERNAME of 9 octets runs past" in text
    assert "(bare)" in text
    assert own_view(read_capture(path).connections).doubtful == {"02" * 12}


def test_the_witnesses_agree(synthetic) -> None:
    own = own_view(read_capture(synthetic).connections)
    assert [len(messages) for messages in own.messages.values()] == [2, 2]
    assert compare(own, tshark_view([synthetic])) == []


@pytest.mark.parametrize("count", [3, 60, 300])
def test_the_witnesses_agree_about_many_messages_in_one_segment(count, tmp_path) -> None:
    """300 of them are more than a summary of tshark's has room for."""
    messages = b"".join(
        bytes(layers.RFC4571() / layers.STUN(transaction_id=bytes.fromhex(f"{number:024}"), attributes=[]))
        for number in range(count)
    )
    capture = SyntheticCapture(tmp_path / "many", "case")
    capture.opened(US, THEM, False, START)
    capture.sent((US, THEM), messages, START + 1)
    capture.close()
    own, seen = own_view(read_capture(tmp_path / "many").connections), tshark_view([tmp_path / "many"])
    assert len(seen.messages[US, THEM]) == count
    assert compare(own, seen) == []


def test_a_summary_without_room_is_read_again_when_the_file_is_whole(tmp_path) -> None:
    messages = b"".join(
        bytes(layers.RFC4571() / layers.STUN(transaction_id=bytes.fromhex(f"{number:024}"), attributes=[]))
        for number in range(300)
    )
    capture = SyntheticCapture(tmp_path / "many", "case")
    capture.opened(US, THEM, False, START)
    capture.sent((US, THEM), messages, START + 1)
    capture.close()

    class Awaited(Growth):
        def wait(self) -> None:
            self.end()
            super().wait()

    together, growth = Captures(tmp_path / "together"), Awaited()
    together.add("first", (tmp_path / "many").read_bytes())
    growth.reached(together.size)
    assert len(ask_tshark(tmp_path / "together", growth).messages[US, THEM]) == 300


def test_a_file_that_grows_and_cannot_be_read_is_not_taken_for_a_short_one(tmp_path) -> None:
    growth = Growth()
    growth.reached(1000)
    growth.end()
    with pytest.raises(TsharkFailed, match="could not"):
        ask_tshark(tmp_path / "gone", growth)


def test_a_planted_disagreement_is_found(synthetic) -> None:
    own, seen = own_view(read_capture(synthetic).connections), tshark_view([synthetic])
    seen.messages[US, THEM] = seen.messages[US, THEM][:1]
    (difference,) = compare(own, seen)
    assert difference.route == (US, THEM)
    assert difference.own == "2 messages, of them alone 0x0001 02020202"
    assert difference.tshark == "1 messages"
    assert len(compare(own, View())) == 2


def test_answers_to_doubtful_frames_are_left_out_of_both_views(synthetic) -> None:
    own, seen = own_view(read_capture(synthetic).connections), tshark_view([synthetic])
    asked = own.messages[US, THEM].pop(0)  # as if our own decoder had not taken it for STUN
    own.doubtful.add(asked[1])
    assert compare(own, seen) == []


def test_tshark_that_fails_or_is_missing(tmp_path, monkeypatch) -> None:
    broken = tmp_path / "broken.pcapng"
    broken.write_bytes(b"nonsense")
    with pytest.raises(TsharkFailed):
        tshark_view([broken])
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(TsharkMissing, match="apt-get install tshark"):
        tshark_view([])


def test_a_run_is_split_by_tester_address(tmp_path) -> None:
    def packet(source: Address, destination: Address) -> bytes:
        return bytes(12) + b"\x08\x00" + build(Segment(source, destination, 0, 0, SYN, b""))

    other = Address("127.16.0.2", 40000)
    run = RunCapture()
    run.begin(US.ip)
    run.begin(other.ip)
    for number, octets in enumerate(
        [packet(US, THEM), packet(THEM, other), packet(THEM, THEM), packet(THEM, US), b"short"]
    ):
        run.packet(START - number, octets)
    run.packet(START, packet(THEM, Address("10.0.0.1", 1)))
    for address in (US.ip, other.ip):
        run.write(address, tmp_path / address, "case")
    assert [e.what for c in read_capture(tmp_path / US.ip).connections for e in c.events] == ["syn", "syn"]
    (mine,) = read_capture(tmp_path / other.ip).connections
    assert mine.server == other
    assert run.unclaimed == 1


def test_link_type_of_a_run(tmp_path) -> None:
    run = RunCapture()
    run.begin("127.16.0.9")
    run.write("127.16.0.9", tmp_path / "x", "case")
    assert read_capture(tmp_path / "x").connections == []
    assert ETHERNET == 1


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_a_connection_that_is_opened_again_between_the_same_ends_is_another(tmp_path) -> None:
    capture = SyntheticCapture(tmp_path / "again", "case")
    for number in range(3):
        capture.opened(US, THEM, False, START + number * 10)
        capture.received((US, THEM), request(number), START + number * 10 + 1)
        capture.closed((US, THEM), False, number == 1, START + number * 10 + 2)
    capture.close()
    connections = read_capture(tmp_path / "again").connections
    assert [len(connection.frames) for connection in connections] == [1, 1, 1]
    assert compare(own_view(connections), tshark_view([tmp_path / "again"])) == []
