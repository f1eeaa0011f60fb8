"""Restarts and updated descriptions, without a socket."""

from __future__ import annotations

import re

import pytest
from agent_simulation import Network, Peer

from conformance.agent.config import Media, StreamPlan
from conformance.agent.events import AgentError, Rejected, State
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription

BOTH = frozenset({"active", "passive"})
ACTIVE, PASSIVE = frozenset({"active"}), frozenset({"passive"})


def completed(network, ours=BOTH, theirs=BOTH, **more):
    a = network.host(offerer=True, tcptypes=ours, **more)
    b = network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=theirs, **more)
    network.complete(a, b)
    return a, b


def media(text):
    return SessionDescription.parse(text).media[0]


def said(a, b, octets=b"ping"):
    """Whether each still hears the other."""
    heard = []
    for one, other in ((a, b), (b, a)):
        other.data.clear()
        one.tell("send", 1, octets)
        one.network.run(0.05)
        heard.append(b"".join(other.data.get((0, 1), [])) == octets)
    return all(heard)


def all_completed(network, *hosts):
    assert network.run(5, lambda: all(host.agent.state is State.COMPLETED for host in hosts))
    network.run(0.1)


# -- restarts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ours", "theirs"), [(BOTH, BOTH), (ACTIVE, PASSIVE), (PASSIVE, ACTIVE)])
@pytest.mark.parametrize("offerer", [0, 1])
def test_either_side_restarts_and_data_flows_all_the_time(offerer, ours, theirs):
    network = Network()
    hosts = completed(network, ours, theirs)
    one, other = hosts[offerer], hosts[1 - offerer]
    roles = [host.agent.controlling for host in hosts]
    before = one.open_ends[0]
    one.tell("restart")
    assert said(*hosts), "after the restart has been asked for"
    offer = one.describe()
    other.tell("accept", "offer", offer)
    answer = other.describe()
    assert before.open
    assert said(*hosts), "during the restart"
    one.tell("accept", "answer", answer)
    assert one.agent.state is State.CHECKING
    all_completed(network, *hosts)
    assert [host.agent.controlling for host in hosts] == roles, "roles stay (RFC 8445 section 6.1.1)"
    assert not before.open, "the former connection is closed"
    assert len(one.open_ends) == len(other.open_ends) == 1
    assert said(*hosts)
    network.run(60)
    assert said(*hosts)


def test_a_restart_has_new_credentials_and_a_higher_version():
    network = Network()
    a, b = completed(network)
    first = a.agent._exchange.described
    a.tell("restart")
    second = a.describe()
    assert media(first).ufrag != media(second).ufrag
    assert media(first).pwd != media(second).pwd
    versions = [SessionDescription.parse(text).values("o")[0].split()[1:3] for text in (first, second)]
    assert versions[0][0] == versions[1][0]
    assert int(versions[1][1]) == int(versions[0][1]) + 1
    b.tell("accept", "offer", second)
    assert media(b.describe()).ufrag != media(b.agent._exchange.described).pwd


def test_restarts_follow_each_other():
    network = Network()
    a, b = completed(network)
    for one, other in ((a, b), (b, a), (a, b)):
        one.tell("restart")
        other.tell("accept", "offer", one.describe())
        one.tell("accept", "answer", other.describe())
        all_completed(network, a, b)
        assert said(a, b)
        assert len(a.open_ends) == 1


def test_a_restart_before_completion_begins_the_checks_anew():
    network = Network()
    a = network.host(offerer=True)
    b = network.host(offerer=False, addresses=["10.0.0.2"])
    network.exchange(a, b)
    a.tell("restart")
    b.tell("accept", "offer", a.describe())
    a.tell("accept", "answer", b.describe())
    all_completed(network, a, b)
    assert said(a, b)
    network.run(5)
    assert len(a.open_ends) == len(b.open_ends) == 1


def test_two_components_restart():
    network = Network()
    plan = (StreamPlan(Media.RTP, 2),)
    a, b = completed(network, streams=plan)
    b.tell("restart")
    a.tell("accept", "offer", b.describe())
    b.tell("accept", "answer", a.describe())
    all_completed(network, a, b)
    assert len(a.open_ends) == 2
    assert said(a, b, b"\x80ping")


def test_a_failed_restart_leaves_the_old_connection():
    network = Network()
    a, b = completed(network, ACTIVE, PASSIVE)
    a.tell("restart")
    b.tell("accept", "offer", a.describe())
    a.tell("accept", "answer", b.describe())
    for address in list(network.listeners):
        del network.listeners[address]
    network.run(60)
    assert a.agent.state is State.FAILED
    assert said(a, b)


def restarting(network):
    """Let a scripted controlled peer complete with an agent, which then restarts."""
    agent = network.host(offerer=True)
    offer = media(agent.describe())
    peer = Peer(offer.ufrag, offer.pwd)
    agent.tell("accept", "answer", peer.description(peer.active, setup="active"))
    end = network.dial(next(c for c in offer.candidates if c.tcptype == "passive").endpoint)
    end.ask(peer.check())
    for _ in range(2):
        network.run(0.5)
        request = end.requests()[-1]
        end.send(frame(peer.success(request, end.other.address)))
    network.run(0.5)
    assert agent.agent.state is State.COMPLETED
    agent.tell("restart")
    return agent, peer, end, media(agent.describe())


def test_checks_with_old_credentials_are_answered_until_the_restart_completes():
    network = Network()
    agent, peer, end, offer = restarting(network)
    assert end.ask(peer.check()).is_success
    fresh = Peer(offer.ufrag, offer.pwd)
    fresh.ufrag, fresh.pwd = "fresh", "f" * 24
    new = network.dial(next(c for c in offer.candidates if c.tcptype == "passive").endpoint)
    assert new.ask(fresh.check()).is_success, "before the answer"
    assert not new.requests()
    agent.tell("accept", "answer", fresh.description(fresh.active, setup="active"))
    for _ in range(2):
        network.run(0.5)
        new.send(frame(fresh.success(new.requests()[-1], new.other.address)))
    network.run(0.5)
    assert agent.agent.state is State.COMPLETED
    assert not end.open
    assert new.ask(peer.check()).error_code.code == 401


def test_consent_is_kept_up_on_the_old_connection_with_its_credentials():
    network = Network()
    _, peer, end, _ = restarting(network)
    before = len(end.requests())
    network.run(7, lambda: len(end.requests()) > before)
    request = end.requests()[-1]
    assert request.username == f"{peer.ufrag}:{peer.iut_ufrag}"


def test_an_answer_without_new_credentials_is_no_answer_to_a_restart():
    network = Network()
    agent, peer, _, _ = restarting(network)
    with pytest.raises(Rejected, match="restarts"):
        agent.tell("accept", "answer", peer.description(peer.active, setup="active"))


def test_turns_are_kept():
    network = Network()
    a, b = completed(network)
    offer = a.agent._exchange.described
    with pytest.raises(AgentError, match="waits for"):
        a.tell("accept", "answer", b.agent._exchange.described)
    a.tell("restart")
    with pytest.raises(AgentError, match="waits for its answer"):
        a.tell("restart")
    with pytest.raises(AgentError, match="waits for"):
        a.tell("accept", "offer", offer)
    with pytest.raises(AgentError, match="before the offer"):
        a.tell("accept", "answer", b.agent._exchange.described)


def test_half_a_restart_and_other_streams_are_rejected():
    network = Network()
    a, b = completed(network)
    text = a.agent._exchange.described
    half = text.replace(f"a=ice-ufrag:{media(text).ufrag}", "a=ice-ufrag:another")
    with pytest.raises(Rejected, match="both"):
        b.tell("accept", "offer", half)
    less = text[: text.index("m=")]
    with pytest.raises(Rejected, match="a section for each"):
        b.tell("accept", "offer", less)
    other = text.replace("a=ice-options:", "a=ice-options:x-new ")
    with pytest.raises(Rejected, match="only in a restart"):
        b.tell("accept", "offer", other)
    assert said(a, b)


def test_a_later_offer_adds_and_removes_a_stream():
    network = Network()
    a, b = completed(network)
    text = a.agent._exchange.described
    section = text.split("m=", 1)[1]
    more = text + "m=" + re.sub("a=mid:.*", "a=mid:more", re.sub("a=ice-ufrag:.*", "a=ice-ufrag:more", section))
    b.tell("accept", "offer", more)
    first, second = SessionDescription.parse(b.describe()).media
    assert first.port
    assert second.port
    assert second.ufrag != first.ufrag
    assert [c.tcptype for c in second.candidates]
    removed = more.replace("m=" + section, re.sub(r"^(m=\S+) \d+", r"\1 0", "m=" + section), 1)
    b.tell("accept", "offer", removed)
    first, second = SessionDescription.parse(b.describe()).media
    assert (first.port, first.candidates) == (0, [])
    assert second.port
    assert not [c for c in b.agent._connections if c.stream == 0]
    assert {owner.index for owner, _ in b.agent._bases.values()} == {1}


# -- updated descriptions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offerer", [0, 1])
def test_an_updated_offer_names_what_is_there(offerer):
    network = Network()
    hosts = completed(network, ACTIVE, PASSIVE)
    one, other = hosts[offerer], hosts[1 - offerer]
    first = media(one.agent._exchange.described)
    offer = one.describe()
    section = media(offer)
    assert (section.ufrag, section.pwd) == (first.ufrag, first.pwd)
    assert section.connection == "existing"
    assert section.setup == ("passive" if offerer else "active")
    assert len(section.candidates) == 1
    assert section.port == section.candidates[0].port
    assert section.has("remote-candidates") is (offerer == 0), "only the controlling side says so"
    other.tell("accept", "offer", offer)
    answer = other.describe()
    assert media(answer).connection == "existing"
    assert not media(answer).has("remote-candidates")
    one.tell("accept", "answer", answer)
    network.run(5)
    assert one.agent.state is other.agent.state is State.COMPLETED
    assert len(one.open_ends) == 1
    assert said(*hosts)


def test_the_remote_candidates_are_the_selected_pairs():
    network = Network()
    a, b = completed(network, ACTIVE, PASSIVE)
    ear = media(b.agent._exchange.described).candidates[0]
    assert media(a.describe()).attribute("remote-candidates") == f"1 {ear.address} {ear.port}"


def test_an_updated_offer_for_a_new_connection_is_answered_so():
    network = Network()
    a, b = completed(network)
    b.tell("accept", "offer", a.describe().replace("connection:existing", "connection:new"))
    assert media(b.describe()).connection == "new"


def test_an_answer_with_other_credentials_does_not_fit_an_update():
    network = Network()
    a, b = completed(network)
    a.describe()
    other = b.agent._exchange.described.replace(media(b.agent._exchange.described).ufrag, "another")
    with pytest.raises(Rejected):
        a.tell("accept", "answer", other)


# -- restarts because a connection cannot be reopened ------------------------------------------------------------------


def test_what_cannot_be_reopened_is_offered_anew_by_the_controlling_side():
    network = Network()
    a, b = completed(network, ACTIVE, PASSIVE)
    before = media(a.agent._exchange.described)
    listeners, network.listeners = network.listeners, {}
    a.open_ends[0].close()
    a.tell("closed", next(iter(a.ends)), "reset")
    a.tell("send", 1, b"x")
    network.run(1)
    assert a.agent.state is State.FAILED
    network.listeners = listeners
    offer = a.describe()
    assert media(offer).ufrag != before.ufrag
    b.tell("accept", "offer", offer)
    a.tell("accept", "answer", b.describe())
    all_completed(network, a, b)
    assert said(a, b)


def test_a_check_of_the_restart_on_the_old_connection_is_answered_and_changes_nothing():
    network = Network()
    agent, _, end, offer = restarting(network)
    fresh = Peer(offer.ufrag, offer.pwd)
    fresh.ufrag, fresh.pwd = "fresh", "f" * 24
    agent.tell("accept", "answer", fresh.description(fresh.active, setup="active"))
    fresh._ids.seed(9)
    agent.agent._role.controlling = False
    assert end.ask(fresh.check(controlling=True, use_candidate=True)).is_success
    network.run(1)
    assert agent.agent.state is State.CHECKING, "the old pair is not what the restart selects"


def test_a_later_answer_without_ice_stops_consent_and_the_next_offer_restarts():
    network = Network()
    a, b = completed(network)
    ufrag = media(a.describe()).ufrag  # an updated offer
    b.tell("accept", "offer", a.agent._exchange.described)
    answer = "".join(line for line in b.describe().splitlines(True) if not line.startswith(("a=ice", "a=candidate")))
    a.tell("accept", "answer", answer)
    assert not list(a.agent._consent)
    assert said(a, b)
    assert media(restarted_offer(a)).ufrag != ufrag


def restarted_offer(host):
    host.tell("gather")
    host.network.run(0.1)
    return host.describe()
