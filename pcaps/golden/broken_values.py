"""One violation each, in what a message or a description says: attributes, errors, candidates."""

from __future__ import annotations

from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute, RawAttribute
from conformance.wire.candidate import priority, tcp_local_preference
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from pcaps.golden import scene as s
from pcaps.golden.scenarios import ALL_KINDS, active, golden, usual, validated
from pcaps.golden.scene import Scene


def _checked_with(scene: Scene, kind: Attribute, value: bytes) -> None:
    """Write a connection whose first check says this in an attribute; it is answered all the same."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, values={kind: value}))
    scene.validate(link)


@golden("user_name_is_text", doubts=("check_has_integrity",))
def broken_user_name_not_utf_8(scene: Scene) -> None:
    """A user name with an octet that is in no UTF-8; it fits no agent, and is refused."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right, values={Attribute.USERNAME: b"Rfrg:\xff"})
    scene.refuse(link, scene.left, scene.right, request, attr.error_code(401, "Unauthorized"))
    scene.validate(link)


@golden("priority_has_32_bits")
def broken_priority_of_16_bits(scene: Scene) -> None:
    """A PRIORITY of two octets."""
    _checked_with(scene, Attribute.PRIORITY, b"\x6e\xff")


@golden("tie_breaker_has_64_bits")
def broken_tie_breaker_of_32_bits(scene: Scene) -> None:
    """An ICE-CONTROLLING of four octets."""
    _checked_with(scene, Attribute.ICE_CONTROLLING, b"\0\0\0\1")


@golden("use_candidate_is_empty")
def broken_use_candidate_with_a_value(scene: Scene) -> None:
    """A nomination whose USE-CANDIDATE has four octets."""
    link = validated(scene)
    nomination = scene.check(scene.left, scene.right, nominate=True, values={Attribute.USE_CANDIDATE: bytes(4)})
    scene.transact(link, scene.left, scene.right, nomination)


@golden("check_has_the_priority_of_a_reflexive_candidate")
def broken_priority_of_a_host_candidate(scene: Scene) -> None:
    """A check with the priority of its candidate, as it stands in the description."""
    value = priority(126, tcp_local_preference(6, 8191), 1)
    _checked_with(scene, Attribute.PRIORITY, value.to_bytes(4, "big"))


@golden("check_has_the_priority_of_a_reflexive_candidate")
def broken_priority_of_another_component(scene: Scene) -> None:
    """A check for component 1 with a priority of component 2."""
    value = priority(110, tcp_local_preference(6, 8191), 2)
    _checked_with(scene, Attribute.PRIORITY, value.to_bytes(4, "big"))


@golden("mapped_address_is_well_formed")
def broken_mapped_family(scene: Scene) -> None:
    """A mapped address of a family that is neither IPv4 nor IPv6."""
    _answered_with(scene, b"\0\7\x12\x34abcd")


@golden("mapped_address_is_well_formed")
def broken_mapped_address_cut_short(scene: Scene) -> None:
    """A mapped address of IPv4 with two octets of four."""
    _answered_with(scene, b"\0\1\x12\x34ab")


def _answered_with(scene: Scene, value: bytes) -> None:
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    values = {Attribute.XOR_MAPPED_ADDRESS: value}
    link.send(link.server, frame(scene.success(request, scene.right, link.client, values=values)))
    scene.validate(link)


@golden("success_has_the_mapped_address")
def broken_mapped_addresses_that_contradict(scene: Scene) -> None:
    """Behind a NAT, two successes on one connection tell two addresses."""
    link = active(scene).open()
    for port in (61000, 61001):
        request = scene.check(scene.left, scene.right)
        link.send(link.client, frame(request))
        mapped = attr.Address("203.0.113.7", port)
        link.send(link.server, frame(scene.success(request, scene.right, mapped)))


@golden("response_has_no_user_name")
def broken_success_with_user_name(scene: Scene) -> None:
    """A success that repeats the request's user name, as RFC 3489 had it."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    values = {Attribute.USERNAME: b"Rfrg:Lfrg"}
    link.send(link.server, frame(scene.success(request, scene.right, link.client, values=values)))


@golden("error_has_a_code")
def broken_error_without_code(scene: Scene) -> None:
    """An error response that says nothing, and one whose code is cut short."""
    link = active(scene).open()
    for attributes in ((), (RawAttribute(Attribute.ERROR_CODE, b"\0\0"),)):
        scene.refuse(link, scene.left, scene.right, scene.check(scene.left, scene.right), *attributes)
    scene.validate(link)


@golden("error_has_a_code")
def broken_error_class_in_the_wrong_place(scene: Scene) -> None:
    """A 401 whose class stands in the first of four octets."""
    link = active(scene).open()
    misplaced = RawAttribute(Attribute.ERROR_CODE, b"\4\0\0\1Unauthorized")
    scene.refuse(link, scene.left, scene.right, scene.check(scene.left, scene.right), misplaced)
    scene.validate(link)


@golden("unknown_attributes_are_listed")
def broken_unknown_attributes_of_8_bits(scene: Scene) -> None:
    """A 420 with a list of an odd length, and one without a list."""
    link = active(scene).open()
    for listed in ((RawAttribute(Attribute.UNKNOWN_ATTRIBUTES, b"\x1a"),), ()):
        request = scene.check(scene.left, scene.right, values={Attribute.DONT_FRAGMENT: b""})
        scene.refuse(link, scene.left, scene.right, request, attr.error_code(420, "Unknown Attribute"), *listed)
    scene.validate(link)


@golden("unknown_attributes_are_in_a_420")
def broken_unknown_attributes_in_a_400(scene: Scene) -> None:
    """A 400 with an empty list of unknown attributes."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right, values={Attribute.DONT_FRAGMENT: b""})
    none = RawAttribute(Attribute.UNKNOWN_ATTRIBUTES, b"")
    scene.refuse(link, scene.left, scene.right, request, attr.error_code(400, "Bad Request"), none)
    scene.validate(link)


# -- messages that cannot be decoded -----------------------------------------------------------------------------------


def _sized(message: bytes) -> bytes:
    """Return a message with the length that it has."""
    return message[:2] + (len(message) - 20).to_bytes(2, "big") + message[4:]


@golden("attributes_fill_the_message")
def broken_attribute_past_the_end(scene: Scene) -> None:
    """The length of the last attribute runs past the end of the message."""
    link = active(scene).open()
    message = scene.check(scene.left, scene.right)[:40]
    link.send(link.client, frame(_sized(message + b"\x80\x22\xff\xffabcd")))
    scene.validate(link)


@golden("message_header_is_well_formed")
def broken_length_no_multiple_of_4(scene: Scene) -> None:
    """Attributes without padding, so that the message's length is no multiple of 4."""
    link = active(scene).open()
    message = scene.check(scene.left, scene.right)
    link.send(link.client, frame(_sized(message[:33])))
    scene.validate(link)


@golden("length_equals_the_message", doubts=("response_answers_a_request",))
def broken_length_too_large(scene: Scene) -> None:
    """LENGTH says far more than the check has; the agent that answers it all the same is not to blame."""
    link = active(scene).open()
    for _ in range(2):
        request = scene.check(scene.left, scene.right)
        link.send(link.client, (len(request) + 2000).to_bytes(2, "big") + request)
        link.send(link.server, frame(scene.success(request, scene.right, link.client)))
    link.end(link.client)


@golden("opened_connection_is_framed", "accepted_connection_is_framed")
def broken_pseudo_tls(scene: Scene) -> None:
    """Both sides pretend to begin TLS, as if that passed firewalls, and go on with frames."""
    link = active(scene).open()
    link.send(link.client, s.SSL2_HELLO)
    link.send(link.server, s.SHORT_TLS_HELLO)
    scene.validate(link)
    scene.nominate(link)
    link.end(link.client)


# -- descriptions ------------------------------------------------------------------------------------------------------


def _offered(scene: Scene, *replaced: tuple[str, str]) -> tuple[SessionDescription, SessionDescription]:
    usual(scene)
    offer = str(s.described(scene.left, "active passive"))
    for one, other in replaced:
        offer = offer.replace(one, other)
    return SessionDescription.parse(offer), s.described(scene.right, ALL_KINDS)


@golden("candidate_has_tcptype")
def broken_unknown_tcptype(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """A TCP candidate of a direction that does not exist."""
    return _offered(scene, ("tcptype passive", "tcptype actpass"))


@golden("candidate_has_an_address")
def broken_host_name(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """A host candidate with a name in place of its address."""
    return _offered(scene, (f" {scene.left.ip} {scene.left.passive} typ", f" host.local {scene.left.passive} typ"))


@golden("candidates_stand_in_media_sections")
def broken_candidate_at_session_level(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """A candidate before the first media section."""
    stray = "a=candidate:9 1 TCP 2128609279 192.0.2.5 9 typ host tcptype active\r\n"
    return _offered(scene, ("m=audio", f"{stray}m=audio"))


@golden("reason_is_short_text")
def broken_long_reason(scene: Scene) -> None:
    """A 401 whose reason has 128 characters."""
    link = active(scene).open()
    refusal = attr.error_code(401, "Unauthorized".ljust(128, "."))
    scene.refuse(link, scene.left, scene.right, scene.check(scene.left, scene.right), refusal)
    scene.validate(link)


@golden("tie_breaker_is_constant")
def broken_tie_breaker(scene: Scene) -> None:
    """The second check of an agent has another tie-breaker than the first, in the same role."""
    link = active(scene).open()
    other = {Attribute.ICE_CONTROLLING: bytes(range(8))}
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, nominate=True, values=other))


@golden("candidate_address_is_of_use")
def broken_unspecified_address(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """An active candidate at the unspecified address."""
    usual(scene)
    offer = str(s.described(scene.left, "active"))
    candidate = f" {scene.left.ip} 9 typ host"
    return SessionDescription.parse(offer.replace(candidate, " 0.0.0.0 9 typ host")), s.described(
        scene.right, ALL_KINDS
    )
