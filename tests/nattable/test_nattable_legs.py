"""What links do to packets, and SYNs that are held: by themselves, and between two ends."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from path_play import AD, APD, EI, INNER, OUTER, SERVER, Play, packet

from conformance.nattable.path.holding import PATIENCE, Crossing, Stagger, Timing
from conformance.nattable.path.impairments import Impairment, Leg
from conformance.nattable.path.middle import LAG
from conformance.nattable.path.nat import Behaviour, Unsolicited
from conformance.wire.tcp import ACK, RST, SYN, Segment, build

SOME = packet(INNER["A"], SERVER, ACK, bytes(1000))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1))
def test_jitter_alone_swaps_nothing(seed, delay, jitter):
    leg = Leg(Impairment(delay=delay, jitter=jitter), random.Random(seed))
    sent = [number * 0.01 for number in range(50)]
    arrivals = [leg.send(SOME, now)[0] for now in sent]
    assert arrivals == sorted(arrivals)
    assert all(delay - 1e-9 <= arrival - now for now, arrival in zip(sent, arrivals, strict=True))
    assert max(a - n for n, a in zip(sent, arrivals, strict=True)) <= delay + jitter + 1e-9


def test_loss_and_reordering_take_their_shares():
    leg = Leg(Impairment(delay=0.05, loss=0.2, reordering=0.1), random.Random(3))
    arrivals = [leg.send(SOME, number * 0.001)[0] for number in range(2000)]
    came = [arrival for arrival in arrivals if arrival is not None]
    assert 300 < leg.counts["lost"] < 500
    assert 100 < leg.counts["late"] < 220
    assert came != sorted(came)
    assert arrivals == [
        again.send(SOME, number * 0.001)[0]
        for again in [Leg(leg.impairment, random.Random(3))]
        for number in range(2000)
    ]


def test_what_exceeds_the_mtu_is_told_so():
    leg = Leg(Impairment(mtu=576), random.Random(0))
    when, error = leg.send(SOME, 0.0)
    assert when is None
    assert error.octets[20:22] == b"\x03\x04"
    assert int.from_bytes(error.octets[26:28], "big") == 576
    assert error.sent_to == SOME.source.ip
    assert leg.send(packet(INNER["A"], SERVER), 0.0) == (0.0, None)


def test_crossing_lets_both_go_when_both_are_there():
    gate, one, two = Crossing(), packet(INNER["A"], SERVER), packet(INNER["B"], SERVER)
    assert gate.take("A", one, 0.0) == []
    assert gate.take("A", one, 1.0) == []
    assert gate.take("B", two, 1.5) == [("A", one), ("B", two)]
    assert gate.take("A", one, 2.0) == [("A", one)]
    assert gate.next_time() is None


def test_crossing_does_not_wait_for_ever():
    gate, one = Crossing(), packet(INNER["A"], SERVER)
    gate.take("A", one, 1.0)
    assert gate.due(1.0 + PATIENCE - 0.1) == []
    assert gate.due(gate.next_time()) == [("A", one)]


def test_stagger_holds_the_second_only():
    gate, syn = Stagger("B", 0.1), packet(INNER["B"], SERVER)
    assert not gate.take("A", syn, 0.0)
    assert gate.take("B", syn, 0.0)
    assert gate.next_time() is None
    gate.left("A", 1.0)
    assert gate.due(1.05) == []
    assert gate.due(1.1) == [("B", syn)]
    assert not gate.take("B", syn, 1.2)


def both(mapping, filtering, unsolicited=Unsolicited.DROP, **more):
    behaviour = Behaviour(mapping, filtering, unsolicited)
    return Play(behaviour, behaviour, **more)


def test_held_syns_cross_strict_filters():
    play = both(EI, APD, Unsolicited.RESET, timing=Timing.CROSSING)
    play.send("A", INNER["A"], play.mapped["B"])
    assert play.came("B", 0.5) == []
    play.send("B", INNER["B"], play.mapped["A"])
    (at_b,), (at_a,) = play.came("B", 0.6), play.came("A", 0.6)
    assert (at_b.source, at_b.destination, at_b.flags) == (play.mapped["A"], INNER["B"], SYN)
    assert (at_a.source, at_a.destination, at_a.flags) == (play.mapped["B"], INNER["A"], SYN)


def test_ends_have_met_when_both_answer_their_own_syn_with_another():
    play = both(EI, APD, timing=Timing.CROSSING)
    play.open_both()
    play.came("A", 0.1)
    assert not play.way.met
    play.send("A", INNER["A"], play.mapped["B"], SYN | ACK)
    assert not play.way.met
    play.send("B", INNER["B"], play.mapped["A"], SYN | ACK)
    assert play.way.met


def test_one_after_the_other_a_drop_does_no_harm_and_a_reset_does():
    for unsolicited, reaches_a in ((Unsolicited.DROP, [SYN]), (Unsolicited.RESET, [RST | ACK])):
        play = both(EI, APD, unsolicited, timing=Timing.OFFERER_FIRST)
        play.send("B", INNER["B"], play.mapped["A"])
        play.send("A", INNER["A"], play.mapped["B"])
        assert [s.flags for s in play.came("A", LAG * 2)] == reaches_a
        assert [s.flags for s in play.came("B", LAG * 2)] == ([] if reaches_a == [SYN] else [RST | ACK])


def test_private_addresses_lead_nowhere():
    play = both(EI, EI)
    play.send("A", INNER["A"], INNER["B"])
    (error,) = play.came("A")
    assert error.is_error
    assert (error.source, error.destination) == (INNER["A"], INNER["B"])


def test_address_dependent_mapping_gives_another_name_to_the_peer():
    play = both(AD, EI)
    play.open_both()
    (at_b,) = play.came("B")
    assert at_b.source.ip == OUTER["A"]
    assert at_b.source != play.mapped["A"]


def test_a_way_that_is_gone_takes_nothing():
    play = both(EI, EI, impairment=Impairment(delay=0.01))
    play.open_both()
    play.middle.remove(play.way)
    assert play.came("A", 1.0) == play.came("B", 1.0) == []
    play.send("A", INNER["A"], SERVER)
    assert play.came("S", 2.0) == []


def test_legs_tell_of_the_mtu_through_the_nat():
    play = both(EI, EI, impairment=Impairment(mtu=500))
    octets = build(Segment(INNER["A"], SERVER, 7, 0, ACK, data=bytes(600)))
    play.middle.take("A", octets, play.now)
    (error,) = play.came("A")
    assert error.octets[20:22] == b"\x03\x04"
    assert error.source == INNER["A"]
