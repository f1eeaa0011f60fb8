"""Captures and descriptions as the field has them, rebuilt: what `icetcp judge` must say of each, and of what is like it."""

from __future__ import annotations

import io

import pytest
from judged import LEFT, OFFER, RIGHT, Judged, whole_call
from lxml import etree

from conformance.verdict import Verdict
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MessageClass, Method, build
from pcaps.golden import scene as s
from pcaps.golden.scenarios import active, selected, validated
from pcaps.golden.scene import Scene
from pcaps.pcapng import Packet, Writer, read

# -- captures that are in order ----------------------------------------------------------------------------------------


def packets_of(octets: bytes) -> list[Packet]:
    return list(read(io.BytesIO(octets)))


def written(packets: list[Packet]) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, packets[0].link_type)
    for packet in packets:
        writer.packet(packet.time_ns, packet.octets)
    return file.getvalue()


def twice(octets: bytes) -> bytes:
    return written([packet for packet in packets_of(octets) for _ in range(2)])


def on_access_and_trunk(octets: bytes) -> bytes:
    """Each packet once as it is, and once more with the tag of a VLAN."""
    both = [(p, p._replace(octets=p.octets[:12] + b"\x81\0\0\x64" + p.octets[12:])) for p in packets_of(octets)]
    return written([packet for pair in both for packet in pair])


def joined_to_itself(octets: bytes) -> bytes:
    return written(packets_of(octets) * 2)


def repacketised(scene: Scene) -> None:
    """Three checks, which TCP repeats together and in pieces."""
    link = active(scene).open()
    checks = [scene.check(scene.left, scene.right) for _ in range(3)]
    framed = b"".join(map(frame, checks))
    for check in checks:
        link.send(link.client, frame(check))
    link.resend(link.client, framed)
    link.resend(link.client, framed[50:])
    for check in checks:
        link.send(link.server, frame(scene.success(check, scene.right, link.client)))
    link.end(link.client)


def vendors_keepalives(scene: Scene) -> None:
    link = selected(scene)
    request = build(0x080, MessageClass.REQUEST, scene.transaction(), [RawAttribute(0xC058, b"\0\1\0\0")])
    link.send(link.client, frame(request))
    link.send(link.server, frame(build(0x080, MessageClass.SUCCESS, request[8:20])))
    link.send(link.client, frame(build(Method.BINDING, MessageClass.INDICATION, scene.transaction())))
    link.send(link.client, frame(b""))
    link.end(link.client)


@pytest.mark.parametrize(
    ("write", "change"),
    [
        (whole_call, bytes),
        (whole_call, twice),
        (whole_call, on_access_and_trunk),
        (whole_call, joined_to_itself),
        (repacketised, bytes),
        (vendors_keepalives, bytes),
    ],
)
def test_what_is_in_order_conforms(said, write, change) -> None:
    found = said(write, change=change)
    assert found.exit == 0, found.text
    assert found.blamed() == set()


# -- captures that are not ---------------------------------------------------------------------------------------------


def success_with_user_name(scene: Scene) -> None:
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    name = {Attribute.USERNAME: b"Rfrg:Lfrg"}
    link.send(link.server, frame(scene.success(request, scene.right, link.client, values=name)))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))


def error_with_user_name(scene: Scene) -> None:
    link = active(scene).open()
    named = attr.error_code(400, "Bad Request"), attr.username("Rfrg:Lfrg")
    scene.refuse(link, scene.left, scene.right, scene.check(scene.left, scene.right), *named)
    scene.validate(link)


def one_id_two_user_names(scene: Scene) -> None:
    link, same = active(scene).open(), scene.transaction()
    for name in ("Rfrg:Lfrg", "Rfrg:Lfrg\0\0\0"):
        scene.transact(
            link, scene.left, scene.right, scene.check(scene.left, scene.right, username=name, transaction=same)
        )


def one_id_on_two_connections(scene: Scene) -> None:
    same = scene.transaction()
    for port, nominate in ((50000, False), (50001, True)):
        link = active(scene, port).open()
        scene.validate(link)
        check = scene.check(scene.left, scene.right, nominate=nominate, transaction=same)
        scene.transact(link, scene.left, scene.right, check)
        link.end(link.client)


def check_sent_again(scene: Scene) -> None:
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    for _ in range(2):
        scene.wait(300 * s.MILLISECOND)
        scene.transact(link, scene.left, scene.right, request)
    link.end(link.client)


def first(client: bytes, server: bytes):
    """Return a call before which both sides say something without frames."""

    def write(scene: Scene) -> None:
        link = active(scene).open()
        link.send(link.client, client)
        link.send(link.server, server)
        scene.validate(link)
        scene.nominate(link)
        link.end(link.client)

    return write


def raw_check(change):
    """Return a call before which the offerer sends a check whose octets were changed."""

    def write(scene: Scene) -> None:
        link = active(scene).open()
        link.send(link.client, frame(change(scene.check(scene.left, scene.right))))
        scene.validate(link)
        scene.nominate(link)
        link.end(link.client)

    return write


def sized(message: bytes) -> bytes:
    return message[:2] + (len(message) - 20).to_bytes(2, "big") + message[4:]


def raw_response(change):
    """Return a call whose first response was changed; what follows goes on as if it had been right."""

    def write(scene: Scene) -> None:
        link = active(scene).open()
        request = scene.check(scene.left, scene.right)
        link.send(link.client, frame(request))
        link.send(link.server, frame(change(scene.success(request, scene.right, link.client))))
        scene.validate(link)
        scene.nominate(link)
        link.end(link.client)

    return write


def errors_without_code(scene: Scene) -> None:
    link = active(scene).open()
    for attributes in ((RawAttribute(Attribute.ERROR_CODE, b"\0\0"),), ()):
        wrong = scene.check(scene.left, scene.right, username=f"wrong:{scene.left.ufrag}")
        scene.refuse(link, scene.left, scene.right, wrong, *attributes)
    scene.validate(link)


def refusal_with_an_empty_list(scene: Scene) -> None:
    """A 401 with UNKNOWN-ATTRIBUTES that names nothing, as ice4j sends it."""
    link = active(scene).open()
    wrong = scene.check(scene.left, scene.right, username=f"wrong:{scene.left.ufrag}")
    empty = RawAttribute(Attribute.UNKNOWN_ATTRIBUTES, b"")
    scene.refuse(link, scene.left, scene.right, wrong, attr.error_code(401, "Unauthorized"), empty)
    scene.validate(link)


def role_taken(scene: Scene) -> None:
    link = validated(scene)
    scene.wait(10 * s.SECOND)
    for nominate in (False, True):
        check = scene.check(scene.right, scene.left, controlling=True, nominate=nominate)
        scene.transact(link, scene.right, scene.left, check)
    link.end(link.client)


def role_given_up(scene: Scene) -> None:
    link = validated(scene)
    scene.wait(10 * s.SECOND)
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, controlling=False))
    link.end(link.client)


def wrong_length(more: int):
    """Return checks behind a wrong LENGTH, which are answered all the same."""

    def write(scene: Scene) -> None:
        link = active(scene).open()
        for _ in range(2):
            request = scene.check(scene.left, scene.right)
            link.send(link.client, (len(request) + more).to_bytes(2, "big") + request)
            link.send(link.server, frame(scene.success(request, scene.right, link.client)))
        link.end(link.client)

    return write


def never_answered(scene: Scene) -> None:
    """The answerer's kernel acknowledges what the answerer never answers."""
    link = active(scene).open()
    for _ in range(4):
        link.send(link.client, frame(scene.check(scene.left, scene.right)))
        scene.wait(3 * s.SECOND)
    link.end(link.client)


def other_pair_after_closing_the_nominated(scene: Scene) -> None:
    """The offerer closes the pair that it has nominated, and goes on over another."""
    other = scene.connection(scene.left.at(50001), scene.right.at(scene.right.so)).open_simultaneously()
    scene.validate(other)
    link = selected(scene)
    scene.wait(2 * s.SECOND)
    link.end(link.client)
    other.send(other.client, frame(s.RTP))


FRAMED_OPENED, FRAMED_ACCEPTED = (LEFT, "RFC6544-7.1"), (RIGHT, "RFC6544-7.2")
BROKEN = {
    "success with user name": (success_with_user_name, {(RIGHT, "RFC8489-9.1.3")}),
    "error with user name": (error_with_user_name, {(RIGHT, "RFC8489-9.1.3")}),
    "one id, two user names": (one_id_two_user_names, {(LEFT, "RFC8489-5")}),
    "one id on two connections": (one_id_on_two_connections, {(LEFT, "RFC8489-5")}),
    "check sent again": (check_sent_again, {(LEFT, "RFC6544-7.1")}),
    "pseudo-TLS first": (first(s.SSL2_HELLO, s.SHORT_TLS_HELLO), {FRAMED_OPENED, FRAMED_ACCEPTED}),
    "TLS first": (first(s.TLS_HELLO, s.SHORT_TLS_HELLO), {FRAMED_OPENED, FRAMED_ACCEPTED}),
    "HTTP first": (first(b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"), {FRAMED_OPENED, FRAMED_ACCEPTED}),
    "PROXY first": (first(b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n", b""), {FRAMED_OPENED}),
    "attribute of 65535": (raw_check(lambda m: sized(m[:40] + b"\x80\x22\xff\xffabcd")), {(LEFT, "RFC8489-14")}),
    "attribute past the end": (raw_check(lambda m: sized(m[:40] + b"\0\6\0\x0dabcd")), {(LEFT, "RFC8489-14")}),
    "length no multiple of 4": (raw_check(lambda m: sized(m[:42])), {(LEFT, "RFC8489-5")}),
    "header cut short": (raw_check(lambda m: m[:16]), {(LEFT, "RFC4571-2")}),
    "response cut short": (raw_response(lambda m: m[:30]), {(RIGHT, "RFC4571-2")}),
    "response with an attribute past the end": (
        raw_response(lambda m: sized(m[:20] + b"\0\x20\0\x0c\0\1\0\0")), {(RIGHT, "RFC8489-14")},
    ),
    "errors without code": (errors_without_code, {(RIGHT, "RFC8489-6.3.1.1")}),
    "role taken": (role_taken, {(RIGHT, "RFC8445-6.1.1")}),
    "role given up": (role_given_up, {(LEFT, "RFC8445-6.1.1")}),
    "never answered": (never_answered, {(RIGHT, "RFC8445-11")}),
    "data elsewhere after the nominated pair": (other_pair_after_closing_the_nominated, {(LEFT, "RFC8445-12.1")}),
    "list of unknown attributes in a 401": (refusal_with_an_empty_list, {(RIGHT, "RFC8489-14.13")}),
    "LENGTH too large": (wrong_length(2000), {(LEFT, "RFC4571-2")}),
    "LENGTH too small": (wrong_length(-4), {(LEFT, "RFC4571-2")}),
    "LENGTH counts itself": (wrong_length(2), {(LEFT, "RFC4571-2")}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_in_order_is_a_finding_against_who_sent_it(said, name) -> None:
    write, blamed = BROKEN[name]
    found = said(write)
    assert found.exit == 1, found.text
    assert found.blamed() == blamed, found.text


def test_each_error_without_code_is_told(said) -> None:
    assert said(errors_without_code).text.count("sent an error response") == 2


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_of_one_direction_alone_nothing_is_a_failure(said, side) -> None:
    address = bytes(map(int, side.split(".")))
    found = said(whole_call, change=lambda o: written([p for p in packets_of(o) if p.octets[26:30] == address]))
    assert found.exit == 3, found.text
    assert found.blamed() == set()


# -- nothing seen is never green ---------------------------------------------------------------------------------------


def no_ice_at_all(scene: Scene) -> None:
    link = scene.connection(scene.left.at(52000), Address("198.51.100.80", 80)).open()
    link.send(link.client, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    link.end(link.client)


def from_the_middle(octets: bytes) -> bytes:
    packets = packets_of(octets)
    return written(packets[-10:])


def attempts_alone(scene: Scene) -> None:
    active(scene).open(refused=True)
    active(scene, 50001).open(answered=False, repeated=2)


def cut_at_96(octets: bytes) -> bytes:
    return written([packet._replace(octets=packet.octets[:96]) for packet in packets_of(octets)])


@pytest.mark.parametrize(
    ("write", "change"), [(no_ice_at_all, bytes), (attempts_alone, bytes), (whole_call, from_the_middle)]
)
def test_a_capture_that_shows_nothing_is_not_judged(said, write, change) -> None:
    found = said(write, change=change)
    assert found.exit == 3, found.text
    assert "nothing to judge: no connectivity check over TCP was found" in found.text
    assert found.sections(Verdict.INCONC) == {"RFC6544-7.1"}
    errors = etree.parse(found.out / "junit.xml").findall(".//error")
    assert [error.get("type") for error in errors] == ["inconc"]


def test_a_capture_of_packets_cut_short_is_not_green(said) -> None:
    found = said(whole_call, change=cut_at_96)
    assert found.exit == 3, found.text
    assert found.blamed() == set()


def test_what_the_descriptions_alone_break_is_broken_all_the_same(tmp_path) -> None:
    scene = Scene("field")
    no_ice_at_all(scene)
    found = Judged(tmp_path, scene.octets, OFFER.replace(" tcptype active", ""))
    assert found.exit == 1
