"""Selected pairs after completion, without a socket: consent, and connections that are lost and come back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from agent_simulation import Network, Peer

from conformance.agent.config import StreamPlan
from conformance.agent.events import AgentError, State
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription


def two(network, **more):
    a = network.host(offerer=True, tcptypes=frozenset({"active"}), **more)
    b = network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=frozenset({"passive"}), **more)
    network.complete(a, b)
    return a, b


def lose(network, host):
    host.open_ends[0].close()
    host.tell("closed", next(iter(host.ends)), "reset")
    network.run(0.1)


def text(host):
    return b"".join(host.data.get((0, 1), []))


def selected_by_agent(network, **more):
    """Let an active, controlling agent complete with a scripted passive peer; return the three."""
    agent = network.host(offerer=True, tcptypes=frozenset({"active"}), **more)
    offer = SessionDescription.parse(agent.describe()).media[0]
    peer, listener = Peer(offer.ufrag, offer.pwd), network.listen(port=5001)
    agent.tell("accept", "answer", peer.description(peer.passive(listener.address)))
    network.run(0.1)
    (end,) = listener.ends
    answer_all(network, peer, end)
    network.run(1)
    answer_all(network, peer, end)
    network.run(0.1)
    assert agent.agent.state is State.COMPLETED
    return agent, peer, listener


def answer_all(network, peer, end):
    for request in end.requests():
        end.send(frame(peer.success(request, end.other.address)))
    network.run(0.01)


# -- connections that come back ------------------------------------------------------------------------------------


def test_the_active_side_reopens_when_it_has_data_and_both_can_talk():
    network = Network()
    a, b = two(network)
    lose(network, a)
    assert a.agent.state is b.agent.state is State.DISCONNECTED
    assert not a.open_ends, "without data there is no need of a connection"
    a.tell("send", 1, b"back ")
    a.tell("send", 1, b"again")
    network.run(0.1)
    assert len(a.open_ends) == len(b.open_ends) == 1
    assert text(b) == b"back again"
    b.tell("send", 1, b"welcome")
    network.run(0.1)
    assert text(a) == b"welcome"
    assert a.agent.state is b.agent.state is State.COMPLETED
    network.run(25)
    assert len(a.open_ends) == 1, "it is the selected one now"


def test_no_more_than_five_connections_are_reopened_at_once():
    """RFC 6544 section 12."""
    network = Network()
    a = network.host(offerer=True, tcptypes=frozenset({"active"}), streams=(StreamPlan(components=8),))
    more = {"tcptypes": frozenset({"passive"}), "streams": (StreamPlan(components=8),)}
    b = network.host(offerer=False, addresses=["10.0.0.2"], **more)
    network.complete(a, b, within=10)
    for end in list(a.open_ends):
        end.close()
        a.tell("closed", end.number, "lost")
    network.run(0.1)
    before = len(a.connects)
    for component in range(1, 9):
        a.tell("send", component, b"back")
    assert len(a.connects) - before == 5
    network.run(0.5)
    assert len(a.connects) - before == 8
    assert len(b.open_ends) == 8
    assert b.data == {(0, component): [b"back"] for component in range(1, 9)}


def test_the_passive_side_waits_with_its_data():
    network = Network()
    a, b = two(network)
    lose(network, a)
    attempts = len(b.connects)
    b.tell("send", 1, b"waiting")
    network.run(5)
    assert len(b.connects) == attempts
    a.tell("send", 1, b"here")
    network.run(0.1)
    assert text(a) == b"waiting"
    assert text(b) == b"here"


def test_data_waits_for_the_check_on_the_reopened_connection():
    network = Network()
    agent, peer, listener = selected_by_agent(network)
    listener.ends[0].close()
    network.run(0.1)
    agent.tell("send", 1, b"held")
    network.run(0.5)
    end = listener.ends[1]
    (request,) = end.requests()
    assert not request.use_candidate, "the pair is selected already"
    assert len(end.frames) == 1
    end.send(frame(peer.success(request, end.other.address)))
    network.run(0.1)
    assert end.frames[-1] == b"held"


def test_a_check_on_the_reopened_connection_triggers_one_and_only_one():
    network = Network()
    b = network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=frozenset({"passive"}))
    peer = Peer("", "")
    b.tell("accept", "offer", peer.description(peer.active, setup="active"))
    answer = SessionDescription.parse(b.describe()).media[0]
    peer.iut_ufrag, peer.iut_pwd = answer.ufrag, answer.pwd
    first = network.dial(answer.candidates[0].endpoint)
    first.ask(peer.check(controlling=True))
    answer_all(network, peer, first)
    first.ask(peer.check(controlling=True, use_candidate=True))
    network.run(4)
    assert b.agent.state is State.COMPLETED
    first.close()
    network.run(0.1)
    b.tell("send", 1, b"held")
    again = network.dial(answer.candidates[0].endpoint)
    assert again.ask(peer.check(controlling=True)).is_success
    again.ask(peer.check(controlling=True))
    (request,) = again.requests()
    assert b"held" not in again.frames
    again.send(frame(peer.success(request, again.other.address)))
    network.run(0.1)
    assert again.frames[-1] == b"held"


def unreachable(network, listener):
    """Let nobody listen any more."""
    listener.ends[-1].close()
    del network.listeners[listener.address]
    network.run(0.1)


@pytest.mark.parametrize("how", ["refused", "silent", "check refused", "check unanswered"])
def test_what_cannot_be_reopened_is_given_up_and_asks_for_a_restart(how):
    network = Network()
    agent, peer, listener = selected_by_agent(network)
    if how in ("refused", "silent"):
        unreachable(network, listener)
    else:
        listener.ends[0].close()
        network.run(0.1)
    if how == "silent":
        network.silent.add(listener.address)
    agent.tell("send", 1, b"x")
    network.run(0.5)
    if how == "check refused":
        (request,) = listener.ends[1].requests()
        listener.ends[1].send(frame(peer.error(request, 400)))
    network.run(45)
    assert agent.agent.state is State.FAILED
    with pytest.raises(AgentError, match="lost its connection"):
        agent.tell("send", 1, b"y")
    assert not agent.open_ends


# -- consent -------------------------------------------------------------------------------------------------------


def test_consent_is_renewed_every_four_to_six_seconds_by_both():
    network = Network()
    a, b = two(network)
    network.run(300)
    assert a.agent.state is b.agent.state is State.COMPLETED
    assert len(a.open_ends) == 1


def test_consent_checks_are_plain_and_new_each_time():
    network = Network()
    _, peer, listener = selected_by_agent(network)
    end = listener.ends[0]
    before, times = len(end.requests()), []
    while len(times) < 12:
        network.run(10, lambda before=before: len(end.requests()) > before)
        times.append(network.now)
        before += 1
        answer_all(network, peer, end)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(3.9 <= gap <= 6.1 for gap in gaps)
    assert max(gaps) - min(gaps) > 0.2, "intervals are randomised"
    asked = end.requests()[-12:]
    assert not any(request.use_candidate for request in asked)
    assert len({request.transaction_id for request in asked}) == 12


def test_nothing_is_sent_without_consent():
    network = Network()
    agent, _, _ = selected_by_agent(network)
    network.run(29)
    assert agent.agent.state is State.COMPLETED
    network.run(2)
    assert agent.agent.state is State.FAILED
    assert not agent.open_ends
    with pytest.raises(AgentError):
        agent.tell("send", 1, b"x")


def test_consent_is_revoked_by_403():
    network = Network()
    agent, peer, listener = selected_by_agent(network)
    end = listener.ends[0]
    before = len(end.requests())
    network.run(10, lambda: len(end.requests()) > before)
    end.send(frame(peer.error(end.requests()[-1], 403)))
    network.run(0.1)
    assert agent.agent.state is State.FAILED


def test_answers_of_strangers_do_not_renew_consent():
    network = Network()
    agent, peer, listener = selected_by_agent(network)
    end = listener.ends[0]
    for _ in range(8):
        before = len(end.requests())
        network.run(6.5, lambda before=before: len(end.requests()) > before)
        end.send(frame(peer.success(end.requests()[-1], end.other.address, key=b"wrong")))
    assert agent.agent.state is State.FAILED


def test_consent_can_be_left_alone():
    network = Network()
    agent, _, listener = selected_by_agent(network, consent=0.0)
    before = len(listener.ends[0].requests())
    network.run(100)
    assert len(listener.ends[0].requests()) == before
    assert agent.agent.state is State.COMPLETED
