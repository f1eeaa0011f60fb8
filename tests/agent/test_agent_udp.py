"""UDP beside TCP: candidates, the one check list, retransmission, and data without frames."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from agent_simulation import Network, Peer

from conformance.agent.config import Config, Media, StreamPlan
from conformance.agent.events import AgentError, DataReceived, State
from conformance.agent.retransmission import Retransmission, rto
from conformance.agent.shell import Session
from conformance.wire.attributes import Address
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import looks_like_stun

ONE, TWO, THEIRS = "10.0.0.1", "10.0.0.2", "10.0.0.9"
RTP = (StreamPlan(Media.RTP),)
UDP_ONLY = frozenset()


def host(network, ip=ONE, **more):
    more = {"streams": RTP, "udp": True, **more}
    return network.host(addresses=[ip], **more)


def section(text):
    return SessionDescription.parse(text).media[0]


def candidates(media, transport):
    return [c for c in media.candidates if c.transport == transport]


# -- descriptions ----------------------------------------------------------------------------------------------


def test_an_rtp_offer_has_a_udp_default_and_all_candidates():
    media = section(host(Network(), offerer=True).describe())
    (udp,) = candidates(media, "UDP")
    assert (media.proto, media.port, media.connection_address) == ("RTP/AVP", udp.port, ONE)
    assert media.setup is media.connection is None
    assert udp.tcptype is None
    assert {c.tcptype for c in candidates(media, "TCP")} == {"active", "passive"}
    assert udp.foundation not in {c.foundation for c in candidates(media, "TCP")}


def test_udp_is_preferred_by_its_type_preference():
    media = section(host(Network(), offerer=True).describe())
    (udp,) = candidates(media, "UDP")
    assert (udp.type_preference, udp.local_preference) == (126, 65535)
    assert {c.type_preference for c in candidates(media, "TCP")} == {125}


@pytest.mark.parametrize(("tcptypes", "udp"), [({"active", "passive"}, False), (UDP_ONLY, True)])
def test_with_one_transport_nothing_gives_way(tcptypes, udp):
    media = section(host(Network(), offerer=True, tcptypes=frozenset(tcptypes), udp=udp).describe())
    assert {c.transport for c in media.candidates} == {"UDP" if udp else "TCP"}
    assert {c.type_preference for c in media.candidates} == {126}


def test_a_byte_stream_gathers_no_udp():
    media = section(host(Network(), offerer=True, streams=(StreamPlan(Media.BYTES),)).describe())
    assert {c.transport for c in media.candidates} == {"TCP"}


@pytest.mark.parametrize(
    ("line", "port"), [("audio 9 RTP/AVP 0", "udp"), ("audio 9 TCP/RTP/AVP 0", "tcp")], ids=["udp", "tcp"]
)
def test_an_answer_keeps_to_the_transport_of_the_offers_media_line(line, port):
    answerer = host(Network(), offerer=False)
    answerer.tell("accept", "offer", Peer("", "").description(Peer.active, media=line, setup="active"))
    media = section(answerer.describe())
    ports = {
        "udp": candidates(media, "UDP")[0].port,
        "tcp": next(c.port for c in media.candidates if c.tcptype == "passive"),
    }
    assert media.port == ports[port]
    assert media.setup == (None if port == "udp" else "passive")


def test_an_answer_without_a_candidate_of_the_lines_transport_has_no_default():
    answerer = host(Network(), offerer=False, udp=False)
    answerer.tell("accept", "offer", Peer("", "").description(Peer.active, media="audio 9 RTP/AVP 0"))
    media = section(answerer.describe())
    assert (media.port, media.connection_address) == (9, "0.0.0.0")


def test_two_components_name_the_udp_port_of_rtcp():
    media = section(host(Network(), offerer=True, streams=(StreamPlan(Media.RTP, 2),)).describe())
    rtcp = next(c for c in candidates(media, "UDP") if c.component == 2)
    assert media.rtcp == f"{rtcp.port} IN IP4 {ONE}"


def test_candidates_of_a_lite_agent_on_one_address_share_their_foundation():
    media = section(host(Network(), offerer=True, lite=True).describe())
    assert {(c.transport, c.tcptype) for c in media.candidates} == {("UDP", None), ("TCP", "passive")}
    assert len({c.foundation for c in media.candidates}) == 1


# -- two agents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("components", [1, 2])
def test_two_agents_prefer_udp_and_send_without_frames(components):
    network = Network()
    streams = (StreamPlan(Media.RTP, components),)
    one, two = host(network, offerer=True, streams=streams), host(network, TWO, offerer=False, streams=streams)
    network.complete(one, two)
    network.run(5)
    local, remote = one.selected[0, components]
    assert local.transport == remote.transport == "UDP"
    assert one.open_ends == two.open_ends == []
    one.tell("send", components, b"\x80there")
    two.tell("send", components, b"\x80back")
    network.run(0.1)
    assert two.data == {(0, components): [b"\x80there"]}
    assert one.data == {(0, components): [b"\x80back"]}


@pytest.mark.parametrize("modes", [(True, False), (False, True), (True, True)])
def test_lite_agents_over_udp(modes):
    network = Network()
    one, two = host(network, offerer=True, lite=modes[0]), host(network, TWO, offerer=False, lite=modes[1])
    network.complete(one, two)
    assert one.selected[0, 1][0].transport == two.selected[0, 1][0].transport == "UDP"
    one.tell("send", 1, b"\x80there")
    network.run(0.1)
    assert two.data == {(0, 1): [b"\x80there"]}


def test_where_udp_does_not_get_through_tcp_is_taken():
    network = Network()
    network.lose = lambda octets: True
    one, two = host(network, offerer=True), host(network, TWO, offerer=False)
    network.complete(one, two)
    assert one.selected[0, 1][0].transport == "TCP"


def test_a_lost_datagram_does_not_matter():
    network = Network()
    seen = []
    network.lose = lambda octets: seen.append(octets) or len(seen) <= 2
    one, two = host(network, offerer=True, tcptypes=UDP_ONLY), host(network, TWO, offerer=False, tcptypes=UDP_ONLY)
    network.complete(one, two)
    assert one.selected[0, 1][0].transport == "UDP"


def test_an_agent_without_tcp_and_one_without_udp_do_not_meet():
    network = Network()
    one, two = host(network, offerer=True, tcptypes=UDP_ONLY), host(network, TWO, offerer=False, udp=False)
    network.exchange(one, two)
    network.run(100)
    assert {one.agent.state, two.agent.state} == {State.FAILED}


# -- against a script ------------------------------------------------------------------------------------------


def udp(address, priority=2130706431):
    return f"u 1 UDP {priority} {address.ip} {address.port} typ host"


@pytest.fixture
def met():
    """An offerer with UDP, and a scripted socket that its answer names beside a passive candidate."""
    network = Network()
    offerer = host(network, offerer=True)
    media = section(offerer.describe())
    peer = Peer(media.ufrag, media.pwd)
    return network, offerer, peer, network.socket(), Address(ONE, candidates(media, "UDP")[0].port)


def answer(offerer, peer, *lines):
    text = peer.description(*lines, setup="active", media="audio 9 RTP/AVP 0")
    offerer.tell("accept", "answer", text)


def test_a_request_is_sent_seven_times_ever_more_slowly_and_then_given_up(met):
    network, offerer, peer, socket, _ = met
    answer(offerer, peer, udp(socket.address))
    network.run(100)
    times = [time for time, _, _ in socket.received]
    assert len({octets for _, _, octets in socket.received}) == 1
    assert [round(b - a, 3) for a, b in pairwise(times)] == [0.5, 1, 2, 4, 8, 16]
    assert offerer.agent.state is State.FAILED


def test_an_answered_request_is_not_sent_again(met):
    network, offerer, peer, socket, target = met
    answer(offerer, peer, udp(socket.address))
    network.run(0.01)
    (request,) = socket.requests()
    socket.send(target, peer.success(request, target))
    network.run(0.7)
    assert [m.use_candidate for m in socket.requests()] == [False, True, True]  # the nomination, and it once more


def test_pairs_of_both_transports_are_checked_in_one_order(met):
    network, offerer, peer, socket, _ = met
    first, last = network.listen(THEIRS), network.listen(THEIRS)
    answer(
        offerer,
        peer,
        Peer.passive(last.address, foundation="l", priority=100),
        udp(socket.address, priority=1000),
        Peer.passive(first.address, foundation="f", priority=2**31 - 1),
    )
    begun = network.now
    network.run(0.4)
    connects = {target: round(time - begun, 3) for time, target in offerer.connects}
    assert connects[first.address] == 0
    assert round(socket.received[0][0] - begun, 3) == pytest.approx(0.051)
    assert connects[last.address] == pytest.approx(0.1)


def test_a_check_before_the_answer_is_answered_and_taken_up(met):
    network, offerer, peer, socket, target = met
    assert socket.ask(target, peer.check()).is_success
    assert socket.requests() == []
    answer(offerer, peer, udp(socket.address))
    network.run(0.01)
    assert len(socket.requests()) == 1


def test_a_check_of_a_pair_in_progress_triggers_another_and_ends_the_retransmission(met):
    network, offerer, peer, socket, target = met
    answer(offerer, peer, udp(socket.address))
    network.run(0.2)
    (request,) = socket.requests()
    assert socket.ask(target, peer.check()).is_success
    network.run(1.0)
    ids = [m.transaction_id for m in socket.requests()]
    assert ids.count(request.transaction_id) == 1
    assert len(ids) == 3  # the triggered check and its own first retransmission
    socket.send(target, peer.success(socket.requests()[-1], target))
    network.run(0.3)
    assert socket.requests()[-1].use_candidate


def test_a_check_from_an_unknown_address_makes_a_candidate(met):
    network, offerer, peer, socket, target = met
    answer(offerer, peer, Peer.active)
    stranger = network.socket("10.9.9.9")
    assert stranger.ask(target, peer.check()).is_success
    request = stranger.requests()[0]
    stranger.send(target, peer.success(request, target))
    network.run(0.3)
    nomination = stranger.requests()[-1]
    assert nomination.use_candidate
    stranger.send(target, peer.success(nomination, target))
    network.run(0.1)
    local, remote = offerer.selected[0, 1]
    assert (local.type, remote.type, remote.transport, remote.tcptype) == ("host", "prflx", "UDP", None)
    assert socket.received == []


def test_a_response_from_elsewhere_fails_the_check(met):
    network, offerer, peer, socket, target = met
    answer(offerer, peer, udp(socket.address))
    network.run(0.01)
    elsewhere = network.socket("10.9.9.9")
    elsewhere.send(target, peer.success(socket.requests()[0], target))
    network.run(5)
    assert not any(m.use_candidate for m in socket.requests())


def test_data_of_strangers_is_nothing_and_takes_no_room(met):
    network, offerer, peer, socket, target = met
    answer(offerer, peer, udp(socket.address))
    for _ in range(3):
        network.socket("10.9.9.9").send(target, b"\x80data")
    socket.send(target, b"\x80before any check")
    socket.send(target, b"")
    network.run(0.1)
    assert offerer.data == {}
    assert socket.ask(target, peer.check()).is_success
    socket.send(target, b"\x80after it")
    network.run(0.1)
    assert offerer.data == {(0, 1): [b"\x80after it"]}


def test_a_flood_of_strangers_keeps_no_more_flows_than_allowed():
    network = Network()
    offerer = host(network, offerer=True, max_strangers=4)
    media = section(offerer.describe())
    target = Address(ONE, candidates(media, "UDP")[0].port)
    for _ in range(9):
        network.socket().send(target, Peer(media.ufrag, "wrong").check())
        network.run(0.01)
    assert len(offerer.agent._connections.strangers()) == 4


def test_closing_releases_the_socket(met):
    network, offerer, *_ = met
    assert any(address.ip == ONE for address in network.sockets)
    offerer.agent.close()
    offerer.carry_out()
    assert not any(address.ip == ONE for address in network.sockets)


def test_stun_and_oversized_packets_are_refused_as_data(met):
    _, offerer, peer, *_ = met
    lookalike = peer.check()
    assert looks_like_stun(lookalike)
    with pytest.raises(AgentError):
        offerer.tell("send", 1, lookalike)


# -- the parts -------------------------------------------------------------------------------------------------


def test_rto_grows_with_the_work():
    assert rto(0.05, 1, 1) == rto(0.05, 3, 3) == 0.5
    assert rto(0.05, 10, 10) == 5.0


def test_the_schedule_of_a_request():
    again = Retransmission(b"", 10.0, 0.5)
    assert again.deadline == 49.5
    assert not again.take(10.4)
    assert again.take(10.5)
    assert again.next_time == 11.5
    for _ in range(5):
        assert again.take(99)
    assert not again.take(99)
    assert again.next_time is None


def test_real_sockets():
    async def main():
        events = [], []
        sessions = [
            Session(
                Config(offerer=offerer, streams=RTP, udp=True, addresses=("127.0.0.1",), settling=0.01), mine.append
            )
            for offerer, mine in zip((True, False), events, strict=True)
        ]
        offer = await sessions[0].describe()
        sessions[1].accept(*offer)
        sessions[0].accept(*await sessions[1].describe())
        async with asyncio.timeout(30):
            await sessions[0].send(1, b"\x80hello")
            while not any(isinstance(event, DataReceived) for event in events[1]):
                await asyncio.sleep(0.005)
        selected = sessions[0].agent._streams[0].selected[1]
        for session in sessions:
            session.close()
        return selected.is_udp, next(event.octets for event in events[1] if isinstance(event, DataReceived))

    assert asyncio.run(main()) == (True, b"\x80hello")


def test_an_address_that_is_not_ours_leaves_no_udp_candidate():
    async def main():
        session = Session(Config(offerer=True, streams=RTP, udp=True, addresses=("192.0.2.1",)), lambda _event: None)
        _, sdp = await session.describe()
        session.close()
        return sdp

    assert candidates(section(asyncio.run(main())), "UDP") == []
