"""Trickled candidates, ours and the peer's (RFC 8838): told once, paired by RFC 6544's rules, failing no list early."""

from __future__ import annotations

import pytest
from agent_simulation import Network, Peer
from hypothesis import given, settings
from hypothesis import strategies as st
from server_simulation import PASSWORD, TURN, USER, Server

from conformance.agent.checklist import CheckList, ListState, add_pair
from conformance.agent.config import Config, IceServer, Media, StreamPlan
from conformance.agent.decisions import Decisions
from conformance.agent.events import AgentError, Rejected, State
from conformance.agent.pairs import TRANSITIONS, PairState
from conformance.agent.variation import Variation
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription

OPTION = "a=ice-options:trickle\r\n"
EVERY = frozenset({"active", "passive", "so"})


def parsed(text):
    return SessionDescription.parse(text).media[0]


def hand_over(giver, taker):
    """Give one side what the other has trickled since the last time."""
    told, giver.trickled[:] = giver.trickled[:], []
    for mid, candidate in told:
        taker.tell("trickle", candidate, mid)
    return [candidate for _, candidate in told]


def offering(network, peer_text="", **more):
    """Return an offerer that has the peer's answer, the peer, and the scripted end's listener."""
    a = network.host(offerer=True, **more)
    offer = parsed(a.describe())
    peer = Peer(offer.ufrag, offer.pwd)
    a.tell("accept", "answer", peer.description() + (peer_text or OPTION))
    return a, peer


# -- descriptions --------------------------------------------------------------------------------------------------


def test_a_description_that_waits_for_all_candidates_says_so():
    a = Network().host(offerer=True)
    media = parsed(a.describe())
    assert "trickle" in media.ice_options
    assert media.end_of_candidates
    assert media.candidates
    assert not a.trickled


def test_a_description_at_once_holds_what_is_known_and_the_rest_is_told_in_order():
    network = Network()
    a = network.host(offerer=True, streams=(StreamPlan(Media.RTP, 2),))
    media = parsed(a.describe_at_once())
    assert (media.candidates, media.end_of_candidates) == ([], False)
    assert (media.setup, media.connection, media.port, media.connection_address) == ("active", "new", 9, "0.0.0.0")
    told = [candidate for _, candidate in a.trickled]
    assert told[-1] == ""
    found = [Candidate.parse(text) for text in told[:-1]]
    assert sorted((c.component, c.tcptype) for c in found) == [(n, t) for n in (1, 2) for t in ("active", "passive")]
    assert [c.component for c in found] == sorted(c.component for c in found)
    assert {mid for mid, _ in a.trickled} == {media.mid}


def test_nothing_is_trickled_that_needed_no_waiting():
    a = Network().host(offerer=True, tcptypes=frozenset({"active"}))
    media = parsed(a.describe_at_once())
    assert [c.tcptype for c in media.candidates] == ["active"]
    assert media.end_of_candidates
    assert not a.trickled


def test_the_end_is_not_told_where_that_is_left():
    """RFC 8838 section 13: it should be."""
    a = Network().host(offerer=True, variation=Variation(no_end=True, lower_transport=True))
    assert not parsed(a.describe_at_once()).end_of_candidates
    assert a.trickled
    assert all(" tcp " in candidate for _, candidate in a.trickled)
    b = Network().host(offerer=True, variation=Variation(no_end=True))
    assert not parsed(b.describe()).end_of_candidates


def test_describing_again_adds_nothing():
    a = Network().host(offerer=True)
    text, told = a.describe_at_once(), list(a.trickled)
    assert a.describe() == text
    assert a.trickled == told


@pytest.mark.parametrize(("option", "waits"), [("", True), (OPTION, False)])
def test_an_answerer_waits_for_its_candidates_if_the_offerer_does_not_trickle(option, waits):
    """RFC 8838 section 5."""
    network = Network()
    b = network.host(offerer=False)
    b.tell("accept", "offer", Peer("x", "y").description("2 1 TCP 9 10.0.0.9 9 typ host tcptype active") + option)
    b.agent.gather(network.now, trickle=True)
    assert b.agent.describable is not waits


def test_a_lite_agent_has_all_candidates_at_once():
    """RFC 8838 appendix B."""
    network = Network()
    a = network.host(offerer=True, lite=True)
    a.agent.gather(network.now, trickle=True)
    assert not a.agent.describable
    media = parsed(a.describe())
    assert media.candidates
    assert media.end_of_candidates


# -- two agents ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", ["both", "offerer", "answerer"])
@pytest.mark.parametrize("tcptypes", [EVERY, frozenset({"so"})], ids=["all", "so"])
def test_two_agents_complete_over_trickled_candidates(at_once, tcptypes):
    network = Network()
    streams = (StreamPlan(Media.RTP, 2), StreamPlan(Media.BYTES, 1, "b"))
    a = network.host(offerer=True, tcptypes=tcptypes, streams=streams)
    b = network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=tcptypes, streams=(StreamPlan(components=2),))
    b.tell("accept", "offer", a.describe_at_once() if at_once != "answerer" else a.describe())
    answer = b.describe_at_once() if at_once != "offerer" else b.describe()
    a.tell("accept", "answer", answer)
    network.run(1)
    while a.trickled or b.trickled:
        hand_over(a, b)
        hand_over(b, a)
    assert network.run(8, lambda: a.agent.state is b.agent.state is State.COMPLETED), (a.states, b.states)
    assert sorted(a.selected) == sorted(b.selected) == [(0, 1), (0, 2), (1, 1)]
    assert State.FAILED not in a.states + b.states


def test_components_are_limited_when_all_candidates_are_known():
    network = Network()
    a, peer = offering(network, streams=(StreamPlan(Media.RTP, 2),))
    ear = network.listen()
    a.tell("trickle", "candidate:" + peer.passive(ear.address), "0")
    network.run(0.2)
    end = ear.ends[0]
    end.send(frame(peer.success(end.requests()[0], end.other.address)))
    network.run(0.1)
    assert a.agent.state is State.CHECKING, "the second component may still come"
    a.tell("trickle", "", "0")
    network.run(0.1)
    assert a.agent.state is State.CONNECTED


def test_a_restart_trickles_anew():
    network = Network()
    a, b = network.host(offerer=True), network.host(offerer=False, addresses=["10.0.0.2"])
    network.complete(a, b)
    old = parsed(b.agent._exchange.described)
    a.tell("restart")
    offer = a.describe_at_once()
    assert not parsed(offer).candidates
    a.tell("trickle", f"{old.candidates[0]} ufrag {old.ufrag}", "0")  # late, of the former session
    b.tell("accept", "offer", offer)
    a.tell("accept", "answer", b.describe_at_once())
    a.tell("trickle", f"{old.candidates[0]} ufrag {old.ufrag}", "0")
    assert not a.agent._streams[0].remotes
    hand_over(a, b)
    hand_over(b, a)
    assert network.run(8, lambda: a.agent.state is b.agent.state is State.COMPLETED)


# -- the peer's ----------------------------------------------------------------------------------------------------


def test_a_list_without_pairs_waits_for_the_end_of_candidates():
    network = Network()
    a, _ = offering(network)
    network.run(100)
    assert a.agent.state is State.CHECKING
    a.tell("trickle", "", "0")
    network.run(0.1)
    assert a.agent.state is State.FAILED


def test_the_end_of_candidates_in_the_answer_counts():
    network = Network()
    a, _ = offering(network, OPTION + "a=end-of-candidates\r\n")
    network.run(100)
    assert a.agent.state is State.FAILED


def test_a_failed_pair_is_not_the_end_while_candidates_may_come():
    network = Network()
    a, peer = offering(network)
    a.tell("trickle", "candidate:" + peer.passive(Address("10.0.0.9", 1)), "0")
    network.run(100)
    assert a.agent.state is State.CHECKING
    ear = network.listen()
    a.tell("trickle", "candidate:" + peer.passive(ear.address), "0")
    network.run(0.2)
    assert len(ear.ends) == 1


def test_candidates_after_the_last_one_are_ignored():
    """RFC 8838 section 14."""
    network = Network()
    a, peer = offering(network)
    ear = network.listen()
    a.tell("trickle", "", "0")
    a.tell("trickle", "candidate:" + peer.passive(ear.address), "0")
    network.run(0.5)
    assert not ear.ends


def test_a_candidate_told_twice_is_checked_once():
    network = Network()
    a, peer = offering(network)
    ear = network.listen()
    for foundation in ("1", "2"):
        a.tell("trickle", "candidate:" + peer.passive(ear.address, foundation), "0")
        network.run(0.5)
    assert len(ear.ends) == 1


def test_trickled_active_candidates_are_never_connected_to():
    network = Network()
    a, _ = offering(network, tcptypes=EVERY)
    ear = network.listen()
    port = ear.address.port
    a.tell("trickle", f"candidate:1 1 TCP 5 10.0.0.9 {port} typ host tcptype active", "0")
    network.run(1)
    assert (a.connects, ear.ends) == ([], [])


def test_useless_candidates_are_ignored_and_malformed_ones_rejected():
    network = Network()
    a, peer = offering(network)
    stream = a.agent._streams[0]
    a.tell("trickle", "candidate:1 1 TCP 5 host.example 5000 typ host tcptype passive", "0")
    a.tell("trickle", "candidate:1 1 SCTP 5 10.0.0.9 5000 typ host", "")
    assert not stream.remotes
    with pytest.raises(Rejected):
        a.tell("trickle", "candidate:1 1 TCP", "0")
    with pytest.raises(Rejected):
        a.tell("trickle", "candidate:" + peer.active, "no-such-mid")
    with pytest.raises(AgentError):
        network.host(offerer=True).tell("trickle", "", "0")


def test_a_peer_reflexive_candidate_becomes_the_trickled_one_and_keeps_its_connection():
    network = Network()
    a, peer = offering(network, tcptypes=frozenset({"so"}))
    passive = parsed(a.agent._exchange.described).candidates[0]
    end = network.dial(passive.endpoint)
    assert end.ask(peer.check(priority=99)).is_success
    (pair,) = a.agent._streams[0].checks.pairs
    assert (pair.remote.type, pair.remote.priority) == ("prflx", 99)
    before = pair.priority
    candidate = f"candidate:77 1 TCP 2120000000 {end.address.ip} {end.address.port} typ host tcptype so"
    a.tell("trickle", candidate, "0")
    network.run(0.5)
    (same,) = a.agent._streams[0].checks.pairs
    assert same is pair
    assert (pair.remote.type, pair.remote.foundation) == ("host", "77")
    assert pair.priority > before
    assert a.connects == [], "the pair has its connection"
    assert len(end.requests()) == 1


# -- servers -------------------------------------------------------------------------------------------------------


def test_candidates_from_servers_are_told_as_they_come():
    network = Network()
    Server(network, mapped="203.0.113.7")
    a = network.host(offerer=True, servers=(IceServer(TURN, True, USER, PASSWORD),))
    a.describe_at_once()
    assert all("typ host" in candidate for _, candidate in a.trickled)
    assert a.trickled
    assert network.run(3, lambda: a.agent.gathered)
    told = [candidate for _, candidate in a.trickled]
    assert told[-1] == ""
    kinds = [Candidate.parse(text).type for text in told[:-1]]
    assert {"host", "srflx", "relay"} == set(kinds)
    assert len(set(told)) == len(told), "nothing is told twice"
    assert len({Candidate.parse(text).priority for text in told[:-1]}) == len(kinds)


# -- check lists -----------------------------------------------------------------------------------------------------


class Stub:
    """As much of a pair as a check list looks at."""

    def __init__(self, priority, foundation="1", component=1, ends=None, state=PairState.FROZEN, connection=None):
        self.priority, self.foundation, self.component = priority, foundation, component
        self.ends, self.state, self.connection = ends or object(), state, connection

    def reprioritise(self, controlling):
        pass

    def note(self, event):
        self.state = TRANSITIONS[self.state][event]


def list_of(*pairs):
    return CheckList(components=2, pairs=sorted(pairs, key=lambda pair: -pair.priority))


def added(checks, pair, most=100):
    add_pair(checks, [checks], pair, most, Decisions(Config(offerer=True)))
    return pair in checks.pairs


@pytest.mark.parametrize(
    ("pair", "state"),
    [
        (Stub(9, "new"), PairState.WAITING),  # the first of its foundation
        (Stub(9), PairState.WAITING),  # the best of its foundation
        (Stub(3), PairState.FROZEN),
        (Stub(9, component=2), PairState.FROZEN),
        (Stub(3, "done"), PairState.WAITING),  # another of its foundation has succeeded
    ],
)
def test_state_of_a_new_pair(pair, state):
    """RFC 8838 section 12."""
    checks = list_of(Stub(5, state=PairState.IN_PROGRESS), Stub(5, "done", state=PairState.SUCCEEDED))
    assert added(checks, pair)
    assert pair.state is state
    assert [p.priority for p in checks.pairs] == sorted((p.priority for p in checks.pairs), reverse=True)


@pytest.mark.parametrize("state", [PairState.IN_PROGRESS, PairState.SUCCEEDED, PairState.FAILED])
def test_a_pair_whose_check_has_begun_is_not_pruned_for_its_twin(state):
    old = Stub(1, ends="same", state=state)
    checks = list_of(old)
    assert not added(checks, Stub(9, ends="same"))
    assert checks.pairs == [old]


def test_of_two_waiting_twins_the_better_stays():
    checks = list_of(Stub(5, ends="same", state=PairState.WAITING))
    assert not added(checks, Stub(4, ends="same"))
    assert added(checks, Stub(6, ends="same"))
    assert [p.priority for p in checks.pairs] == [6]


def test_a_full_list_makes_room_of_failed_pairs_then_of_worse_ones():
    failed, busy, idle = Stub(9, state=PairState.FAILED), Stub(1, state=PairState.IN_PROGRESS), Stub(2)
    checks = list_of(failed, busy, idle)
    assert added(checks, Stub(5, "a"), most=3)
    assert failed not in checks.pairs
    assert added(checks, Stub(4, "b"), most=3)
    assert idle not in checks.pairs
    assert not added(checks, Stub(3, "c"), most=3)
    assert len(checks.pairs) == 3


def test_a_list_that_is_over_takes_nothing():
    network = Network()
    a, peer = offering(network)
    a.agent._streams[0].checks.state = ListState.FAILED
    a.tell("trickle", "candidate:" + peer.passive(network.listen().address), "0")
    network.run(0.5)
    assert a.connects == []


# -- any order -------------------------------------------------------------------------------------------------------


def deliver_one(giver, taker):
    if giver.trickled:
        mid, candidate = giver.trickled.pop(0)
        taker.tell("trickle", candidate, mid)


@settings(max_examples=60, deadline=None)
@given(
    tcptypes=st.tuples(*2 * [st.sampled_from([EVERY, EVERY - {"so"}, frozenset({"so"})])]),
    udp=st.booleans(),
    components=st.integers(1, 2),
    steps=st.lists(st.sampled_from(["to b", "to a", "at once", "a moment", "a while"]), max_size=30),
    early=st.integers(0, 8),
)
def test_candidates_may_come_in_any_order_of_the_two_sides(tcptypes, udp, components, steps, early):
    """Also before the answer has reached the offerer, and with checks going on meanwhile; each side's keep their order."""
    network = Network()
    streams = (StreamPlan(Media.RTP, components),)
    a = network.host(offerer=True, tcptypes=tcptypes[0] | {"active", "passive"}, udp=udp, streams=streams)
    b = network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=tcptypes[1], udp=udp, streams=streams)
    b.tell("accept", "offer", a.describe_at_once())
    for _ in range(early):
        deliver_one(a, b)
    a.tell("accept", "answer", b.describe_at_once())
    for step in steps:
        deliver_one(*((a, b) if step == "to b" else (b, a)))
        network.run({"a moment": 0.02, "a while": 0.7}.get(step, 0))
    while a.trickled or b.trickled:
        deliver_one(a, b)
        deliver_one(b, a)
    expected = tcptypes[1] != frozenset({"so"}) or udp or "so" in tcptypes[0]
    network.run(60, lambda: expected and a.agent.state is b.agent.state is State.COMPLETED)
    wanted = State.COMPLETED if expected else State.FAILED
    assert (a.agent.state, b.agent.state) == (wanted, wanted)
    assert (State.FAILED in a.states + b.states) is not expected
