"""The agent's core, without a socket: two agents in a simulated network, and one against a scripted peer."""

from __future__ import annotations

import pytest
from agent_simulation import Network, Peer

from conformance.agent.config import Media, StreamPlan
from conformance.agent.events import AgentError, Rejected, State, Unsupported
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, RawAttribute
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256, short_term_key
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import Message, MessageClass, build, looks_like_stun

BOTH = frozenset({"active", "passive"})
ACTIVE, PASSIVE = frozenset({"active"}), frozenset({"passive"})


def pair_of(network, **more):
    return (
        network.host(offerer=True, addresses=["10.0.0.1"], **more),
        network.host(offerer=False, addresses=["10.0.0.2"], **more),
    )


def octet_by_octet(octets):
    return [octets[n : n + 1] for n in range(len(octets))]


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
        host.agent._checker.controlling = controlling
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


# -- failures ------------------------------------------------------------------------------------------------------


def scripted(network, *, offerer=True, listeners=1, accept=True, foundations=True, **more):
    """An agent, a scripted peer and its listeners; descriptions exchanged."""
    a = network.host(offerer=offerer, **more)
    ears = [network.listen(port=6000 + n) for n in range(listeners)]
    peer = Peer("", "")
    lines = [
        peer.passive(ear.address, str(n) if foundations else "1", 2124414975 - n * 256) for n, ear in enumerate(ears)
    ]
    text = peer.description(*lines, peer.active, setup="passive" if offerer else "active")
    if not offerer:
        a.tell("accept", "offer", text)
    own = SessionDescription.parse(a.describe()).media[0]
    peer.iut_ufrag, peer.iut_pwd = own.ufrag, own.pwd
    if offerer and accept:
        a.tell("accept", "answer", text)
    return a, peer, ears, own


def base_of(own, tcptype="passive"):
    return next(c.endpoint for c in own.candidates if c.tcptype == tcptype)


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


# -- the server ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offerer", [True, False])
def test_check_is_answered_and_triggers_one_on_the_same_connection(offerer):
    network = Network()
    a, peer, _, own = scripted(network, offerer=offerer, tcptypes=PASSIVE)
    end = network.dial(base_of(own))
    response = end.ask(peer.check(controlling=not offerer))
    assert response.is_success
    assert response.xor_mapped_address == end.address
    (request,) = end.requests()
    assert request.username == f"{peer.ufrag}:{peer.iut_ufrag}"
    assert not a.connects


@pytest.mark.parametrize("early", [True, False])
def test_controlled_agent_takes_a_nomination_before_its_own_check_succeeded(early):
    network = Network()
    a, peer, _, own = scripted(network, offerer=False, tcptypes=PASSIVE)
    end = network.dial(base_of(own))
    if not early:
        end.ask(peer.check(controlling=True))
        end.send(frame(peer.success(end.requests()[0], end.address)))
        network.run(0.1)
    assert end.ask(peer.check(controlling=True, use_candidate=True)).is_success
    if early:
        assert a.agent.state is State.CHECKING
        end.send(frame(peer.success(end.requests()[0], end.address)))
        network.run(0.1)
    assert a.agent.state is State.COMPLETED
    assert all(not request.use_candidate for request in end.requests())
    # a second nomination elsewhere is refused, checks on the selected connection are answered
    other = network.dial(base_of(own))
    refused = other.ask(peer.check(controlling=True, use_candidate=True))
    assert refused.error_code.code == 400
    assert end.ask(peer.check(controlling=True)).is_success
    network.run(3.5)
    assert end.open
    assert not other.open


ERRORS = {
    "no integrity": ({"key": None}, 400, False),
    "no user name": ({"without": (6,)}, 400, False),
    "foreign user name": ({"username": "somebody:peer"}, 401, False),
    "user name without colon": ({"username": "somebody"}, 401, False),
    "wrong password": ({"key": b"wrong"}, 401, False),
    "unknown attribute": ({"more": "unknown"}, 420, True),
    "unknown attribute, wrong password": ({"more": "unknown", "key": b"wrong"}, 401, False),
    "no priority": ({"priority": None}, 400, True),
    "both roles": ({"more": "role"}, 400, True),
}


@pytest.mark.parametrize("name", ERRORS)
def test_requests_are_refused_in_the_order_of_the_rfc(name):
    change, code, protected = ERRORS[name]
    more = {"unknown": (attr.RawAttribute(0x7123, b"abcd"),), "role": (attr.ice_controlled(1),)}
    change = {**change, "more": more.get(change.get("more", ""), ())}
    network = Network()
    a, peer, _, own = scripted(network, offerer=False)
    end = network.dial(base_of(own))
    response = end.ask(peer.check(controlling=True, **change))
    assert response.error_code.code == code
    assert response.username is None
    wanted = Check.VALID if protected else Check.ABSENT
    assert check_integrity(end.frames[0], short_term_key(peer.iut_pwd)) is wanted
    if code == 420:
        assert response.unknown_attributes == (0x7123,)
    network.run(1)
    assert not end.requests(), "a refused check triggered one"
    assert not a.data


def test_sha256_is_answered_in_kind():
    network = Network()
    _a, peer, _, own = scripted(network, offerer=False)
    end = network.dial(base_of(own))
    key = short_term_key(peer.iut_pwd)
    response = end.ask(peer.check(controlling=True, key=None, sha256_key=key))
    assert response.is_success
    assert not response.has(8)
    assert check_integrity_sha256(end.frames[0], key) is Check.VALID


@pytest.mark.parametrize(
    "kind", ["no fingerprint", "wrong fingerprint", "broken", "indication", "other method", "stray"]
)
def test_what_is_discarded_silently(kind):
    network = Network()
    a, peer, _, own = scripted(network, offerer=False, tcptypes=PASSIVE)
    end = network.dial(base_of(own))
    good = peer.check(controlling=True)
    octets = {
        "no fingerprint": peer.check(controlling=True, fingerprint=False),
        "wrong fingerprint": good[:-1] + bytes([good[-1] ^ 1]),
        "broken": good[:22] + b"\xff\xff" + good[24:],
        "indication": build(1, MessageClass.INDICATION, b"i" * 12),
        "other method": build(3, MessageClass.REQUEST, b"i" * 12),
        "stray": build(1, MessageClass.SUCCESS, b"i" * 12),
    }[kind]
    assert end.ask(octets) is None
    assert end.open
    assert not a.data
    assert end.ask(good).is_success


def test_unauthenticated_data_is_not_delivered_and_null_frames_are_nothing():
    network = Network()
    a, peer, _, own = scripted(network, offerer=False, tcptypes=PASSIVE)
    end = network.dial(base_of(own))
    end.send(frame(b"\x80 stranger"))
    network.run(0.1)
    assert not a.data
    end.ask(peer.check(controlling=True))
    end.send(frame(b"") + frame(b"\x80 known") + frame(b""))
    network.run(0.1)
    assert a.data == {(0, 1): [b"\x80 known"]}


def test_role_conflict_with_a_larger_and_a_smaller_tie_breaker():
    for tie_breaker, refused in ((0, True), (2**64 - 1, False)):
        network = Network()
        a, peer, _, own = scripted(network, tcptypes=PASSIVE)
        end = network.dial(base_of(own))
        response = end.ask(peer.check(controlling=True, tie_breaker=tie_breaker))
        assert response.is_error is refused
        assert a.agent.controlling is refused
        if refused:
            assert response.error_code.code == 487
        else:
            assert end.requests()[0].ice_controlled is not None


def test_early_check_on_a_scripted_connection():
    network = Network()
    a, peer, _, own = scripted(network, accept=False)
    end = network.dial(base_of(own))
    assert end.ask(peer.check()).is_success
    assert not end.requests()
    a.tell("accept", "answer", peer.description(peer.active))
    network.run(0.2)
    assert len(end.requests()) == 1


def test_a_peer_with_another_fragment_is_answered_but_not_checked():
    network = Network()
    _a, peer, _, own = scripted(network, offerer=False, tcptypes=PASSIVE)
    end = network.dial(base_of(own))
    assert end.ask(peer.check(controlling=True, username=f"{peer.iut_ufrag}:someoneelse")).is_success
    assert not end.requests()


def test_strangers_are_limited_and_do_not_stay():
    network = Network()
    _a, peer, _, own = scripted(network, offerer=False, tcptypes=PASSIVE, max_strangers=3)
    ends = [network.dial(base_of(own)) for _ in range(5)]
    network.run(0.1)
    assert [end.open for end in ends] == [False, False, True, True, True]
    assert ends[-1].ask(peer.check(controlling=True)).is_success
    network.run(40)
    assert [end.open for end in ends] == [False, False, False, False, True]


def test_pairs_are_limited():
    network = Network()
    a, peer, _, own = scripted(network, offerer=False, tcptypes=PASSIVE, max_pairs=2)
    ends = [network.dial(base_of(own)) for _ in range(3)]
    assert all(end.ask(peer.check(controlling=True)).is_success for end in ends)
    assert len(a.agent._streams[0].checks.pairs) == 2


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
        lambda text: text.replace("a=ice-ufrag", "a=x-ufrag"),
        lambda text: text + text[text.index("m=") :],
        lambda text: text.replace("m=application 9", "m=application 0").replace("m=application 1", "m=application 0 1"),
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


def test_a_lite_peer_makes_the_answerer_controlling():
    network = Network()
    a = network.host(offerer=False)
    peer = Peer("", "")
    text = peer.description(peer.passive(Address("10.0.0.9", 5)), setup="actpass")
    a.tell("accept", "offer", text.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\na=ice-pacing:200\r\n"))
    assert a.agent.controlling
    assert a.agent._checker.pacing == pytest.approx(0.2)


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
