"""What is wrong with what came back: answers, silences and ends that no reading of an RFC allows.

`expect` says what may come back, from the octets that were sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint, check_integrity
from conformance.wire.stun import Message
from fuzz.judging.expect import COOKIE, ROLES, Expected, View, expect, walked
from fuzz.judging.reading import plain_error, plainly_right
from fuzz.judging.symptom import Symptom
from fuzz.player.reading import HEADER, error_code, frames
from fuzz.player.render import OUR_IDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fuzz.player.connection import Connection
    from fuzz.player.outcome import Outcome

_NO_SUCCESS = {
    Expected.NOTHING_STUN,
    Expected.NO_SUCCESS,
    Expected.UNPROTECTED,
    Expected.ERROR,
    Expected.UNKNOWN,
    Expected.CONFLICT,
}
_NEEDS_ANSWER = {Expected.ERROR, Expected.UNKNOWN, Expected.CONFLICT, Expected.SUCCESS}
_MANY, _BACKLOG = 200, 50  # frames, and unanswered requests, behind which a check may wait for long
_CLAIMS = tuple(kind.to_bytes(2, "big") for kind in ROLES)
_ERROR_CODE, _UNKNOWN, _CONFLICT = 0x0009, 420, 487

Sent = list[tuple[bytes, Expected]]  # the payloads of frames, and what may come back for each


def judge(outcome: Outcome, view: View) -> list[Symptom]:
    """Return what is wrong with what came back."""
    if outcome.controlling is not None:
        view.roles_clear, view.iut_controlling = True, not outcome.controlling
    connections = outcome.connections
    if len(connections) == 1:
        return _judge_connection(connections[0], *frames(bytes(connections[0].sent)), outcome, view)
    sent = [(connection, *frames(bytes(connection.sent))) for connection in connections]
    if any(payload not in outcome.checks and _changes_roles(payload, view) for _, some, _ in sent for payload in some):
        view.roles_clear = False  # we cannot know which connection was served first
    return [
        symptom
        for connection, some, whole in sent
        for symptom in _judge_connection(connection, some, whole, outcome, view)
    ]


def _changes_roles(payload: bytes, view: View) -> bool:
    """Whether a message may lawfully make the IUT change its role: a conflict, or a 487."""
    if payload[:2] == b"\x01\x11":
        return _may_be_487(payload)
    if _CLAIMS[view.iut_controlling] not in payload:
        return False
    attributes = walked(payload)
    return attributes is not None and ROLES[view.iut_controlling] in attributes[0]


def _may_be_487(payload: bytes) -> bool:
    """Whether an error response may be taken for one that tells of a role conflict."""
    attributes = walked(payload)
    if attributes is None:
        return True  # malformed, but a lenient parser may accept it
    kinds, _, values = attributes
    return any(
        kind == _ERROR_CODE and error_code(value) == _CONFLICT for kind, value in zip(kinds, values, strict=True)
    )


def _nominates(payload: bytes) -> bool:
    """Whether a message may lawfully make the IUT select a pair: a nomination, or the answer to one."""
    return b"\0\x25\0\0" in payload or payload[:2] == b"\x01\x01"


def _kept(connection: Connection, payload: bytes) -> bool:
    """Whether the answer to a request says that it changed nothing: it was refused, or the conflict is the peer's."""
    answers = connection.answers.get(payload[8:20], ())
    return payload[:2] == b"\x00\x01" and len(answers) == 1 and answers[0][:2] == b"\x01\x11"


def _own_check(payload: bytes, outcome: Outcome, view: View) -> Expected:
    """Return what may come back for a valid check of ours."""
    return (
        Expected.ANY
        if payload == outcome.asked or view.unsure or view.early or not view.roles_clear
        else Expected.SUCCESS
    )


def _judge_connection(
    connection: Connection, some: list[bytes], whole: bool, outcome: Outcome, view: View
) -> list[Symptom]:
    view.media.setdefault(connection.component, set()).update(some)
    expected = [_expected(payload, connection, outcome, view) for payload in some]
    by_id: dict[bytes, Sent] = {}
    for one in expected:
        payload = one[0]
        if payload[4:8] == COOKIE and len(payload) >= HEADER:
            by_id.setdefault(payload[8:20], []).append(one)
    for identity, those in by_id.items():
        view.asked[identity] = view.asked.get(identity, 0) + len(those)
        if any(wanted is not Expected.MUTE for _, wanted in those):
            view.requested.add(identity)
    found: list[Symptom] = []
    for identity, answers in connection.answers.items() if connection.ended != "urgent" else ():
        sent = by_id.get(identity, ())
        if len(sent) == len(answers) == 1 and _as_expected(answers[0], sent[0][1], connection, view):
            continue
        found += _answers(connection, identity, answers, sent, view)
    if whole and connection.ended not in ("urgent", "stuck"):
        found += _silences(connection, outcome, expected, view)
    return found


def _expected(payload: bytes, connection: Connection, outcome: Outcome, view: View) -> tuple[bytes, Expected]:
    """Return a payload with what may come back, and note what it may lawfully change."""
    if payload in outcome.checks:
        return payload, _own_check(payload, outcome, view)
    wanted = expect(payload, view)
    stun = len(payload) >= HEADER and payload[4:8] == COOKIE
    if stun and view.roles_clear and not _kept(connection, payload) and _changes_roles(payload, view):
        view.roles_clear = False
    if not view.elsewhere and _nominates(payload):
        view.elsewhere = True
    return payload, wanted


def _answers(
    connection: Connection, identity: bytes, answers: list[bytes], sent: Sequence[tuple[bytes, Expected]], view: View
) -> Iterable[Symptom]:
    asked = view.asked.get(identity, 0)
    if len(answers) > max(len(sent), asked):
        if asked:
            yield Symptom("answered twice", "response", f"{len(answers)} responses to {len(sent)} requests")
        elif identity[:8] == OUR_IDS:
            return  # asked between the cases
        else:
            yield Symptom("unasked", "response", f"a response to nothing that was asked: {answers[0].hex()}")
    if len(sent) != 1 or (sent[0][1] is Expected.MUTE and identity in view.requested):
        return  # several messages have this id, so the answer cannot be assigned to one of them
    if not _as_expected(answers[0], sent[0][1], connection, view):
        yield from _answer(answers[0], *sent[0], connection, view)


def _as_expected(answer: bytes, wanted: Expected, connection: Connection, view: View) -> bool:
    """Whether an answer is plainly right. If not, the codec decides."""
    if wanted is not Expected.SUCCESS and wanted is not Expected.MUTE and plain_error(answer) not in (0, _UNKNOWN):
        return True
    return wanted in (Expected.SUCCESS, Expected.ANY) and plainly_right(answer, view.key, connection.local)


def _answer(answer: bytes, payload: bytes, wanted: Expected, connection: Connection, view: View) -> Iterable[Symptom]:
    if wanted is Expected.MUTE:
        yield Symptom("answered", wanted.name, f"{answer.hex()}; allowed: {wanted.value}")
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
        yield from _success(answer, response, connection, view)
    if code == _UNKNOWN:
        yield from _listed(response, payload)


def _success(answer: bytes, response: Message, connection: Connection, view: View) -> Iterable[Symptom]:
    mapped = response.xor_mapped_address
    if mapped is None or (mapped.ip, mapped.port) != connection.local:
        yield Symptom("wrong response", "XOR-MAPPED-ADDRESS", f"XOR-MAPPED-ADDRESS {mapped}, not {connection.local}")
    if check_integrity(answer, view.key) is not Check.VALID:
        yield Symptom("wrong response", "MESSAGE-INTEGRITY", "the success response is not authentic")
    if check_fingerprint(answer) is Check.INVALID:
        yield Symptom("wrong response", "FINGERPRINT", "the response's FINGERPRINT is wrong")


def _listed(response: Message, payload: bytes) -> Iterable[Symptom]:
    """UNKNOWN-ATTRIBUTES may list only types that were in the request."""
    request = walked(payload)
    try:
        listed = response.unknown_attributes
    except StunError:
        return
    if request is None:
        return
    foreign = sorted(set(listed or ()) - set(request[0]))
    if foreign:
        names = ", ".join(f"0x{kind:04x}" for kind in foreign)
        text = f"it lists {names}, which the request did not have"
        strange = any(kind.to_bytes(2, "big") not in payload for kind in foreign)
        yield Symptom("uninitialised octets" if strange else "wrong response", "UNKNOWN-ATTRIBUTES", text)


def _silences(connection: Connection, outcome: Outcome, expected: Sent, view: View) -> Iterable[Symptom]:
    probes = {identity: answered for owner, identity, answered in outcome.probes if owner is connection}
    if not probes:
        return ()
    if not all(probes.values()):
        return _deaf(connection, expected, probes, view)
    found = []
    sent_later = False
    for payload, wanted in reversed(expected):
        identity = payload[8:20]
        if identity in probes:
            sent_later = True
        elif sent_later and wanted in _NEEDS_ANSWER and identity not in connection.answers:
            found.append(Symptom("silence", wanted.name, f"no answer; required: {wanted.value}"))
    return found


def _deaf(
    connection: Connection, expected: list[tuple[bytes, Expected]], probes: dict[bytes, bool], view: View
) -> Iterable[Symptom]:
    """A valid check behind whole frames was not answered."""
    if view.elsewhere or (view.concluded and (connection.number or connection.closed)):
        return  # a pair was selected, so the IUT may close this connection
    if view.ended and connection.number == 0:
        return  # it stands in for one that we have ended
    before = [(payload, wanted) for payload, wanted in expected if payload[8:20] not in probes]
    waiting = sum(payload[:1] == b"\0" and payload[8:20] not in connection.answers for payload, _ in before)
    if len(before) > _MANY or waiting > _BACKLOG:
        return  # it may still be busy with what came before
    lawful = all(not payload or wanted is Expected.SUCCESS for payload, wanted in before)
    unanswered = any(payload[8:20] in probes and wanted is not Expected.SUCCESS for payload, wanted in expected)
    if unanswered:
        return  # at the moment this check need not be answered
    if not connection.closed:
        yield Symptom("deaf", "connection", "a valid check is not answered, though frames before it were whole")
    elif lawful and connection.closed:
        yield Symptom(
            "closed", "connection", f"the IUT ended ({connection.closed}) a connection that did nothing wrong"
        )


def judge_media(delivered: Iterable[tuple[int, bytes]], view: View) -> list[Symptom]:
    """Return what is wrong with what the application received: each portion must be a frame of its component."""
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
