"""What an expectation takes for granted. Where it did not hold, the case could not judge: inconclusive, not failed.

A response that is not in a frame is not seen as a response; that says nothing about what it would have said. What did
hold is read from what came on the connections, so that the verdict names the thing that is wrong.
"""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, Frame
from conformance.peer.misframing import Reader
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, short_term_key
from conformance.wire.stun import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

# What says how messages are framed; which request a response answers, and where;
_FRAMING = (
    "RFC4571",
    "RFC6062-4.5",
    "RFC6544-3-s02",
    "RFC6544-7.1-03",
    "RFC6544-7.1-s05",
    "RFC6544-7.2-03",
    "RFC6544-10.1",
)
_TRANSACTIONS = ("RFC8489-5", "RFC8489-6", "RFC6544-7.2-s01")
_IDS = ("RFC8489-5-05", "RFC8489-5-06", "RFC8489-6.1", "RFC8489-6.3.1.2", "RFC8445-7.2.5.2.1")  # of transactions
# how a message and its attributes are written; what asks servers for allocations; and whose credentials are whose.
_FORM = ("RFC8489-5", "RFC8489-14", "RFC8489-6.3.1.1", "RFC8489-7", "RFC8445-16.1", "RFC6544-7.1-05")
_UNREADABLE = (  # what makes a message none that is read; a value that is wrong is seen in one that is there
    *(section for section in _FORM if section != "RFC8489-14"),
    *("RFC8489-14-", "RFC8489-14.5", "RFC8489-14.6", "RFC8489-14.7", "RFC8489-14.8"),
)
_VALUES: dict[int, tuple[str, ...]] = {  # which sentences say how the value of an attribute is written
    Attribute.PRIORITY: ("RFC8445-16.1-s02",),
    Attribute.ICE_CONTROLLED: ("RFC8445-16.1-s03",),
    Attribute.ICE_CONTROLLING: ("RFC8445-16.1-s03",),
    Attribute.MAPPED_ADDRESS: ("RFC8489-14.1", "RFC8489-6.3.1.1"),
    Attribute.XOR_MAPPED_ADDRESS: ("RFC8489-14.2", "RFC8489-6.3.1.1"),
    Attribute.USERNAME: ("RFC8489-14.3",),
    Attribute.ERROR_CODE: ("RFC8489-14.8", "RFC8489-6.3.1.1"),
    Attribute.UNKNOWN_ATTRIBUTES: ("RFC8489-14.13", "RFC8489-6.3.1.1"),
}
_WHOLE = ("RFC6062-4.5", "RFC6544-7.1-03")  # what says that a frame holds one message
_ALLOCATING = ("RFC8489", "RFC8656", "RFC6062", "RFC8445-5.1.1.2-06", "RFC6544-11.2")
_CREDENTIALS = (
    "RFC8489-9",
    "RFC8445-7.3-04",
    "RFC8839-5.4",
    "RFC8445-9",
    "RFC8445-5.3",
    "RFC8839-4.4.1",
    "RFC8839-4.4.2",
)
_ROLES = ("RFC8445-6.1.1", "RFC8445-7.1.3", "RFC8445-7.2.5.1", "RFC8445-7.3.1.1", "RFC8445-9", "RFC8489-14.8")
_NOMINATING = ("RFC8445-7.1.2", "RFC8445-7.1.3")  # what says who nominates, and what role a check claims
_CONCLUDING = ("RFC6544-8", "RFC6544-9", "RFC8445-6.1.3", "RFC8445-7.2.5", "RFC8445-8", "RFC8445-12")
_COOKIE = bytes.fromhex("2112a442")
_TYPES = (b"\x00\x01", b"\x01\x01", b"\x01\x11", b"\x00\x11")  # of Binding
_HEADER = 20


@contextmanager
def premises(peer: Peer, requirements: Sequence[str] = ()) -> Iterator[None]:
    """Turn a failed expectation into `Inconclusive` where an obstacle on the connections explains it.

    What an IUT does that has kept its role shows nothing of the other role, in which a variant wants to meet it: such a
    variant does not pass either.

    A malformed message fails a case that is about how messages are written, as its `requirements` say. An attribute
    that a case reads and that does not decode fails a case that is about how this attribute is written. Other cases
    cannot be judged by it: the judge names what is wrong.
    """
    try:
        yield
    except StunError as problem:
        form = _FORM if problem.attribute is None else _VALUES.get(problem.attribute, _FORM)
        outcome = Failed if not requirements or cites(requirements, form) else Inconclusive
        raise outcome(
            f"what the case looks at is malformed: {problem}", expected="a well-formed attribute", actual=str(problem)
        ) from problem
    except Inconclusive:
        if _keeps_its_role(peer):
            raise _not_switched(peer) from None
        raise
    except AssertionError as failure:
        obstacle = _obstacle(peer, requirements)
        if not obstacle or not _is_the_cases(failure):
            raise
        text = (str(failure).strip() or "the assertion failed").splitlines()[0]
        raise Inconclusive(f"{text}; {obstacle}") from failure
    except Failed as failure:
        if isinstance(failure, Missing) and _keeps_its_role(peer):
            raise _not_switched(peer) from failure
        obstacle = _explanation(peer, failure, requirements)
        if not obstacle:
            raise
        raise Inconclusive(f"{failure}; {obstacle}", expected=failure.expected, actual=failure.actual) from failure
    if _falls_back(peer):
        raise _not_switched(peer)


def _is_the_cases(failure: AssertionError) -> bool:
    """Whether an assertion stands in a case, and not in the tester's own code."""
    *_, (frame, _) = traceback.walk_tb(failure.__traceback__)
    return Path(frame.f_code.co_filename).name.startswith("test_")


def _explanation(peer: Peer, failure: Failed, requirements: Sequence[str]) -> str:
    """Say what explains a failure that is not about it."""
    missing = isinstance(failure, Missing)
    obstacle = _misframed(peer) or (_refused(peer) if missing else "")
    obstacle = obstacle or _obstacle(peer, requirements, missing=missing)
    if obstacle or cites(requirements, _ROLES):
        return obstacle
    if failure.wanted == BindingRequest(use_candidate=True):
        return _controlled(peer)
    return _nominating(peer) if cites(requirements, _CONCLUDING) and not cites(requirements, _NOMINATING) else ""


def _obstacle(peer: Peer, requirements: Sequence[str], *, missing: bool = False) -> str:
    """Say what explains a failure that is not about it; `missing`: the failure is that something did not come."""
    if cites(requirements, _FRAMING) and _misframed(peer):
        return ""  # a message that is cut off wrongly is malformed, for which its frame is to blame
    looks = (
        ((*_FRAMING, "RFC8489-5-07"), _misframed),
        (_UNREADABLE if missing else _FORM, partial(_malformed, whole=cites(requirements, _WHOLE))),
        (_IDS if missing else _TRANSACTIONS, _unasked),
        (_ALLOCATING, _unserved),
        (_CREDENTIALS, _denied),
    )
    found = (look(peer) for sections, look in looks if not cites(requirements, sections))
    return next(filter(None, found), "")


def cites(requirements: Sequence[str], sections: Sequence[str]) -> bool:
    """Whether one of these ids lies in one of the sections, or is one; "14-" leaves the subsections out."""
    return any(
        identifier == section
        or identifier.startswith((section,) if section.endswith("-") else (f"{section}-", f"{section}."))
        for identifier in requirements
        for section in sections
    )


def _not_switched(peer: Peer) -> JudgedElsewhere:
    text = "the IUT does not take the other role, in which this variant meets it"
    if any(connection.outgoing for connection in peer.connections):
        return JudgedElsewhere(text, case="RFC8445-7.3.1.1/role_conflict_that_the_iut_loses_switches_its_role")
    return JudgedElsewhere(text, case="RFC8445-7.3.1.1/lost_role_conflict_on_an_opened_connection_switches_its_role")


def _keeps_its_role(peer: Peer) -> bool:
    """Whether the roles were to be switched, and the IUT has not taken the other role.

    It has not answered our first check with success, which tells it of the conflict, or it claims the role of before in
    its last check: after a 487, or after it answered our check with success. An IUT that has ended the connection
    of our first check before it had to answer has not been asked. Where the IUT's caller was told the role, there is no
    conflict to wait for.
    """
    if peer.shape.roles != "switched":
        return False
    if peer.role_is_told:
        return peer.keeps_its_role
    first = next((one for one in peer.connections if one.first_had_success is not None), None)
    kept = first is None or (first.lasts_longer_than(peer.pixit.response) and not first.first_had_success)
    return kept or _falls_back(peer)


def _falls_back(peer: Peer) -> bool:
    return peer.shape.roles == "switched" and peer.keeps_its_role


def _misframed(peer: Peer) -> str:
    """Say what came that was not in frames: what such octets hold is not known."""
    reader = Reader()
    for connection in peer.connections:
        reader.read(bytes(connection.octets))
    return f"but what came is not in RFC 4571 frames: {reader.found.any[0]}" if reader.found.any else ""


def _refused(peer: Peer) -> str:
    """Say what was refused before: for its credentials by us, or for its role by the IUT."""
    for connection in peer.connections:
        if connection.refused:
            return f"but the IUT's check on {connection} was refused: {connection.refused}"
        if connection.in_conflict:
            return f"but the IUT has refused our check on {connection} with 487 (Role Conflict)"
    return ""


def _malformed(peer: Peer, *, whole: bool) -> str:
    """Say what came that was meant as STUN, and does not decode; `whole`: only of frames that hold just a message."""
    for connection in peer.connections:
        succeeded = False
        for event in connection.events:
            if not isinstance(event, Frame):
                continue
            looked_at = _is_whole(event, as_meant=True) or not whole
            if looked_at and (problem := _problem(event, data=succeeded)):
                return f"but what came on {connection} is malformed: {problem}"
            succeeded |= event.message is not None and event.message.is_success
    return ""


def _problem(frame: Frame, *, data: bool) -> str:
    """Return why a frame that is meant as STUN is not understood, or an error response tells no code.

    `data`: there may be data, which may have any look.
    """
    octets = frame.octets
    if frame.message is not None:
        return _code_problem(frame.message)
    meant, of_stun = _is_whole(frame), octets[4:8] == _COOKIE
    if data:
        return str(frame) if meant and of_stun and not _decodes(octets) else ""
    return str(frame) if of_stun or (meant and len(octets) > _HEADER) else ""


def _decodes(octets: bytes) -> bool:
    try:
        Message.decode(octets)
    except StunError:
        return False
    return True


def _is_whole(frame: Frame, *, as_meant: bool = False) -> bool:
    """Whether a frame holds a message of Binding, by its type, and nothing else, by its length.

    `as_meant`: two bits in front of the type, or a length with the header, are wrong in the message, not in the frame.
    """
    octets, length = frame.octets, int.from_bytes(frame.octets[2:4], "big")
    if as_meant:
        return bytes(octet & mask for octet, mask in zip(octets[:2], (0x3F, 0xFF), strict=False)) in _TYPES and (
            len(octets) in (length, _HEADER + length)
        )
    return octets[:2] in _TYPES and len(octets) == _HEADER + length


def _code_problem(message: Message) -> str:
    if not message.is_error:
        return ""
    try:
        return "" if message.error_code is not None else "an error response without ERROR-CODE"
    except StunError as problem:
        return str(problem)


def _unasked(peer: Peer) -> str:
    """Say what response came where no request of ours had its transaction id."""
    for connection in peer.connections:
        frames = (event for event in connection.events if isinstance(event, Frame) and event.message is not None)
        responses = (frame for frame in frames if frame.stun.is_success or frame.stun.is_error)
        if not all(response.solicited for response in responses):
            return f"but a response came on {connection} that answers no request made there"
    return ""


def _unserved(peer: Peer) -> str:
    """Say what the IUT did not get from a server of ours that serves everybody."""
    found = next((server.unserved for server in peer.servers if server.unserved), "")
    return found and f"but {found}"


def _denied(peer: Peer) -> str:
    """Say that the IUT refuses the credentials that it has described."""
    for connection in peer.connections:
        denied = connection.denied
        if denied and peer.iut is not None and _protects(denied, peer.iut.pwd):
            return f"but the IUT has refused its own credentials on {connection} with 401 (Unauthenticated)"
    return ""


def _nominating(peer: Peer) -> str:
    """Say that the IUT has nominated, by what its checks claim, where that is ours: what ends with that is over."""
    if peer.nominated_against_us:
        return "but the IUT has nominated as the controlling agent, which we are"
    for connection in peer.connections:
        if any(check.use_candidate and check.has(Attribute.ICE_CONTROLLED) for check in _checks(connection)):
            return f"but the IUT has nominated on {connection} although it is controlled"
    return ""


def _controlled(peer: Peer) -> str:
    """Say that the IUT claims to be controlled, as we do: it waits for a nomination as well."""
    checks = [check for connection in peer.connections for check in _checks(connection)]
    if checks and not peer.controlling and all(check.has(Attribute.ICE_CONTROLLED) for check in checks):
        return "but the IUT claims to be controlled, as we are"
    return ""


def _checks(connection: Connection) -> list[Message]:
    messages = [event.message for event in connection.events if isinstance(event, Frame)]
    return [message for message in messages if message is not None and message.is_request]


def _protects(checks: Sequence[bytes], pwd: str) -> bool:
    """Whether one of these checks has the right integrity under a password."""
    return any(check_integrity(octets, short_term_key(pwd)) is Check.VALID for octets in checks)
