"""The agent's core against a scripted peer: what it answers to checks, refuses, discards and limits."""

from __future__ import annotations

import pytest
from agent_scripts import PASSIVE, base_of, scripted
from agent_simulation import Network

from conformance.agent.events import State
from conformance.wire import attributes as attr
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256, short_term_key
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MessageClass, build


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
