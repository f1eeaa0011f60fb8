"""Requests to STUN and TURN servers are told from connectivity checks, also where they look alike."""

from __future__ import annotations

import pytest
from judged import LEFT, Judged
from test_judge_field import first

from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MessageClass, Method, build
from pcaps.golden.scenarios import active
from pcaps.golden.scene import Scene

SERVER = Address("203.0.113.5", 3478)
PRIORITY = attr.priority(1862270975)
NAME = attr.username("1700000000:alice")
LONG_TERM = (NAME, attr.text(Attribute.REALM, "example.org"), attr.text(Attribute.NONCE, "n"))
OF_CHECKS = {"RFC8445-7.1.1", "RFC8445-7.2.2", "RFC8445-7.2.4"}  # attributes, user name and integrity, FINGERPRINT


def request(scene: Scene, *attributes: RawAttribute) -> bytes:
    return build(Method.BINDING, MessageClass.REQUEST, scene.transaction(), attributes, fingerprint=False)


def call(scene: Scene) -> None:
    link = active(scene).open()
    scene.validate(link)
    scene.nominate(link)
    link.end(link.client)


def gathering(*attributes: RawAttribute, framed: bool = False, server: Address = SERVER):
    """Return a call before which the offerer asks a server, once."""

    def write(scene: Scene) -> None:
        link = scene.connection(scene.left.at(50010), server).open()
        asked = request(scene, *attributes)
        told = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, link.client, asked[8:20])
        answer = build(Method.BINDING, MessageClass.SUCCESS, asked[8:20], [told], fingerprint=False)
        link.send(link.client, frame(asked) if framed else asked)
        link.send(link.server, frame(answer) if framed else answer)
        link.end(link.client)
        call(scene)

    return write


def judged(folder, write, *more: str) -> Judged:
    scene = Scene("field")
    write(scene)
    return Judged(folder, scene.octets, *more)


@pytest.mark.parametrize("attributes", [(), (PRIORITY,), LONG_TERM, (*LONG_TERM, PRIORITY)])
def test_a_request_to_a_server_is_no_check(tmp_path, attributes) -> None:
    found = judged(tmp_path, gathering(*attributes))
    assert found.exit == 0, found.text
    assert found.blamed() == set()
    assert "1 ICE connections with" in found.text


@pytest.mark.parametrize("attributes", [(PRIORITY,), LONG_TERM])
def test_in_a_frame_it_is_a_check_for_servers_read_none(tmp_path, attributes) -> None:
    found = judged(tmp_path, gathering(*attributes, framed=True))
    assert {section for who, section in found.blamed() if who == LEFT} >= OF_CHECKS - {"RFC8445-7.2.2"}


def test_to_a_stated_candidate_it_is_a_check(tmp_path) -> None:
    scene = Scene("field")
    found = judged(tmp_path, gathering(PRIORITY, server=scene.right.at(scene.right.passive)))
    assert {section for who, section in found.blamed() if who == LEFT} >= OF_CHECKS - {"RFC8445-7.1.1"}


@pytest.mark.parametrize(
    "attributes",
    [
        (attr.use_candidate(),),
        (attr.ice_controlling(1),),
        (attr.ice_controlled(1), PRIORITY),
        (attr.username("Rfrg:Lfrg"),),
    ],
)
def test_what_only_checks_have_makes_it_a_check_wherever_it_goes(tmp_path, attributes) -> None:
    found = judged(tmp_path, gathering(*attributes))
    assert (LEFT, "RFC8445-7.2.4") in found.blamed()


def test_among_checks_it_is_a_check(tmp_path) -> None:
    found = judged(tmp_path, first(request(Scene("other"), PRIORITY), b""))
    assert (LEFT, "RFC8445-7.2.2") in found.blamed()
