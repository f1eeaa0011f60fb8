"""Lite mode: beside a full agent, beside a lite one, and what its descriptions say."""

from __future__ import annotations

import pytest
from agent_simulation import Network, Peer

from conformance.agent.config import Media, StreamPlan
from conformance.agent.events import State
from conformance.agent.faults import BY_NAME
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription

FOUR, OTHER = "10.0.0.1", "10.0.0.2"


def parsed(text):
    description = SessionDescription.parse(text)
    return description, description.media[0]


def lite_host(network, ip=FOUR, **more):
    return network.host(addresses=[ip], lite=True, **more)


def test_a_lite_offer_has_a_passive_default_and_says_lite():
    description, media = parsed(lite_host(Network(), offerer=True).describe())
    assert description.ice_lite
    assert description.attribute("ice-pacing") is None
    (only,) = media.candidates
    assert (only.tcptype, only.type) == ("passive", "host")
    assert (media.setup, media.port, media.connection_address) == ("passive", only.port, FOUR)


@pytest.mark.parametrize(
    ("offered", "setup", "tcptypes"),
    [
        ("actpass", "passive", {"passive"}),
        ("active", "passive", {"passive"}),
        ("passive", "active", {"passive", "active"}),
        ("holdconn", "holdconn", {"passive"}),
    ],
)
def test_a_lite_answer_has_an_active_candidate_only_where_its_default_must_be(offered, setup, tcptypes):
    host = lite_host(Network(), offerer=False)
    host.tell("accept", "offer", Peer("", "").description(Peer.active, setup=offered))
    description, media = parsed(host.describe())
    assert description.ice_lite
    assert media.setup == setup
    assert {c.tcptype for c in media.candidates} == tcptypes


@pytest.mark.parametrize("lite_offers", [True, False])
@pytest.mark.parametrize("components", [1, 2])
def test_a_full_agent_checks_and_nominates_and_the_lite_one_follows(lite_offers, components):
    network = Network()
    streams = (StreamPlan(Media.RTP, components),)
    lite = lite_host(network, offerer=lite_offers, streams=streams)
    full = network.host(offerer=not lite_offers, addresses=[OTHER], streams=streams)
    network.complete(lite if lite_offers else full, full if lite_offers else lite)
    assert full.agent.controlling
    assert not lite.agent.controlling
    assert not lite.connects
    full.tell("send", components, b"\x80there")
    lite.tell("send", components, b"\x80back")
    network.run(0.1)
    assert lite.data == {(0, components): [b"\x80there"]}
    assert full.data == {(0, components): [b"\x80back"]}
    assert lite.selected[0, 1][1].address == OTHER
    assert len(lite.open_ends) == components


@pytest.fixture
def met():
    """A lite offerer that has its answer, and a connection of the full peer."""
    network = Network()
    host = lite_host(network, offerer=True, streams=(StreamPlan(Media.RTP),))
    _, media = parsed(host.describe())
    peer = Peer(media.ufrag, media.pwd)
    end = network.dial(Address(FOUR, media.port))
    return network, host, peer, end


def answer(host, peer, **more):
    host.tell("accept", "answer", peer.description(Peer.active, setup="active", media="audio 9 TCP/RTP/AVP 0", **more))


def test_checks_are_answered_and_never_sent(met):
    network, host, peer, end = met
    answer(host, peer)
    assert end.ask(peer.check(controlling=True)).is_success
    network.run(60)
    assert end.requests() == []
    assert host.agent.state is State.CHECKING


def test_the_nomination_selects_even_if_it_came_before_the_answer(met):
    _, host, peer, end = met
    assert end.ask(peer.check(controlling=True, use_candidate=True)).is_success
    assert host.agent.state is State.NEW
    answer(host, peer)
    assert host.agent.state is State.COMPLETED
    assert host.selected[0, 1][1].endpoint == end.address


def test_a_second_nomination_of_the_component_is_refused(met):
    network, host, peer, end = met
    answer(host, peer)
    end.ask(peer.check(controlling=True, use_candidate=True))
    second = network.dial(Address(FOUR, next(iter(network.listeners)).port))
    assert second.ask(peer.check(controlling=True, use_candidate=True)).is_error
    assert end.ask(peer.check(controlling=True, use_candidate=True)).is_success


def test_a_role_conflict_is_not_for_a_lite_agent(met):
    _, host, peer, end = met
    answer(host, peer)
    assert end.ask(peer.check(controlling=False, tie_breaker=0)).is_success
    assert not host.agent.controlling


def two(network, offered="passive", **more):
    one = lite_host(network, offerer=True, **more)
    other = lite_host(network, OTHER, offerer=False, **more)
    return one, other


@pytest.mark.parametrize("components", [1, 2])
def test_two_lite_agents_use_what_rfc_4145_connects(components):
    network = Network()
    offerer, answerer = two(network, streams=(StreamPlan(Media.RTP, components),))
    network.complete(offerer, answerer)
    assert offerer.agent.controlling
    assert not answerer.agent.controlling
    assert len(answerer.connects) == components  # the offer was setup:passive
    assert not offerer.connects
    answerer.tell("send", components, b"\x80there")
    offerer.tell("send", components, b"\x80back")
    network.run(0.1)
    assert offerer.data == {(0, components): [b"\x80there"]}
    assert answerer.data == {(0, components): [b"\x80back"]}


def test_two_lite_agents_make_no_more_than_five_attempts_at_once():
    """RFC 6544 section 12."""
    network = Network()
    offerer, answerer = two(network, streams=(StreamPlan(components=8),))
    network.exchange(offerer, answerer)
    assert len(answerer.connects) == 5
    assert network.run(1, lambda: offerer.agent.state is answerer.agent.state is State.COMPLETED)
    assert len(answerer.connects) == 8


def lite_peer(network, host, ip="10.0.0.9"):
    _, media = parsed(host.describe())
    peer = Peer(media.ufrag, media.pwd)
    text = peer.description(Peer.active, setup="active", media="audio 9 TCP/RTP/AVP 0")
    host.tell("accept", "answer", text.replace("m=audio", "a=ice-lite\r\nm=audio", 1))
    return network.dial(Address(FOUR, media.port), ip)


def test_between_lite_agents_a_listed_address_is_all_the_proof_there_is():
    network = Network()
    host = lite_host(network, offerer=True, streams=(StreamPlan(Media.RTP),))
    end = lite_peer(network, host)
    end.send(frame(b"\x80hello"))
    network.run(0.1)
    assert host.data == {(0, 1): [b"\x80hello"]}
    assert end.requests() == []


def test_between_lite_agents_a_stranger_is_not_taken_and_closed_in_time():
    network = Network()
    host = lite_host(network, offerer=True, streams=(StreamPlan(Media.RTP),))
    end = lite_peer(network, host, "10.9.9.9")
    end.send(frame(b"\x80hello"))
    network.run(0.1)
    assert host.data == {}
    assert host.agent.state is State.CHECKING
    network.run(60)
    assert not end.open


def test_a_connection_between_lite_agents_may_come_before_the_answer():
    network = Network()
    host = lite_host(network, offerer=True, streams=(StreamPlan(Media.RTP),))
    _, media = parsed(host.describe())
    early = network.dial(Address(FOUR, media.port))
    lite_peer(network, host)
    assert host.agent.state is State.COMPLETED
    assert host.selected[0, 1][1].endpoint == early.address


def test_a_refused_connection_between_lite_agents_fails_quietly():
    network = Network()
    host = lite_host(network, offerer=False)
    remote = Peer.passive(Address("10.0.0.9", 7))
    text = Peer("", "").description(remote, setup="passive").replace("m=", "a=ice-lite\r\nm=", 1)
    host.tell("accept", "offer", text)
    host.describe()
    network.run(60)
    assert len(host.connects) == 1
    assert host.agent.state is State.CHECKING


@pytest.mark.parametrize("fault", sorted(name for name in BY_NAME if name.startswith("lite-")))
@pytest.mark.parametrize("beside", ["full", "lite"])
@pytest.mark.parametrize("offerer", [True, False])
def test_a_faulty_lite_agent_neither_crashes_nor_spins(fault, beside, offerer):
    network = Network()
    one = lite_host(network, offerer=offerer, faults=frozenset({fault}))
    other = network.host(offerer=not offerer, addresses=[OTHER], lite=beside == "lite")
    network.exchange(*((one, other) if offerer else (other, one)))
    network.run(50)


@pytest.fixture
def chosen():
    """A lite answerer on two addresses, the text of its lite peer's offer, and its passive candidates."""
    network = Network()
    host = network.host(addresses=[FOUR, OTHER], lite=True, offerer=False, streams=(StreamPlan(Media.RTP),))
    text = Peer("", "").description(Peer.active, setup="active", media="audio 9 TCP/RTP/AVP 0")
    text = text.replace("m=audio", "a=ice-lite\r\nm=audio", 1)
    host.tell("accept", "offer", text)
    _, media = parsed(host.describe())
    return network, host, text, media.candidates


def select(host, text, candidate):
    host.tell("accept", "offer", f"{text}a=remote-candidates:1 {candidate.address} {candidate.port}\r\n")
    return host.tell("describe")


def test_the_connection_that_the_new_offer_names_stays(chosen):
    network, host, text, (first, _) = chosen
    end = network.dial(first.endpoint)
    kind, _ = select(host, text, first)
    network.run(10)
    assert kind == "answer"
    assert end.open
    end.send(frame(b"\x80hello"))
    network.run(0.1)
    assert host.data == {(0, 1): [b"\x80hello"]}


@pytest.mark.parametrize("early", [True, False])
def test_a_connection_that_the_new_offer_does_not_name_is_closed_whenever_it_comes(chosen, early):
    network, host, text, (first, second) = chosen
    end = network.dial(first.endpoint) if early else None
    select(host, text, second)
    end = end or network.dial(first.endpoint)
    network.run(0.1)
    assert not end.open
    assert network.dial(second.endpoint).open


def test_a_new_offer_that_names_nothing_closes_nothing(chosen):
    network, host, text, (first, _) = chosen
    end = network.dial(first.endpoint)
    host.tell("accept", "offer", text)
    host.tell("describe")
    network.run(0.1)
    assert end.open


def test_the_updated_offer_of_a_lite_offerer_beside_a_lite_agent_names_the_pair():
    network = Network()
    host = lite_host(network, offerer=True, streams=(StreamPlan(Media.RTP),))
    end = lite_peer(network, host)
    _, media = parsed(host.tell("describe")[1])
    assert media.attribute("remote-candidates") == f"1 {end.address.ip} {end.address.port}"
    assert media.connection == "existing"
