"""The NAT by itself: what it lets through in which direction, under which names, for how long (RFC 5382)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.nattable.path import packets
from conformance.nattable.path.nat import (
    ESTABLISHED,
    PATIENCE,
    TRANSITORY,
    Behaviour,
    Dependence,
    Nat,
    Side,
    Unsolicited,
)
from conformance.wire import icmp
from conformance.wire.attributes import Address
from conformance.wire.ip import checksum
from conformance.wire.tcp import ACK, FIN, RST, SYN, Segment, build, parse

OUTSIDE = "198.18.0.1"
INNER = Address("10.0.0.2", 4000)
OTHER = Address("10.0.0.3", 4000)
Y1 = Address("203.0.113.1", 80)
Y1_OTHER_PORT = Address("203.0.113.1", 81)
Y2 = Address("203.0.113.2", 80)
EI, AD, APD = Dependence


def nat(mapping=EI, filtering=EI, unsolicited=Unsolicited.DROP, **more):
    return Nat(Behaviour(mapping, filtering, unsolicited, **more), OUTSIDE, random.Random(1))


def segment(source, destination, flags=SYN, data=b""):
    return packets.read(build(Segment(source, destination, 1000, 0, flags, data=data)))


def send(box, source, destination, flags=SYN, now=0.0):
    """Return the address that a packet from inside has outside."""
    ((side, out),) = box.outbound(segment(source, destination, flags), now)
    assert side is Side.OUTSIDE
    assert out.destination == destination
    return out.source


def admits(box, source, destination, flags=SYN, now=0.0):
    """Return the inner endpoint that a packet from outside reaches, or None."""
    reached = [out for side, out in box.inbound(segment(source, destination, flags), now) if side is Side.INSIDE]
    return reached[0].destination if reached else None


@pytest.mark.parametrize(("mapping", "equal"), [(EI, (True, True)), (AD, (True, False)), (APD, (False, False))])
def test_mapping_depends_on_what_it_says(mapping, equal):
    box = nat(mapping)
    first = send(box, INNER, Y1)
    assert (send(box, INNER, Y1_OTHER_PORT) == first, send(box, INNER, Y2) == first) == equal
    assert send(box, INNER, Y1, ACK) == first
    assert send(box, OTHER, Y1) != first


@pytest.mark.parametrize("mapping", list(Dependence))
@pytest.mark.parametrize(
    ("filtering", "passes"),
    [(EI, (True, True)), (AD, (True, False)), (APD, (False, False))],
    ids=["EIF", "ADF", "APDF"],
)
def test_filter_admits_whom_it_says(mapping, filtering, passes):
    box = nat(mapping, filtering)
    outer = send(box, INNER, Y1)
    assert (admits(box, Y1_OTHER_PORT, outer) == INNER, admits(box, Y2, outer) == INNER) == passes
    assert admits(box, Y1, outer) == INNER  # a SYN that meets ours: simultaneous open (REQ-2)


def test_simultaneous_open_passes_in_every_step():
    box = nat(APD, APD)
    outer = send(box, INNER, Y1)
    assert admits(box, Y1, outer, SYN) == INNER
    assert send(box, INNER, Y1, SYN | ACK) == outer
    assert admits(box, Y1, outer, SYN | ACK) == INNER
    assert send(box, INNER, Y1, ACK) == outer


def test_connection_from_outside_is_answered_under_the_name_that_was_called():
    box = nat(APD, EI)
    outer = send(box, INNER, Y1)
    assert admits(box, Y2, outer) == INNER
    assert send(box, INNER, Y2, SYN | ACK) == outer
    assert send(box, INNER, Address(Y2.ip, 99)) != outer


def test_two_names_for_one_connection_are_not_had():
    box = nat(APD, EI)
    outer = send(box, INNER, Y1)
    send(box, INNER, Y2)  # under another name
    assert admits(box, Y2, outer) is None
    assert box.counts["conflict"] == 1


def test_unsolicited_syn_is_dropped():
    box = nat(EI, APD)
    assert box.inbound(segment(Y2, send(box, INNER, Y1)), 0.0) == []
    assert box.inbound(segment(Y2, Address(OUTSIDE, 1024)), 0.0) == []
    assert box.next_time() is None
    assert box.counts["filtered"] == 2


def test_unsolicited_syn_is_reset():
    box = nat(EI, APD, Unsolicited.RESET)
    outer = send(box, INNER, Y1)
    ((side, out),) = box.inbound(segment(Y2, outer), 0.0)
    reset = parse(out.octets)
    assert side is Side.OUTSIDE
    assert (reset.source, reset.destination, reset.flags, reset.acknowledgement) == (outer, Y2, RST | ACK, 1001)


def test_unsolicited_syn_gets_an_icmp_error_after_six_seconds():
    box = nat(EI, APD, Unsolicited.ICMP)
    outer = send(box, INNER, Y1)
    for repeated in (1.0, 2.0):
        assert box.inbound(segment(Y2, outer), repeated) == []
    assert box.next_time() == 1.0 + PATIENCE
    assert box.due(1.0 + PATIENCE - 0.01) == []
    ((side, out),) = box.due(1.0 + PATIENCE)
    assert side is Side.OUTSIDE
    assert out.is_error
    assert out.octets[20:22] == b"\x03\x03"
    assert (out.sent_to, out.source, out.destination) == (Y2.ip, Y2, outer)
    assert box.next_time() is None


def test_held_syn_is_forgotten_when_the_inside_opens_the_connection():
    box = nat(EI, APD, Unsolicited.ICMP)
    outer = send(box, INNER, Y1)
    box.inbound(segment(Y2, outer), 0.0)
    assert send(box, INNER, Y2, now=3.0) == outer
    assert box.due(100.0) == []
    assert admits(box, Y2, outer, now=4.0) == INNER


@pytest.mark.parametrize("ends", [True, False])
def test_reset_ends_a_session_or_not(ends):
    box = nat(EI, APD, reset_ends=ends)
    outer = send(box, INNER, Y1)
    assert admits(box, Y1, outer, RST | ACK) == INNER
    assert (admits(box, Y1, outer, SYN) is None) is ends


def test_mapping_lasts_as_long_as_it_must():
    box = nat(EI, APD)
    outer = send(box, INNER, Y1)
    assert admits(box, Y1, outer, SYN | ACK, now=TRANSITORY - 1) == INNER
    send(box, INNER, Y1, ACK, now=TRANSITORY - 1)
    assert admits(box, Y1, outer, ACK, now=ESTABLISHED) == INNER
    send(box, INNER, Y1, FIN | ACK, now=ESTABLISHED)
    assert admits(box, Y1, outer, FIN | ACK, now=ESTABLISHED) == INNER
    assert admits(box, Y1, outer, ACK, now=ESTABLISHED + TRANSITORY + 1) is None
    assert send(box, INNER, Y1, now=ESTABLISHED + 2 * TRANSITORY + 2) != outer


def test_hairpin_goes_from_the_external_address():
    box = nat()
    mine, other = send(box, INNER, Y1), send(box, OTHER, Y1)
    ((side, out),) = box.outbound(segment(INNER, other), 0.0)
    assert (side, out.source, out.destination) == (Side.INSIDE, mine, OTHER)


def test_ports_are_preserved_unless_taken():
    box = nat(preserves_ports=True)
    assert send(box, INNER, Y1).port == INNER.port
    assert send(box, OTHER, Y1).port != OTHER.port


def test_stray_segments_pass_neither_way():
    box = nat()
    assert box.outbound(segment(INNER, Y1, ACK), 0.0) == []
    outer = send(box, INNER, Y1)
    assert admits(box, Y2, outer, ACK) is None
    assert box.counts["stray"] == 2


def test_icmp_error_is_translated_and_changes_nothing():
    box = nat(EI, APD)
    outer = send(box, INNER, Y1)
    error = packets.error_about(segment(outer, Y1), icmp.HOST, by="192.0.2.9")
    ((side, out),) = box.inbound(error, 0.0)
    assert side is Side.INSIDE
    again = packets.read(out.octets)
    assert (again.sent_to, again.source, again.destination) == (INNER.ip, INNER, Y1)
    assert checksum(out.octets[:20]) == checksum(out.octets[20:]) == checksum(out.octets[28:48]) == 0
    assert admits(box, Y1, outer, SYN | ACK) == INNER
    assert box.inbound(packets.error_about(segment(outer, Y2), icmp.HOST), 0.0) == []


ENDPOINTS = st.builds(Address, st.ip_addresses(v=4).map(str), st.integers(0, 65535))


@settings(deadline=None)
@given(ENDPOINTS, ENDPOINTS, ENDPOINTS, ENDPOINTS, st.binary(max_size=50))
def test_readdressed_packets_are_those_built_so(source, destination, new_source, new_destination, data):
    """Checksums are adjusted to what they would have been, but for the two names of zero."""
    moved = segment(source, destination, ACK, data).readdressed(new_source, new_destination)
    built = build(Segment(new_source, new_destination, 1000, 0, ACK, data=data))
    for at in (10, 36):
        sums = {moved.octets[at : at + 2], built[at : at + 2]}
        assert len(sums) == 1 or sums == {b"\0\0", b"\xff\xff"}
    keep = lambda octets: octets[:10] + octets[12:36] + octets[38:]  # noqa: E731
    assert keep(moved.octets) == keep(built)
    assert packets.read(moved.octets) == moved


REMOTES = st.builds(Address, st.sampled_from(["203.0.113.1", "203.0.113.2", OUTSIDE]), st.integers(80, 82))
INNERS = st.builds(Address, st.sampled_from(["10.0.0.2", "10.0.0.3"]), st.integers(4000, 4001))
BEHAVIOURS = st.builds(
    Behaviour,
    *(st.sampled_from(list(kind)) for kind in (Dependence, Dependence, Unsolicited)),
    st.booleans(),
    st.booleans(),
)
FLAGS = st.sampled_from([SYN, SYN | ACK, ACK, FIN | ACK, RST])
STEPS = st.lists(st.tuples(st.booleans(), INNERS, REMOTES, FLAGS, st.integers(0, 4), st.floats(0, 300)), max_size=40)


@settings(deadline=None)
@given(BEHAVIOURS, STEPS)
def test_no_name_is_ever_two_endpoints(behaviour, steps):
    """Whatever comes: what is open is known by one name outside, and each name stands for one endpoint inside."""
    box, now, seen = Nat(behaviour, OUTSIDE, random.Random(0)), 0.0, []
    for outward, inner, remote, flags, pick, pause in steps:
        now += pause
        if outward:
            for side, out in box.outbound(segment(inner, remote, flags), now):
                if side is Side.OUTSIDE:
                    assert out.source.ip == OUTSIDE
                    seen.append(out.source)
        elif seen:
            for side, out in box.inbound(segment(remote, seen[pick % len(seen)], flags), now):
                assert (side is Side.INSIDE) is (out.destination.ip.startswith("10."))
        box.due(now)
        sessions = box._sessions
        assert all(s.binding.inner == inner and s.remote == r for (inner, r), s in sessions.items())
        ways = [(s.binding.outer, s.remote) for s in sessions.values()]
        assert len(ways) == len(set(ways))
        assert len({b.outer for b in box._bindings.values()}) == len(box._bindings) == len(box._by_port)
