"""The lower tester's own TCP: its packets, its two ends with each other, and against the kernel's."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest
from scapy.layers.inet import TCP

from conformance.peer import lab
from conformance.peer.segments.script import of_scapy
from conformance.peer.segments.tcp import State, Tcp
from conformance.wire.attributes import Address
from conformance.wire.tcp import ACK, FIN, PSH, RST, SYN, Segment

FAMILIES = {"IPv4": ("198.18.0.1", "198.18.1.1"), "IPv6": ("fd6d::1", "fd6d::101")}


def test_a_scapy_layer_says_what_it_says_and_leaves_the_rest() -> None:
    template = Segment(Address("198.18.1.1", 1), Address("198.18.0.1", 2), 10, 20, ACK, 300)
    assert of_scapy(TCP(flags="FA"), template) == Segment(template.source, template.destination, 10, 20, FIN | ACK, 300)
    changed = of_scapy(TCP(seq=5, sport=9, window=0, options=[("MSS", 99)]) / b"data", template)
    assert (changed.sequence, changed.source.port, changed.window, changed.mss) == (5, 9, 0, 99)
    assert changed.data == b"data"
    assert changed.flags == ACK


class Two:
    """Two ends, and the packets on their way."""

    def __init__(self, rng=None) -> None:
        self.rng = rng
        self.wire: deque[Segment] = deque()
        left, right = Address("198.18.0.1", 1), Address("198.18.1.1", 2)
        self.a = Tcp(left, right, 2**32 - 3, self.wire.append)  # its sequence numbers wrap at once
        self.b = Tcp(right, left, 1000, self.wire.append)

    def run(self) -> None:
        for _ in range(2000):
            if not self.wire:
                return
            index = self.rng.randrange(len(self.wire)) if self.rng else 0
            segment = self.wire[index]
            del self.wire[index]
            end = self.a if segment.destination == self.a.local else self.b
            if end.state is State.CLOSED and segment.flags == SYN:
                end.accept(segment)
            else:
                end.receive(segment)
        raise AssertionError("they never stop")

    def meet(self) -> None:
        self.a.open()
        self.run()
        assert self.a.state is self.b.state is State.ESTABLISHED


def test_handshake_data_and_both_fins() -> None:
    two = Two()
    two.meet()
    two.a.send(b"x" * 5000)
    two.b.send(b"y")
    two.a.finish()
    two.run()
    assert (bytes(two.b.incoming), bytes(two.a.incoming)) == (b"x" * 5000, b"y")
    assert two.b.fin_received
    assert not two.a.fin_received
    two.b.finish()
    two.run()
    assert two.a.fin_received
    assert not two.a.outstanding


@pytest.mark.parametrize("ending", ["syn-ack", "ack", "data"])
def test_syns_that_cross(ending) -> None:
    two = Two()
    two.a.open()
    two.b.cross(two.wire.popleft(), ending, b"with the ACK" if ending == "data" else b"")
    two.run()
    assert two.a.state is two.b.state is State.ESTABLISHED
    assert two.a.crossed
    assert two.b.crossed
    two.a.send(b"hello")
    two.run()
    assert bytes(two.b.incoming) == b"hello"
    assert bytes(two.a.incoming) == (b"with the ACK" if ending == "data" else b"")


@pytest.mark.parametrize("number", range(10))
def test_any_order_of_packets_gives_the_same_stream(number) -> None:
    two = Two()
    two.meet()
    two.rng = random.Random(number)
    octets = two.rng.randbytes(3000)
    pieces = [(begin, min(3000, begin + two.rng.randrange(1, 400))) for begin in range(0, 3000, 100)]
    two.rng.shuffle(pieces)
    two.a.arrange(octets, [*pieces, *((begin, begin + 100) for begin in range(0, 3000, 100))])
    two.a.finish()
    two.run()
    assert bytes(two.b.incoming) == octets
    assert two.b.fin_received


def test_what_is_lost_is_sent_again() -> None:
    two = Two()
    two.meet()
    two.a.send(b"lost")
    two.wire.clear()
    assert two.a.repeat()
    two.run()
    assert bytes(two.b.incoming) == b"lost"
    assert not two.a.repeat()


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_any_part_of_a_handshake_may_be_lost(lost) -> None:
    two = Two()
    two.a.open()
    for number in range(3):
        if number == lost:
            two.wire.clear()
            assert two.a.repeat() or two.b.repeat()
        if number < 2:
            segment = two.wire.popleft()
            end = two.b if segment.source == two.a.local else two.a
            if end.state is State.CLOSED:
                end.accept(segment)
            else:
                end.receive(segment)
    two.run()
    assert two.a.state is two.b.state is State.ESTABLISHED
    assert not two.a.repeat()
    assert not two.b.repeat()


def test_fin_waits_for_what_waits_for_the_window() -> None:
    two = Two()
    two.meet()
    two.b.window = 4
    two.b.acknowledge()
    two.run()
    two.a.send(b"more than four")
    two.a.finish()
    assert not two.a.fin_sent
    two.run()
    two.b.window = 100
    two.b.acknowledge()
    two.run()
    assert (bytes(two.b.incoming), two.b.fin_received, two.a.finishing) == (b"more than four", True, False)


def test_a_window_that_is_shut_to_us_is_probed() -> None:
    two = Two()
    two.meet()
    two.b.window = 0
    two.b.acknowledge()
    two.run()
    two.a.send(b"waits")
    assert two.a.overdue is not None
    assert two.a.repeat()
    two.run()
    assert (two.b.probes, bytes(two.b.incoming)) == (1, b"")
    two.b.window = 100
    assert two.a.repeat(), "the answer to a probe says that the window is open again"
    two.run()
    assert bytes(two.b.incoming) == b"waits"
    assert two.a.overdue is None


def test_both_sides_may_close_at_once() -> None:
    two = Two()
    two.meet()
    two.a.finish()
    two.b.finish()
    two.run()
    assert two.a.fin_received
    assert two.b.fin_received
    assert two.a.outstanding == two.b.outstanding == 0


def test_a_shut_window_is_kept_to_and_counts_probes() -> None:
    two = Two()
    two.meet()
    two.b.window = 0
    two.b.acknowledge()
    two.run()
    two.a.send(b"waits")
    assert not two.wire, "there is no room"
    two.a.repeat()  # probes with its first octet
    two.run()
    assert (two.b.probes, bytes(two.b.incoming)) == (1, b"")
    two.b.window = 100
    two.b.acknowledge()
    two.run()
    two.a.repeat()
    two.run()
    assert bytes(two.b.incoming) == b"waits"


def test_resets_are_believed_only_where_they_fit() -> None:
    two = Two()
    two.meet()
    for wrong in (-70000, -1, 65535, 70000):
        two.b.receive(Segment(two.a.local, two.b.local, two.b.rcv_nxt + wrong & 0xFFFFFFFF, 0, RST))
    assert not two.b.reset
    assert not two.wire
    two.b.receive(Segment(two.a.local, two.b.local, two.b.rcv_nxt + 9 & 0xFFFFFFFF, 0, RST))
    assert not two.b.reset
    assert two.wire.popleft().flags == ACK, "it is challenged (RFC 5961 section 3.2)"
    two.a.abort()
    two.run()
    assert two.b.reset
    assert two.b.state is State.CLOSED


def test_a_refused_syn_and_a_stray_syn_ack() -> None:
    two = Two()
    two.a.open()
    two.wire.clear()
    two.a.receive(Segment(two.b.local, two.a.local, 5, 12345, SYN | ACK))
    assert two.wire.popleft().flags == RST, "an ACK of what was never sent (RFC 9293 section 3.10.7.3)"
    two.a.receive(Segment(two.b.local, two.a.local, 0, 12345, RST | ACK))
    assert not two.a.refused
    two.a.receive(Segment(two.b.local, two.a.local, 0, two.a.snd_nxt, RST | ACK))
    assert two.a.refused


def test_flags_are_read_as_people_write_them() -> None:
    assert "[PA]" in str(Segment(Address("127.0.0.1", 1), Address("127.0.0.1", 2), flags=PSH | ACK))


@pytest.mark.skipif(lab.can_enter() is not None, reason="the kernel allows no network of one's own here")
@pytest.mark.parametrize("family", FAMILIES)
def test_against_the_kernel(family) -> None:
    program = Path(__file__).with_name("segments_program.py")
    done = subprocess.run(
        [sys.executable, str(program), family], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("done", "")


@pytest.mark.skipif(lab.can_enter() is not None, reason="the kernel allows no network of one's own here")
def test_a_handshake_costs_less_than_a_millisecond() -> None:
    program = Path(__file__).with_name("segments_bench.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr
    assert float(done.stdout.split()[0]) < 1.0, "the best quarter, for the machine may be busy"
