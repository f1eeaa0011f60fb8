"""What an IUT may do with what it was sent, by clause, and what it may not.

The octets are read anew with the codec, not taken from what the generator meant to make. Where two readings of an RFC
are possible, or where a stack may give up on a peer that breaks the protocol, both are right: only what no reading
allows is a symptom.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from conformance.wire.attributes import MAGIC_COOKIE, Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint, check_integrity
from conformance.wire.rfc4571 import Deframer
from conformance.wire.stun import Message, MessageClass, Method
from fuzz.quick import plainly_right
from fuzz.render import OUR_IDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fuzz.campaign.player import Link, Outcome

_COOKIE = MAGIC_COOKIE.to_bytes(4, "big")
_FIRST_UNASSIGNED = 0x0040  # required types from here up to 0x7FFF are nobody's
_SIZES = {
    Attribute.PRIORITY: 4,
    Attribute.USE_CANDIDATE: 0,
    Attribute.ICE_CONTROLLED: 8,
    Attribute.ICE_CONTROLLING: 8,
    Attribute.MESSAGE_INTEGRITY: 20,
    Attribute.FINGERPRINT: 4,
}
_LONGEST_NAME = 508  # RFC 8489 section 14.3: fewer than 509 octets
_LONGEST_SOFTWARE = 763  # section 14.14
_AFTER = {Attribute.MESSAGE_INTEGRITY_SHA256, Attribute.FINGERPRINT}
_EVERYBODYS = {*_SIZES, Attribute.USERNAME, Attribute.SOFTWARE}
_LAST = 2**64 - 1


class Expected(enum.Enum):
    """What may come back."""

    NOTHING_STUN = "no answer, for it is no STUN (RFC 8489 section 6.3)"
    MUTE = "no answer, for it is no request (RFC 8489 section 6.3)"
    NO_SUCCESS = "anything but success: it is malformed (RFC 8489 section 6.3)"
    UNPROTECTED = "anything but success: it is not authentic (RFC 8489 section 9.1.3)"
    ERROR = "an error: it is not authentic (RFC 8489 section 9.1.3)"
    UNKNOWN = "420: it has an unknown required attribute (RFC 8489 section 6.3.1)"
    CONFLICT = "487: the role conflict is the peer's to mend (RFC 8445 section 7.3.1.1)"
    SUCCESS = "success: it is valid (RFC 8445 section 7.3)"
    ANY = "whatever"


_NO_SUCCESS = {
    Expected.NOTHING_STUN,
    Expected.NO_SUCCESS,
    Expected.UNPROTECTED,
    Expected.ERROR,
    Expected.UNKNOWN,
    Expected.CONFLICT,
}
_NEEDS_ANSWER = {Expected.ERROR, Expected.UNKNOWN, Expected.CONFLICT, Expected.SUCCESS}


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that is wrong. ``kind`` and ``cause`` tell findings apart, ``text`` is for people."""

    kind: str
    cause: str
    text: str


@dataclass(slots=True)
class View:
    """What must be known of a session to judge it.

    ``early``: the IUT has no description of ours yet; ``roles_clear``: nothing has happened that could change roles;
    ``unsure``: which credentials hold is not known; ``concluded``: a pair may have been selected, so that connections
    are closed and candidates freed (RFC 6544 section 8, RFC 8445 section 8.3); ``elsewhere``: and by a case at that, on
    whatever connection.
    """

    ufrag: str = ""
    peer: str = ""
    key: bytes = b""
    iut_controlling: bool = True
    early: bool = False
    roles_clear: bool = True
    unsure: bool = False
    concluded: bool = False
    elsewhere: bool = False
    asked: Counter[bytes] = field(default_factory=Counter)
    media: dict[int, set[bytes]] = field(default_factory=dict)


@lru_cache(maxsize=64)
def _decoded(octets: bytes) -> Message | None:
    """Return the message that a payload is, or None; what a case sent is asked for several times while it is judged."""
    try:
        return Message.decode(octets)
    except StunError:
        return None


def expect(octets: bytes, view: View) -> Expected:
    """Return what may come back for the payload of a frame."""
    if len(octets) < 20 or octets[0] > 0x3F or octets[4:8] != _COOKIE:
        return Expected.NOTHING_STUN
    length = octets[2] << 8 | octets[3]
    if length < len(octets) - 20:
        return Expected.ANY  # a message, and something behind it
    message = _decoded(octets)
    if message is None:
        return Expected.NO_SUCCESS
    if message.cls is not MessageClass.REQUEST:
        return Expected.MUTE
    if message.method != Method.BINDING:
        return Expected.NO_SUCCESS
    if view.unsure:
        return Expected.ANY
    return _request(octets, message, view)


def _request(octets: bytes, message: Message, view: View) -> Expected:
    types = [attribute.type for attribute in message.attributes]
    protection = check_fingerprint(octets)
    if protection is Check.INVALID and types[-1] == Attribute.FINGERPRINT and types.count(Attribute.FINGERPRINT) == 1:
        return Expected.NOTHING_STUN
    if Attribute.MESSAGE_INTEGRITY_SHA256 in types:
        return Expected.ANY  # which of the two a stack goes by is its own business, and it need not know this one
    sound = protection is Check.VALID and _sound(message, types)
    if not _authentic(octets, message, types, view):
        return Expected.ERROR if sound and not view.early else Expected.UNPROTECTED
    if view.early or not sound:
        return Expected.ANY
    return _authenticated(message, types, view)


def _sound(message: Message, types: list[int]) -> bool:
    """Whether attributes are there once each, of the size that they must have, and none whose value we cannot judge."""
    if len(set(types)) != len(types) or any(map(_somebodys, types)):
        return False
    for attribute in message.attributes:
        if len(attribute.value) != _SIZES.get(attribute.type, len(attribute.value)):  # type: ignore[call-overload]
            return False
    name, software = message.first(Attribute.USERNAME), message.first(Attribute.SOFTWARE)
    if software is not None and not (len(software.value) <= _LONGEST_SOFTWARE and software.value.isascii()):
        return False
    return name is None or (len(name.value) <= _LONGEST_NAME and name.value.isascii())


def _authentic(octets: bytes, message: Message, types: list[int], view: View) -> bool:
    """Whether a request is the peer's own: named, and protected by the IUT's password."""
    name = message.first(Attribute.USERNAME)
    if name is None or name.value.partition(b":")[0] != view.ufrag.encode():
        return False
    return Attribute.MESSAGE_INTEGRITY in types and check_integrity(octets, view.key) is Check.VALID


def _authenticated(message: Message, types: list[int], view: View) -> Expected:
    place = types.index(Attribute.MESSAGE_INTEGRITY)
    before, after = types[:place], types[place + 1 :]
    if any(_FIRST_UNASSIGNED <= kind < 0x8000 for kind in before):
        return Expected.UNKNOWN
    if Attribute.USE_CANDIDATE in before:
        return Expected.ANY
    if not {Attribute.USERNAME, Attribute.PRIORITY} <= set(before) or Attribute.SOFTWARE in after:
        return Expected.ANY
    name = message.username or ""
    if name != f"{view.ufrag}:{view.peer}" or not 0 < (message.priority or 0) < 2**31:
        return Expected.ANY
    if any(kind in (Attribute.PRIORITY, Attribute.USERNAME, *_ROLES, Attribute.USE_CANDIDATE) for kind in after):
        return Expected.ANY
    return _by_role(message, before, view)


def _somebodys(kind: int) -> bool:
    """Whether a registry or a vendor has given a type a meaning that some agents know, who may mind the value."""
    return kind not in _EVERYBODYS and (kind < _FIRST_UNASSIGNED or 0x8000 <= kind < 0x8040 or kind >= 0xC000)


_ROLES = (Attribute.ICE_CONTROLLED, Attribute.ICE_CONTROLLING)


def _by_role(message: Message, before: list[int], view: View) -> Expected:
    claims = [kind for kind in before if kind in _ROLES]
    if len(claims) != 1 or not view.roles_clear:
        return Expected.ANY
    controlling = claims[0] == Attribute.ICE_CONTROLLING
    if controlling != view.iut_controlling:
        return Expected.SUCCESS
    tie = message.ice_controlling if controlling else message.ice_controlled
    if tie == (0 if view.iut_controlling else _LAST):
        return Expected.CONFLICT
    return Expected.ANY


# -- what came back ----------------------------------------------------------------------------------------------------


def judge(outcome: Outcome, view: View) -> list[Symptom]:
    """Return what is wrong with what came back."""
    streams = [(link, Deframer()) for link in outcome.links]
    sent = [(link, deframer, deframer.feed(bytes(link.sent))) for link, deframer in streams]
    checks = outcome.checks
    if len(sent) > 1 and any(
        payload not in checks and _changes_roles(payload, view) for _, _, frames in sent for payload in frames
    ):
        view.roles_clear = False  # which connection was served first, we cannot know
    found: list[Symptom] = []
    for link, deframer, frames in sent:
        found += _judge_link(link, deframer, frames, outcome, view)
    return found


def _changes_roles(payload: bytes, view: View) -> bool:
    """Whether a message may lawfully make the IUT change its role: a conflict, or a 487."""
    if b"\x80\x2a" not in payload and b"\x80\x29" not in payload:
        return payload[:2] == b"\x01\x11"
    message = _decoded(payload)
    return message is not None and message.has(_ROLES[view.iut_controlling])


def _nominates(payload: bytes) -> bool:
    """Whether a message may lawfully make the IUT select a pair: a nomination, or the answer to one."""
    return b"\0\x25\0\0" in payload or payload[:2] == b"\x01\x01"


def _kept(link: Link, payload: bytes) -> bool:
    """Whether the answer to a request says that it changed nothing: it was refused, or the conflict is the peer's."""
    answers = link.answers.get(payload[8:20], ())
    return payload[:2] == b"\x00\x01" and len(answers) == 1 and answers[0][:2] == b"\x01\x11"


def _own_check(view: View) -> Expected:
    """Return what may come back for a valid check of ours, which nothing was done to."""
    return Expected.ANY if view.unsure or view.early or not view.roles_clear else Expected.SUCCESS


def _judge_link(link: Link, deframer: Deframer, frames: list[bytes], outcome: Outcome, view: View) -> list[Symptom]:
    expected = []
    by_id: dict[bytes, list[tuple[bytes, Expected]]] = {}
    media = view.media.setdefault(link.component, set())
    for payload in frames:
        own = payload in outcome.checks
        wanted = _own_check(view) if own else expect(payload, view)
        expected.append((payload, wanted))
        media.add(payload)
        view.elsewhere = view.elsewhere or (not own and _nominates(payload))
        if len(payload) >= 20 and payload[4:8] == _COOKIE:
            view.asked[payload[8:20]] += 1
            by_id.setdefault(payload[8:20], []).append((payload, wanted))
            if not own and view.roles_clear and _changes_roles(payload, view) and not _kept(link, payload):
                view.roles_clear = False
    whole = deframer.at_boundary and link.ended not in ("urgent", "stuck")
    found = [] if link.ended == "urgent" else list(_answers(link, by_id, view))
    if whole:
        found += _silences(link, outcome, expected, view)
    return found


def _answers(link: Link, by_id: dict[bytes, list[tuple[bytes, Expected]]], view: View) -> Iterable[Symptom]:
    for identity, answers in link.answers.items():
        sent = by_id.get(identity, [])
        if len(answers) > max(len(sent), view.asked[identity]):
            if identity[:8] == OUR_IDS and not view.asked[identity]:
                continue  # asked between the cases
            if not view.asked[identity]:
                yield Symptom("unasked", "response", f"a response to nothing that was asked: {answers[0].hex()}")
            else:
                yield Symptom("answered twice", "response", f"{len(answers)} responses to {len(sent)} requests")
        if len(sent) == 1:
            yield from _answer(answers[0], *sent[0], link, view)


def _answer(answer: bytes, payload: bytes, wanted: Expected, link: Link, view: View) -> Iterable[Symptom]:
    if wanted is Expected.MUTE:
        yield Symptom("answered", wanted.name, f"{answer.hex()}; allowed: {wanted.value}")
        return
    if wanted in (Expected.SUCCESS, Expected.ANY) and plainly_right(answer, view.key, link.local):
        return
    try:
        response = Message.decode(answer)
        code = response.error_code.code if response.error_code else 0
    except StunError as problem:
        yield Symptom("malformed response", problem.what.split(" of ")[0], f"{problem}: {answer.hex()}")
        return
    success = response.is_success
    got = "success" if success else f"error {code}"
    if wanted in _NO_SUCCESS and success:
        yield Symptom("answered", f"{wanted.name} {got}", f"{got}; allowed: {wanted.value}")
    elif wanted is Expected.SUCCESS and not success:
        yield Symptom("refused", got, f"{got}; allowed: {wanted.value}")
    if not success and code == 0:
        yield Symptom("malformed response", "no ERROR-CODE", f"an error response without ERROR-CODE: {answer.hex()}")
    if success and wanted is Expected.SUCCESS:
        yield from _success(answer, response, link, view)
    if code == 420:
        yield from _listed(response, payload)


def _success(answer: bytes, response: Message, link: Link, view: View) -> Iterable[Symptom]:
    mapped = response.xor_mapped_address
    if mapped is None or (mapped.ip, mapped.port) != link.local:
        yield Symptom("wrong response", "XOR-MAPPED-ADDRESS", f"XOR-MAPPED-ADDRESS {mapped}, not {link.local}")
    if check_integrity(answer, view.key) is not Check.VALID:
        yield Symptom("wrong response", "MESSAGE-INTEGRITY", "the success response is not authentic")
    if check_fingerprint(answer) is Check.INVALID:
        yield Symptom("wrong response", "FINGERPRINT", "the response's FINGERPRINT is wrong")


def _listed(response: Message, payload: bytes) -> Iterable[Symptom]:
    """What UNKNOWN-ATTRIBUTES lists must have been in the request."""
    request = _decoded(payload)
    try:
        listed = response.unknown_attributes
    except StunError:
        return
    if request is None:
        return
    foreign = sorted(set(listed or ()) - {attribute.type for attribute in request.attributes})
    if foreign:
        names = ", ".join(f"0x{kind:04x}" for kind in foreign)
        text = f"it lists {names}, which the request did not have"
        strange = any(kind.to_bytes(2, "big") not in payload for kind in foreign)
        yield Symptom("uninitialised octets" if strange else "wrong response", "UNKNOWN-ATTRIBUTES", text)


def _silences(link: Link, outcome: Outcome, expected: list[tuple[bytes, Expected]], view: View) -> Iterable[Symptom]:
    probes = {identity: answered for owner, identity, answered in outcome.probes if owner is link}
    if not probes:
        return
    if not all(probes.values()):
        yield from _deaf(link, expected, probes, view)
        return
    sent_later = False
    for payload, wanted in reversed(expected):
        identity = payload[8:20]
        if identity in probes:
            sent_later = True
        elif sent_later and wanted in _NEEDS_ANSWER and identity not in link.answers:
            yield Symptom("silence", wanted.name, f"no answer; required: {wanted.value}")


def _deaf(
    link: Link, expected: list[tuple[bytes, Expected]], probes: dict[bytes, bool], view: View
) -> Iterable[Symptom]:
    """A valid check behind whole frames was not answered."""
    if view.elsewhere or (view.concluded and (link.number or link.closed)):
        return  # a pair was selected, and this connection is of no more use
    before = [(payload, wanted) for payload, wanted in expected if payload[8:20] not in probes]
    lawful = all(not payload or wanted is Expected.SUCCESS for payload, wanted in before)
    unanswered = any(payload[8:20] in probes and wanted is not Expected.SUCCESS for payload, wanted in expected)
    if unanswered:
        return  # the check is not one that must be answered just now
    if not link.closed:
        yield Symptom("deaf", "connection", "a valid check is not answered, though frames before it were whole")
    elif lawful and link.closed:
        yield Symptom("closed", "connection", f"the IUT ended ({link.closed}) a connection that did nothing wrong")


def judge_media(delivered: Iterable[tuple[int, bytes]], view: View) -> list[Symptom]:
    """Return what is wrong with what the application got: each portion must be a frame of its component."""
    found = []
    for component, octets in delivered:
        if octets in view.media.get(component, set()):
            continue
        other = [number for number, frames in view.media.items() if octets in frames]
        if other:
            text = f"a frame of component {other[0]} was delivered on component {component}"
            found.append(Symptom("wrong component", "media", text))
        else:
            found.append(Symptom("media never sent", "media", f"{len(octets)} octets: {octets[:40].hex()}"))
    return found
