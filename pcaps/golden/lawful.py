"""Lawful exchanges in several styles, and some that a capture does not hold whole."""

from __future__ import annotations

from dataclasses import replace

from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.candidate import priority, tcp_local_preference
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import MessageClass, Method, build
from pcaps.golden import scene as s
from pcaps.golden.scenarios import ALL_KINDS, active, both, golden, selected, usual, validated
from pcaps.golden.scene import Scene
from pcaps.packets import LINUX_SLL, LINUX_SLL2, NULL, RAW_IP

_VENDORS = 0x080  # a method of no RFC

# -- lawful ------------------------------------------------------------------------------------------------------------


@golden()
def clean_controlling_offerer(scene: Scene) -> None:
    """An offerer that connects, checks, is checked, nominates, and media."""
    usual(scene)


@golden()
def clean_controlled_connects(scene: Scene) -> None:
    """The controlled answerer opens the connection; the offerer nominates on it."""
    link = scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()
    scene.validate(link, scene.right)
    scene.nominate(link)
    scene.media(link)
    link.end(link.server)


@golden()
def clean_simultaneous_open(scene: Scene) -> None:
    """Both S-O candidates' SYNs cross."""
    link = scene.connection(scene.left.at(scene.left.so), scene.right.at(scene.right.so)).open_simultaneously()
    scene.validate(link)
    scene.nominate(link)
    scene.media(link)
    link.end(link.client)


@golden(make=lambda name: Scene(name, ipv6=True))
def clean_ipv6(scene: Scene) -> None:
    """The same over IPv6."""
    usual(scene)


@golden(make=lambda name: Scene(name, s.vlan))
def clean_vlan(scene: Scene) -> None:
    """The same in two VLAN tags."""
    usual(scene)


@golden(make=lambda name: Scene(name, s.cooked, LINUX_SLL))
def clean_cooked(scene: Scene) -> None:
    """The same with Linux cooked headers."""
    usual(scene)


@golden(make=lambda name: Scene(name, s.cooked2, LINUX_SLL2))
def clean_cooked_2(scene: Scene) -> None:
    """The same with Linux cooked headers, version 2."""
    usual(scene)


@golden(make=lambda name: Scene(name, s.loopback, NULL))
def clean_null(scene: Scene) -> None:
    """The same with BSD's loopback headers."""
    usual(scene)


@golden(make=lambda name: Scene(name, bytes, RAW_IP))
def clean_raw(scene: Scene) -> None:
    """The same without link headers."""
    usual(scene)


@golden()
def clean_two_components(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """Two components, each with a selected connection; both stay open."""
    links = [active(scene, 50000 + number, component=number).open() for number in (1, 2)]
    for number, link in enumerate(links, start=1):
        scene.validate(link, component=number)
        scene.nominate(link, component=number)
    scene.wait(20 * s.SECOND)
    for link in links:
        scene.media(link)
        link.end(link.client)
    return (
        s.described(scene.left, "active passive", components=2),
        s.described(scene.right, "active passive", components=2),
    )


@golden()
def clean_restart(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """ICE restarts with new credentials on the connection that stays; media goes on meanwhile."""
    link = selected(scene)
    scene.media(link)
    before = scene.left, scene.right
    scene.left, scene.right = (
        replace(agent, ufrag=f"{agent.ufrag}2", pwd=f"{agent.pwd}+anew") for agent in (scene.left, scene.right)
    )
    scene.validate(link)
    scene.media(link)
    scene.nominate(link)
    scene.media(link)
    link.end(link.client)
    offers, answers = (
        [s.described(agent, ALL_KINDS) for agent in pair]
        for pair in zip(before, (scene.left, scene.right), strict=True)
    )
    return both(*offers), both(*answers)


@golden()
def clean_reset_and_reopened(scene: Scene) -> None:
    """The selected connection is reset; the active side reopens it, checks, and nominates what it had validated."""
    link = selected(scene)
    scene.media(link)
    link.end(link.server, reset=True)
    again = active(scene, 50001).open()
    scene.nominate(again)
    scene.transact(again, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.media(again)
    again.end(again.client)


@golden()
def clean_refused_first(scene: Scene) -> None:
    """A connection is refused, the S-O one is never answered, the third serves."""
    scene.connection(scene.left.at(scene.left.so), scene.right.at(scene.right.so)).open(answered=False, repeated=2)
    active(scene, 49999).open(refused=True)
    usual(scene)


@golden()
def clean_second_nomination(scene: Scene) -> None:
    """The first nomination is not answered before its connection is lost; another validated pair is nominated."""
    first = validated(scene)
    second = scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()
    scene.validate(second, scene.right)
    first.send(first.client, frame(scene.check(scene.left, scene.right, nominate=True)))
    first.end(first.server, reset=True)
    scene.nominate(second)
    scene.media(second)
    second.end(second.client)


@golden(only=("198.51.100.2",))
def clean_under_aggressive_peer(scene: Scene) -> None:
    """The offerer nominates with every check, as RFC 5245 allowed over UDP; the answerer is judged, and lawful."""
    for port in (50000, 50001):
        link = active(scene, port).open()
        scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, nominate=True))
        scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
        scene.media(link)
        link.end(link.client)


@golden()
def clean_closed_in_time(scene: Scene) -> None:
    """Two validated connections of one component; the one not selected is closed two seconds later."""
    link = validated(scene)
    spare = scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()
    scene.validate(spare, scene.right)
    scene.nominate(link)
    scene.wait(2 * s.SECOND)
    spare.end(spare.client)
    scene.wait(20 * s.SECOND)
    scene.media(link)
    link.end(link.client)


@golden()
def clean_dtls(scene: Scene) -> None:
    """DTLS on the selected connection, and a late check on it."""
    link = selected(scene)
    scene.media(link, s.DTLS_HELLO)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    link.end(link.client)


@golden()
def clean_dtls_on_valid_pair(scene: Scene) -> None:
    """DTLS on a valid pair before the nomination: RFC 8445 allows data there, and the reading is noted."""
    link = validated(scene)
    scene.media(link, s.DTLS_HELLO)
    scene.nominate(link)
    link.end(link.client)


@golden()
def clean_null_frames_and_cuts(scene: Scene) -> None:
    """Null frames, frames cut inside LENGTH, TCP's own repetition of a segment, the largest frame."""
    link = active(scene).open()
    link.send(link.client, frame(b""))
    request = frame(scene.check(scene.left, scene.right))
    link.send(link.client, request, cut=1)
    link.resend(link.client, request[1:])
    link.send(link.server, frame(scene.success(request[2:], scene.right, link.client)), cut=30)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.nominate(link)
    for size in (1400, 65535):
        octets = frame(s.RTP + bytes(size - len(s.RTP)))
        for begin in range(0, len(octets), 1400):
            link.send(link.client, octets[begin : begin + 1400])
    scene.media(link)
    link.end(link.client)


@golden()
def clean_role_conflict(scene: Scene) -> None:
    """An agent that was controlled switches to controlling after its first success, and nominates."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, controlling=False))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.nominate(link)
    link.end(link.client)


@golden()
def clean_role_conflict_refused(scene: Scene) -> None:
    """Both begin in the same role; each 487 makes its receiver take the other one, first the one agent, then both."""
    link = active(scene).open()
    conflict = attr.error_code(487, "Role Conflict")
    scene.refuse(link, scene.left, scene.right, scene.check(scene.left, scene.right, controlling=False), conflict)
    scene.wait(2 * s.SECOND)
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.refuse(link, scene.left, scene.right, scene.check(scene.left, scene.right), conflict)
    scene.refuse(link, scene.right, scene.left, scene.check(scene.right, scene.left), conflict)
    scene.wait(2 * s.SECOND)
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, controlling=False))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left, controlling=True))
    link.end(link.client)


@golden()
def clean_role_conflict_told_elsewhere(scene: Scene) -> None:
    """An agent with two addresses gets its 487 on one of them, and has the other role on both."""
    elsewhere = replace(scene.left, ip="192.0.2.3")
    first, second = (
        active(scene).open(),
        scene.connection(elsewhere.at(50000), scene.right.at(scene.right.passive)).open(),
    )
    scene.transact(second, elsewhere, scene.right, scene.check(scene.left, scene.right, controlling=False))
    conflict = attr.error_code(487, "Role Conflict")
    scene.refuse(first, scene.left, scene.right, scene.check(scene.left, scene.right, controlling=False), conflict)
    scene.wait(2 * s.SECOND)
    scene.transact(second, elsewhere, scene.right, scene.check(scene.left, scene.right))
    scene.transact(first, scene.left, scene.right, scene.check(scene.left, scene.right))
    scene.transact(first, scene.right, scene.left, scene.check(scene.right, scene.left))
    first.end(first.client)
    second.end(second.client)


@golden()
def clean_unknown_attribute(scene: Scene) -> None:
    """What is not understood is refused by 420, which says what that was."""
    link = active(scene).open()
    unknown = scene.check(scene.left, scene.right, values={Attribute.DONT_FRAGMENT: b""})
    link.send(link.client, frame(unknown))
    refusal = attr.error_code(420, "Unknown Attribute"), attr.unknown_attributes([Attribute.DONT_FRAGMENT])
    link.send(link.server, frame(scene.error(unknown, *refusal, responder=scene.right)))
    scene.validate(link)
    scene.nominate(link)
    link.end(link.client)


@golden()
def clean_vendor_requests(scene: Scene) -> None:
    """Requests of a method of a vendor's own, indications and null frames keep the connection alive."""
    link = selected(scene)
    for _ in range(2):
        scene.wait(5 * s.SECOND)
        request = build(_VENDORS, MessageClass.REQUEST, scene.transaction())
        link.send(link.client, frame(request))
        link.send(link.server, frame(build(_VENDORS, MessageClass.SUCCESS, request[8:20])))
        link.send(link.server, frame(build(Method.BINDING, MessageClass.INDICATION, scene.transaction())))
        link.send(link.client, frame(b""))
    link.end(link.client)


@golden()
def clean_with_others(scene: Scene) -> None:
    """HTTP, ICE over UDP, STUN to a server without frames, and TLS, in addition to the ICE-TCP session."""
    http = scene.connection(scene.left.at(40000), scene.right.at(80)).open()
    http.send(http.client, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    http.send(http.server, b"HTTP/1.1 200 OK\r\n\r\n" + bytes(600))
    scene.foreign(s.udp(scene.left.at(5000), scene.right.at(5000), scene.check(scene.left, scene.right, nominate=True)))
    server = scene.connection(scene.left.at(40001), Address("203.0.113.9", 3478)).open()
    request = build(1, MessageClass.REQUEST, scene.transaction(), fingerprint=False)
    server.send(server.client, request)
    server.send(
        server.server, scene.success(request, scene.right, server.client, without=(Attribute.MESSAGE_INTEGRITY,))
    )
    tls = scene.connection(scene.left.at(40002), Address("203.0.113.9", 443)).open()
    tls.send(tls.client, s.TLS_HELLO)
    for port in range(40010, 40020):
        scene.connection(scene.left.at(port), scene.right.at(port)).open(answered=False)
    usual(scene)


@golden()
def clean_divided_lookalike(scene: Scene) -> None:
    """A byte stream that holds a STUN message, lawfully divided behind its second octet."""
    link = selected(scene)
    lookalike = scene.check(scene.left, scene.right)
    link.send(link.client, frame(lookalike[:2]))
    link.send(link.client, frame(lookalike[2:]))
    link.end(link.client)


@golden()
def clean_lite_answerer(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """A lite answerer checks nothing; it sends media once it was nominated."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right))
    scene.nominate(link)
    link.send(link.server, frame(s.RTP))
    link.end(link.client)
    answer = str(s.described(scene.right, "passive")).replace("m=", "a=ice-lite\r\nm=")
    return s.described(scene.left, ALL_KINDS), SessionDescription.parse(answer)


@golden()
def clean_two_sessions(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """Two sessions between the same addresses and to the same port, told apart by their user names alone."""
    first = scene.left, scene.right
    second = tuple(replace(agent, ufrag=f"{agent.ufrag}B", pwd=f"{agent.pwd}second") for agent in first)
    links = [active(scene, port).open() for port in (50000, 50001)]
    for step in (scene.validate, scene.nominate, scene.media):
        for link, (scene.left, scene.right) in zip(links, (first, second), strict=True):
            step(link)
    scene.wait(30 * s.SECOND)
    for link in links:
        link.end(link.client)
    offers, answers = (
        [s.described(agent, "active passive") for agent in pair] for pair in zip(first, second, strict=True)
    )
    return both(*offers), both(*answers)


@golden()
def clean_consent(scene: Scene) -> None:
    """Requests for consent after completion have neither PRIORITY nor a role (RFC 7675)."""
    link = selected(scene)
    for _ in range(4):
        scene.wait(5 * s.SECOND)
        without = (Attribute.PRIORITY, Attribute.ICE_CONTROLLING)
        scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, without=without))
        scene.media(link)
    link.end(link.client)


@golden()
def clean_consent_with_host_priority(scene: Scene) -> None:
    """Requests for consent have the PRIORITY of the host candidate: it is of no use there, and no rule forbids it."""
    link = selected(scene)
    host = {Attribute.PRIORITY: attr.priority(priority(126, tcp_local_preference(6, 8191), 1)).value}
    for _ in range(2):
        scene.wait(5 * s.SECOND)
        scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, values=host))
    link.end(link.client)


@golden(doubts=("success_has_the_mapped_address",))
def clean_behind_nat(scene: Scene) -> None:
    """Recorded at the offerer, which is behind a NAT: the success tells an address that the capture never shows."""
    link = active(scene).open()
    for nominate in (False, True):
        request = scene.check(scene.left, scene.right, nominate=nominate)
        link.send(link.client, frame(request))
        link.send(link.server, frame(scene.success(request, scene.right, Address("203.0.113.7", 61000))))
        scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.media(link)
    link.end(link.client)


@golden()
def clean_check_sent_again_on_a_new_connection(scene: Scene) -> None:
    """A connection is lost before its check was answered; the same request goes over the next one."""
    request = scene.check(scene.left, scene.right)
    link = active(scene).open()
    link.send(link.client, frame(request))
    link.end(link.server, reset=True)
    again = active(scene, 50001).open()
    scene.transact(again, scene.left, scene.right, request)
    scene.transact(again, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.nominate(again)
    again.end(again.client)


# -- what a capture does not hold --------------------------------------------------------------------------------------


@golden(doubts=("opened_connection_is_framed", "accepted_connection_is_framed", "media_waits_for_a_success"))
def doubt_begun_before(scene: Scene) -> None:
    """The capture begins in the middle of a nominated connection."""
    link = active(scene)
    link._next = {link.client: 777, link.server: 888}  # noqa: SLF001  (open, long before)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.media(link)


@golden(
    doubts=(
        "check_is_not_retransmitted",
        "opened_connection_is_framed",
        "accepted_connection_is_framed",
        "nomination_follows_a_success",
    ),
)
def doubt_lost_segments(scene: Scene) -> None:
    """The first check and its success are not in the capture, which finds the frames again behind them."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request), lost=True)
    link.send(link.server, frame(scene.success(request, scene.right, link.client)), lost=True)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.nominate(link)
    scene.media(link, rounds=9)
    link.end(link.client)
