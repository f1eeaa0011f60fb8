"""The agent's core against a scripted peer: what fails, when, and what that costs the other pairs."""

from __future__ import annotations

import pytest
from agent_scripts import base_of, scripted
from agent_simulation import Network, Peer

from conformance.agent.events import State
from conformance.wire.attributes import Address, RawAttribute
from conformance.wire.integrity import short_term_key
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import Message, build


def test_nothing_reachable_fails_but_not_before_the_peer_had_its_time():
    network = Network()
    a, _, (ear,), _ = scripted(network)
    del network.listeners[ear.address]
    network.run(39)
    assert a.agent.state is State.CHECKING
    network.run(1)
    assert a.agent.state is State.FAILED


def test_late_check_revives_a_failed_session():
    network = Network()
    a, peer, (ear,), own = scripted(network, offerer=False)
    del network.listeners[ear.address]
    network.run(41)
    assert a.agent.state is State.FAILED
    end = network.dial(base_of(own))
    assert end.ask(peer.check(controlling=True)).is_success
    assert a.agent.state is State.CHECKING


def test_silent_addresses_are_given_up_and_no_more_than_five_tried_at_once():
    network = Network()
    b = network.host(offerer=True)
    own = SessionDescription.parse(b.describe()).media[0]
    peer = Peer(own.ufrag, own.pwd)
    addresses = [Address("10.0.0.9", 7000 + n) for n in range(9)]
    network.silent.update(addresses)
    b.tell("accept", "answer", peer.description(*(peer.passive(x, str(n)) for n, x in enumerate(addresses))))
    network.run(10)
    assert len(b.connects) == 5
    gaps = [later - earlier for (earlier, _), (later, _) in zip(b.connects, b.connects[1:], strict=False)]
    assert min(gaps) >= 0.0499, "faster than one check a Ta"
    network.run(30)
    assert len(b.connects) == 9
    network.run(30)
    assert b.agent.state is State.FAILED


def test_refused_connection_fails_its_pair_only():
    network = Network()
    _a, _peer, ears, _ = scripted(network, listeners=2, foundations=False)
    del network.listeners[ears[0].address]
    network.run(0.5)
    assert len(ears[1].ends[0].requests()) == 1


def test_lost_connection_fails_its_pair():
    network = Network()
    a, _peer, ears, _ = scripted(network, listeners=2)
    network.run(0.2)
    ears[0].ends[0].close()
    network.run(0.1)
    assert {pair.state.value for pair in a.agent._streams[0].checks.pairs} == {"failed", "in-progress"}


def test_lost_connection_while_nominating_fails_the_check_list():
    network = Network()
    a, peer, (ear,), _ = scripted(network)
    network.run(0.2)
    (end,) = ear.ends
    end.send(frame(peer.success(end.requests()[0], end.other.address)))
    network.run(0.5)
    assert end.requests()[-1].use_candidate
    end.close()
    network.run(0.1)
    assert a.agent.state is State.FAILED


def test_no_answer_fails_after_the_transaction_timeout_without_retransmission():
    network = Network()
    a, _, (ear,), _ = scripted(network)
    network.run(39)
    assert len(ear.ends[0].requests()) == 1
    network.run(2)
    assert a.agent.state is State.FAILED


@pytest.mark.parametrize(
    "octets", [frame(b"\x80not STUN at all, really"), b"HTTP/1.1 400 Bad Request\r\n", frame(bytes(40))]
)
def test_answer_that_is_no_stun_closes_and_fails_the_remote(octets):
    network = Network()
    a, _, (ear,), _ = scripted(network, addresses=["10.0.0.1", "10.0.0.4"])
    network.run(0.03)
    assert len(ear.ends) == 1
    ear.ends[0].send(octets)
    network.run(5)
    assert len(ear.ends) == 1, "it connected again to what is not the peer"
    assert not ear.ends[0].open
    assert {pair.state.value for pair in a.agent._streams[0].checks.pairs} == {"failed"}


def test_null_frame_before_the_answer_is_no_answer():
    network = Network()
    _a, peer, (ear,), _ = scripted(network)
    network.run(0.2)
    (end,) = ear.ends
    end.send(b"\0")
    end.send(b"\0")
    end.send(frame(b"") + frame(peer.success(end.requests()[0], end.other.address)))
    network.run(0.5)
    assert end.requests()[-1].use_candidate


def test_many_null_frames_and_a_response_in_pieces():
    network = Network()
    _, peer, (ear,), _ = scripted(network)
    network.run(0.2)
    (end,) = ear.ends
    response = frame(peer.success(end.requests()[0], end.other.address))
    end.send(frame(b"") * 8 + response[:5])
    end.send(response[5:30])
    end.send(response[30:])
    network.run(0.5)
    assert end.requests()[-1].use_candidate


@pytest.mark.parametrize(
    "how", ["wrong key", "no mapped address", "unknown attribute", "error 401", "error 487 unprotected"]
)
def test_bad_responses_fail_the_pair(how):
    network = Network()
    a, peer, (ear,), _ = scripted(network)
    network.run(0.2)
    (end,) = ear.ends
    (request,) = end.requests()
    responses = {
        "wrong key": lambda: peer.success(request, end.other.address, key=b"wrong"),
        "no mapped address": lambda: _rebuilt(peer.success(request, end.other.address), peer, drop=0x20),
        "unknown attribute": lambda: _rebuilt(peer.success(request, end.other.address), peer, add=0x7FF0),
        "error 401": lambda: peer.error(request, 401),
        "error 487 unprotected": lambda: peer.error(request, 487, key=b"wrong"),
    }
    end.send(frame(responses[how]()))
    network.run(1)
    assert {pair.state.value for pair in a.agent._streams[0].checks.pairs} == {"failed"}
    assert len(end.requests()) == 1
    assert a.agent.controlling


def _rebuilt(octets, peer, drop=None, add=None):
    message = Message.decode(octets)
    body = [a for a in message.attributes if a.type not in (drop, 8, 0x8028)]
    body += [RawAttribute(add, b"")] if add else []
    return build(message.method, message.cls, message.transaction_id, body, key=short_term_key(peer.pwd))


def test_role_conflict_response_changes_role_and_tie_breaker_and_checks_again():
    network = Network()
    a, peer, (ear,), _ = scripted(network)
    network.run(0.2)
    (end,) = ear.ends
    (first,) = end.requests()
    end.send(frame(peer.error(first, 487)))
    network.run(0.5)
    second = end.requests()[1]
    assert not a.agent.controlling
    assert second.ice_controlled is not None
    assert second.ice_controlled != first.ice_controlling
