"""The agent's core, without a socket: two agents in a simulated network, and one against a scripted peer."""

from __future__ import annotations

import re

import pytest
from agent_scripts import ACTIVE, BOTH, PASSIVE, octet_by_octet, pair_of
from agent_simulation import Network, Peer

from conformance.agent.config import Media, StreamPlan
from conformance.agent.events import AgentError, Rejected, State, Unsupported
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import looks_like_stun

# -- two agents ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [lambda o: [o], octet_by_octet], ids=["whole", "octets"])
@pytest.mark.parametrize(("ours", "theirs"), [(BOTH, BOTH), (ACTIVE, PASSIVE), (PASSIVE, ACTIVE), (BOTH, PASSIVE)])
def test_two_agents_complete_and_talk(ours, theirs, cut):
    network = Network(cut)
    a = network.host(offerer=True, tcptypes=ours)
    b = network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=theirs)
    network.complete(a, b)
    assert a.agent.controlling
    assert not b.agent.controlling
    assert a.states == [State.CHECKING, State.CONNECTED, State.COMPLETED]
    assert len(a.open_ends) == len(b.open_ends) == 1, "the connections that were not selected are open"
    assert a.open_ends[0].other is b.open_ends[0]
    local, remote = a.selected[0, 1]
    assert (remote, local) == tuple(map(endpoint_like, b.selected[0, 1], (remote, local)))
    a.tell("send", 1, b"to b")
    b.agent.send(1, b"to a", network.now)
    b.carry_out()
    network.run(1)
    assert b"".join(b.data[0, 1]) == b"to b"
    assert b"".join(a.data[0, 1]) == b"to a"


def endpoint_like(mine, theirs):
    """Return theirs if both mean the same transport address."""
    assert mine.endpoint == theirs.endpoint
    return theirs


def test_exactly_one_pair_is_nominated_and_not_by_the_first_check():
    network = Network()
    a = network.host(offerer=True)
    offer = SessionDescription.parse(a.describe()).media[0]
    peer = Peer(offer.ufrag, offer.pwd)
    listeners = [network.listen(port=5001), network.listen(port=5002)]
    answer = peer.description(*(peer.passive(ear.address, str(n)) for n, ear in enumerate(listeners)))
    a.tell("accept", "answer", answer)
    network.run(0.2)
    ends = [listener.ends[0] for listener in listeners]
    for end in ends:
        (request,) = end.requests()
        assert not request.use_candidate
        end.send(frame(peer.success(request, end.other.address)))
    network.run(2)
    nominations = [r for end in ends for r in end.requests() if r.use_candidate]
    assert len(nominations) == 1
    chosen = next(end for end in ends if len(end.requests()) > 1)
    chosen.send(frame(peer.success(nominations[0], chosen.other.address)))
    network.run(0.1)
    assert a.agent.state is State.COMPLETED
    assert [end.open for end in ends] == [end is chosen for end in ends]


def test_several_addresses_families_components_and_streams():
    network = Network()
    streams = (StreamPlan(Media.RTP, 2, "a"), StreamPlan(Media.BYTES, 1, "b"))
    a = network.host(offerer=True, addresses=["10.0.0.1", "2001:db8::1"], streams=streams)
    b = network.host(
        offerer=False, addresses=["2001:db8::2", "10.0.0.2", "10.0.0.3"], streams=(StreamPlan(components=2),)
    )
    network.complete(a, b)
    assert sorted(a.selected) == sorted(b.selected) == [(0, 1), (0, 2), (1, 1)]
    for key, (local, remote) in a.selected.items():
        assert (":" in local.address) == (":" in remote.address), key
    network.run(5)
    assert len(a.open_ends) == 3
    for stream, component in a.selected:
        a.tell("send", component, b"\x80 %d %d" % (stream, component)) if stream == 0 else a.agent.send(
            component, b"\x80 1 1", network.now, stream=1
        )
    a.carry_out()
    network.run(0.1)
    assert b.data == {(0, 1): [b"\x80 0 1"], (0, 2): [b"\x80 0 2"], (1, 1): [b"\x80 1 1"]}


def test_components_are_those_that_both_have():
    network = Network()
    a = network.host(offerer=True, streams=(StreamPlan(Media.RTP, 2),))
    b = network.host(offerer=False, addresses=["10.0.0.2"])
    network.complete(a, b)
    assert list(a.selected) == [(0, 1)]


@pytest.mark.parametrize("controlling", [True, False])
@pytest.mark.parametrize("seeds", [(1, 2), (2, 1), (3, 4)])
def test_role_conflict_is_resolved(controlling, seeds):
    network = Network()
    a = network.host(offerer=True, seed=seeds[0])
    b = network.host(offerer=False, addresses=["10.0.0.2"], seed=seeds[1])
    for host in (a, b):
        host.agent._role.controlling = controlling
    network.complete(a, b)
    assert a.agent.controlling is not b.agent.controlling


def test_early_checks_are_answered_at_once_and_taken_up_later():
    network = Network()
    a, b = pair_of(network, tcptypes=BOTH)
    offer = a.describe()
    b.tell("accept", "offer", offer)
    answer = b.describe()
    network.run(1)
    assert b.agent.state is State.CONNECTED, "its checks were answered although the answer has not arrived"
    assert a.agent.state is State.NEW
    a.tell("accept", "answer", answer)
    assert network.run(3, lambda: a.agent.state is b.agent.state is State.COMPLETED)


def test_data_before_the_selection_is_held_back():
    network = Network()
    a, b = pair_of(network)
    a.describe()
    a.tell("send", 1, b"early ")
    network.complete(a, b)
    a.tell("send", 1, b"late")
    network.run(0.1)
    assert b"".join(b.data[0, 1]) == b"early late"
    with pytest.raises(AgentError, match="limit"):
        pair_of(network)[0].tell("send", 1, bytes(2 << 20))


def test_selected_connection_lost():
    network = Network()
    a, b = pair_of(network)
    network.complete(a, b)
    a.open_ends[0].close()
    network.run(0.1)
    assert b.agent.state is State.DISCONNECTED


def test_close_ends_everything():
    network = Network()
    a, b = pair_of(network)
    network.complete(a, b)
    a.agent.close()
    a.carry_out()
    network.run(1)
    assert not a.open_ends
    assert not b.open_ends
    assert a.states[-1] is State.CLOSED
    assert not [ear for ear in network.listeners.values() if ear.host is a]
    assert a.agent.next_timer() is None
    with pytest.raises(AgentError, match="closed"):
        a.tell("send", 1, b"x")


def test_unselected_bases_are_freed_after_the_grace():
    network = Network()
    a, b = pair_of(network)
    network.complete(a, b)
    listening = list(network.listeners.values())
    assert len(listening) == 2
    network.run(3.1)
    (kept,) = network.listeners.values()
    assert kept.host.agent._streams[0].serves_selected(kept.host.agent._bases[kept.base][1])


# -- data ----------------------------------------------------------------------------------------------------------


def test_byte_stream_never_looks_like_stun():
    network = Network()
    a, b = pair_of(network)
    network.complete(a, b)
    lookalike = Peer("u", "p").check()
    assert looks_like_stun(lookalike)
    a.tell("send", 1, lookalike * 3)
    a.tell("send", 1, lookalike)
    a.tell("send", 1, bytes([0x80]) * 100_000)
    network.run(0.1)
    assert b"".join(b.data[0, 1]) == lookalike * 4 + bytes([0x80]) * 100_000


def test_what_cannot_be_sent():
    network = Network()
    a = network.host(offerer=True, streams=(StreamPlan(Media.RTP),))
    for component, octets in ((1, bytes(65536)), (1, Peer("u", "p").check()), (2, b"x"), (0, b"x")):
        with pytest.raises(Unsupported):
            a.tell("send", component, octets)


# -- descriptions out of turn --------------------------------------------------------------------------------------


def test_descriptions_out_of_turn():
    network = Network()
    a, b = pair_of(network)
    with pytest.raises(AgentError, match="still being gathered"):
        a.tell("describe")
    with pytest.raises(AgentError, match="after the offer"):
        b.describe()
    offer = a.describe()
    assert offer == a.describe()
    with pytest.raises(AgentError, match="waits for"):
        a.tell("accept", "offer", offer)
    with pytest.raises(AgentError, match="waits for"):
        b.tell("accept", "answer", offer)
    b.tell("accept", "offer", offer)
    with pytest.raises(AgentError, match="has its answer"):
        b.tell("accept", "offer", offer)
    with pytest.raises(AgentError, match="before the offer"):
        pair_of(network)[0].tell("accept", "answer", b.describe())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "garbage",
        lambda text: text + text[text.index("m=") :],
        lambda text: text.replace("a=ice-ufrag:", "a=ice-ufrag:?"),
    ],
)
def test_unusable_answers_are_rejected(spoil):
    network = Network()
    a, b = pair_of(network)
    offer = a.describe()
    b.tell("accept", "offer", offer)
    with pytest.raises(Rejected):
        a.tell("accept", "answer", spoil(b.describe()))
    assert a.agent.state is State.NEW


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("a=ice-", "a=x-"),
        lambda text: re.sub(r"a=candidate:.*\r\n", "", text) + "a=ice-mismatch\r\n",
        lambda text: re.sub(r"m=application \d+", "m=application 0", text),
    ],
    ids=["no-ice", "mismatch", "port-0"],
)
def test_an_answer_without_ice_ends_it(spoil):
    network = Network()
    a, b = pair_of(network)
    b.tell("accept", "offer", a.describe())
    answer = b.describe()
    a.tell("accept", "answer", spoil(answer))
    network.run(2)
    assert a.agent.state is State.FAILED
    assert not list(a.agent._connections)
    assert not a.agent._bases
    with pytest.raises(AgentError, match="not in use"):
        a.tell("send", 1, b"data")


def test_an_offer_without_ice_is_rejected():
    network = Network()
    a, b = pair_of(network)
    with pytest.raises(Rejected, match="no media section"):
        b.tell("accept", "offer", a.describe().replace("a=ice-", "a=x-"))


def test_a_lite_peer_makes_the_answerer_controlling():
    network = Network()
    a = network.host(offerer=False)
    peer = Peer("", "")
    text = peer.description(peer.passive(Address("10.0.0.9", 5)), setup="actpass")
    a.tell("accept", "offer", text.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\na=ice-pacing:200\r\n"))
    assert a.agent.controlling
    assert a.agent._checks.pacing == pytest.approx(0.2)


def test_listening_sockets_that_cannot_be_had():
    network = Network()
    a = network.host(offerer=True)
    a.agent.gather(network.now)
    a.agent.take()
    a.agent.listen_failed(2, "in use", network.now)
    sdp = SessionDescription.parse(a.tell("describe")[1]).media[0]
    assert [c.tcptype for c in sdp.candidates] == ["active"]
    only = network.host(offerer=True, tcptypes=PASSIVE)
    only.agent.gather(network.now)
    only.agent.take()
    only.agent.listen_failed(1, "in use", network.now)
    with pytest.raises(AgentError, match="no candidate"):
        only.tell("describe")
