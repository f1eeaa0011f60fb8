"""Order and pace are judged by when packets passed, whatever the tester was doing meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.peer.events import Frame
from conformance.peer.recorded import Packet, opened_at, sent_at
from conformance.suites import order, pace
from conformance.verdict import Inconclusive, JudgedElsewhere, NotApplicable
from conformance.wire import tcp, udp
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate

OURS, THEIRS = "127.16.0.9", "127.0.0.1"
MILLISECOND = 0.001
BURST = 0.1 * MILLISECOND


def syn(time: float, port: int, source: int = 0) -> Packet:
    ends = Address(THEIRS, source or 40000 + port), Address(OURS, port)
    return Packet(time, tcp.build(tcp.Segment(*ends, flags=tcp.SYN)))


def sent(time: float, port: int, octets: bytes) -> Packet:
    ends = Address(THEIRS, 40000 + port), Address(OURS, port)
    return Packet(time, tcp.build(tcp.Segment(*ends, flags=tcp.PSH | tcp.ACK, data=octets)))


def datagram(time: float, port: int) -> Packet:
    return Packet(time, udp.build(udp.Datagram(Address(THEIRS, 50000), Address(OURS, port), b"check")))


class Fake:
    """A peer to whose ports 1, 2, ... the IUT connects; what it sees by itself comes in `looks`, by port."""

    def __init__(self, packets: list[Packet], looks: dict[int, int], described_at: float = 0.0) -> None:
        self.address, self.met_at, self.described_at = OURS, -1.0, described_at
        self.recorded = lambda: packets
        self.pixit = SimpleNamespace(connect=5.0)
        self.connections = [
            SimpleNamespace(
                local_address=Address(OURS, port),
                remote_address=Address(THEIRS, 40000 + port),
                look=look,
                opened_at=20 * MILLISECOND * look,
                events=[],
            )
            for port, look in looks.items()
        ]

    def wait_until(self, reached, within: float) -> bool:
        return bool(reached())

    def checks(self) -> list[Frame]:
        return [event for connection in self.connections for event in connection.events]


PLACES = [(1, THEIRS), (2, THEIRS), (3, THEIRS)]


def overtaken(tester: Fake, **arguments: object) -> list[str]:
    return order.overtaken(tester, PLACES, within=1.0, **arguments)


def test_a_burst_that_a_busy_tester_sees_spread_shows_no_order() -> None:
    tester = Fake([syn(BURST * n, port) for n, port in enumerate((3, 2, 1))], {3: 1, 2: 2, 1: 3})
    with pytest.raises(JudgedElsewhere, match="all 3 candidates at once"):
        overtaken(tester)
    tester.recorded = list
    assert len(overtaken(tester)) == 2, "without a recording the tester's looks are all that there is"


def test_a_burst_in_which_the_iut_was_held_up_shows_no_order() -> None:
    """libwebrtc: SYNs as it reads the candidates, within 9 ms, and the rest when it went on 23 ms later."""
    packets = [syn(time * MILLISECOND, port) for time, port in ((0.0, 3), (0.8, 2), (3.4, 4), (32.8, 1))]
    with pytest.raises(JudgedElsewhere, match="at once"):
        overtaken(Fake(packets, dict.fromkeys((1, 2, 3, 4), 1)), last=(4, THEIRS))


def test_an_order_that_a_busy_tester_sees_in_one_look_is_told_by_packets() -> None:
    packets = [syn(50 * MILLISECOND * n, port) for n, port in enumerate((1, 3, 2))]
    assert overtaken(Fake(packets, dict.fromkeys((1, 2, 3), 1))) == [
        f"port 3 from {THEIRS} before port 2 from {THEIRS}"
    ]


def test_a_tester_that_sees_another_order_fails_nobody() -> None:
    packets = [syn(50 * MILLISECOND * n, port) for n, port in enumerate((1, 2, 3))]
    assert overtaken(Fake(packets, {1: 3, 2: 2, 3: 1})) == []


def test_two_at_once_among_others_show_no_order_of_their_own() -> None:
    times = {1: 0.0, 3: 50 * MILLISECOND, 2: 50 * MILLISECOND + BURST}
    assert overtaken(Fake([syn(time, port) for port, time in times.items()], {1: 1, 3: 2, 2: 3})) == []


def test_what_may_never_come_counts_if_it_came_first() -> None:
    packets = [syn(50 * MILLISECOND * n, port) for n, port in enumerate((1, 4, 2, 3))]
    found = overtaken(Fake(packets, {1: 1, 4: 1, 2: 1, 3: 1}), last=(4, THEIRS))
    assert found == [f"port 4 from {THEIRS} before port 3 from {THEIRS}"]


def test_what_began_before_the_iuts_description_shows_no_order() -> None:
    packets = [syn(50 * MILLISECOND * n, port) for n, port in enumerate((3, 1, 2))]
    tester = Fake(packets, dict.fromkeys((1, 2, 3), 7))
    tester.met_at = 10 * MILLISECOND
    with pytest.raises(NotApplicable, match="before its description was complete"):
        overtaken(tester)


def test_an_iut_that_reads_too_late_what_changes_its_order_has_not_broken_it() -> None:
    packets = [syn(50 * MILLISECOND * n, port) for n, port in enumerate((1, 3, 2))]
    tester = Fake(packets, dict.fromkeys((1, 2, 3), 1))
    assert overtaken(tester, left=3)
    with pytest.raises(Inconclusive, match="only 2 candidates left"):
        overtaken(tester, left=2)


def test_what_is_left_is_what_the_iut_has_not_connected_to() -> None:
    tester = Fake([], {1: 1, 3: 2})
    assert order.still_left(tester, [candidate(1), candidate(2), candidate(3), candidate(4)]) == 2


def candidate(port: int, *, tcptype: str | None = "passive") -> Candidate:
    transport = "UDP" if tcptype is None else "TCP"
    return Candidate(f"f{port}", 1, transport, 1000 - port, OURS, port, "host", tcptype=tcptype)


@pytest.mark.parametrize(
    ("apart", "outcome"), [(BURST, "at once"), (20 * MILLISECOND, "UDP port 2"), (-20 * MILLISECOND, "")]
)
def test_a_request_over_udp_has_its_place_by_its_packet(apart, outcome) -> None:
    """pion: the request of a UDP pair leaves 0.07 ms before the first SYN, and all of it within 0.4 ms."""
    begun = {1: 0.1, 2: 0.1 - apart, 3: 0.1 + 2 * abs(apart)}
    packets = [datagram(time, 2) if port == 2 else syn(time, port) for port, time in begun.items()]
    tester = Fake(sorted(packets), {1: 2, 3: 3})
    ours = SimpleNamespace(first_request=1, first_request_at=0.5, local_address=Address(OURS, 2))
    ranked = order.Ranked([candidate(1), candidate(2, tcptype=None), candidate(3)], ours)
    if outcome == "at once":
        with pytest.raises(JudgedElsewhere):
            ranked.reversed_pairs(tester, within=1.0)
    else:
        found = ranked.reversed_pairs(tester, within=1.0)
        assert [text.partition(" (")[0] for text in found] == ([outcome] if outcome else [])


def test_streams_in_turn_are_told_by_packets() -> None:
    packets = [syn(50 * MILLISECOND * n, port) for n, port in enumerate((1, 2, 3, 4))]
    tester = Fake(packets, dict.fromkeys((1, 2, 3, 4), 1))
    streams = [candidate(1), candidate(2), candidate(3)], [candidate(4)]
    assert (order.taken_before(tester, *streams), order.taken_before(tester, *streams[::-1])) == (3, 0)


# -- pace --------------------------------------------------------------------------------------------------------------


def frame(octets: bytes, time: float, port: int) -> Frame:
    return Frame(octets, 1, time, way=(Address(THEIRS, 40000 + port), Address(OURS, port)))


def test_a_busy_tester_does_not_make_a_fast_iut_look_slow() -> None:
    packets, tester = [], Fake([], {1: 40, 2: 80, 3: 120}, described_at=0.0)
    for connection in tester.connections:
        port = connection.local_address.port
        octets = bytes([port]) * 30
        packets += [syn(BURST * port, port), sent(MILLISECOND * port, port, b"\0\x1e" + octets)]
        connection.events.append(frame(octets, port * 0.8, port))
    iut = SimpleNamespace(
        sdp=SimpleNamespace(attribute=lambda _name: None),
        media=lambda: SimpleNamespace(attribute=lambda _name: None, ice_options=["ice2"]),
    )
    tester.recorded = lambda: packets
    seen = pace.watch(tester, iut, 3, within=1.0)
    assert [round(time, 6) for time in seen.checks] == [0.001, 0.002, 0.003]
    assert [round(time, 6) for time in seen.connections] == [0.0001, 0.0002, 0.0003]
    assert seen.early(seen.checks).startswith("number 2 came 0.002 s")
    tester.recorded = list
    assert not pace.watch(tester, iut, 3, within=1.0).early(seen.connections[:1])


def test_when_a_frame_was_sent() -> None:
    one, other = b"one" * 10, b"other" * 10
    packets = [
        sent(1.0, 1, b"\0\x1e" + one + b"\0\x1e" + one),  # coalesced
        sent(2.0, 1, b"\0\x1e" + one),  # the same once more
        sent(3.0, 2, b"\0\x32" + other[:20]),  # in pieces: the tester's time counts
        sent(4.0, 2, other[20:]),
        sent(5.0, 3, b"\0\x32" + other),
    ]
    frames = [frame(one, 11.0, 1), frame(one, 12.0, 1), frame(one, 13.0, 1), frame(other, 14.0, 2)]
    frames += [frame(other, 15.0, 3), frame(b"", 16.0, 1), Frame(other, 1, 17.0)]
    assert sent_at(packets, frames) == [1.0, 1.0, 2.0, 14.0, 5.0, 16.0, 17.0]
    assert sent_at([], frames) == [11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0]


def test_when_a_connection_was_begun() -> None:
    tester = Fake([], {1: 1, 2: 2})
    packets = [syn(1.0, 1), syn(3.0, 1), syn(2.0, 2, source=9)]
    assert opened_at(packets, tester.connections) == [1.0, 40 * MILLISECOND], "the tester's own time where no SYN is"
