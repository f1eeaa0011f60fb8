"""What an expectation takes for granted. Where it did not hold, the case could not judge: inconclusive, not failed.

A response that is not in a frame is not seen as a response; that says nothing about what it would have said. What did
hold is read from what came on the connections, so that the verdict names the thing that is wrong.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from conformance.peer.events import Frame
from conformance.peer.misframing import Reader
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing
from conformance.wire.errors import StunError
from conformance.wire.stun import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.peer.tester import Peer

# What says how a message and its attributes are written; and what asks servers for allocations.
_FORM = ("RFC8489-5", "RFC8489-14", "RFC8489-6.3.1.1", "RFC8489-7", "RFC8445-16.1", "RFC6544-7.1-05")
_ALLOCATING = ("RFC8489", "RFC8656", "RFC6062", "RFC8445-5.1.1.2-06", "RFC6544-11.2")
_COOKIE = bytes.fromhex("2112a442")
_TYPES = (b"\x00\x01", b"\x01\x01", b"\x01\x11", b"\x00\x11")  # of Binding
_HEADER = 20


@contextmanager
def premises(peer: Peer, requirements: Sequence[str] = ()) -> Iterator[None]:
    """Turn a failed expectation into `Inconclusive` where an obstacle on the connections explains it.

    What an IUT does that has kept its role shows nothing of the other role, in which a variant wants to meet it: such a
    variant does not pass either.

    A malformed message, and an attribute that a case reads and that does not decode, fails a case that is about how
    messages are written, as its `requirements` say. Other cases cannot be judged by it: the judge names what is wrong.
    """
    try:
        yield
    except StunError as problem:
        outcome = Failed if not requirements or _cites(requirements, _FORM) else Inconclusive
        raise outcome(
            f"what the case looks at is malformed: {problem}", expected="a well-formed attribute", actual=str(problem)
        ) from problem
    except Inconclusive:
        if _keeps_its_role(peer):
            raise _not_switched() from None
        raise
    except Failed as failure:
        if isinstance(failure, Missing) and _keeps_its_role(peer):
            raise _not_switched() from failure
        obstacle = _misframed(peer) or (_refused(peer) if isinstance(failure, Missing) else "")
        if not _cites(requirements, _FORM):
            obstacle = obstacle or _malformed(peer)
        if not _cites(requirements, _ALLOCATING):
            obstacle = obstacle or _unserved(peer)
        if not obstacle:
            raise
        raise Inconclusive(f"{failure}; {obstacle}", expected=failure.expected, actual=failure.actual) from failure
    if _falls_back(peer):
        raise _not_switched()


def _cites(requirements: Sequence[str], sections: Sequence[str]) -> bool:
    """Whether one of these ids lies in one of the sections, or is one."""
    return any(
        identifier == section or identifier.startswith((f"{section}-", f"{section}."))
        for identifier in requirements
        for section in sections
    )


def _not_switched() -> JudgedElsewhere:
    return JudgedElsewhere(
        "the IUT does not take the other role, in which this variant meets it",
        case="RFC8445-7.3.1.1/role_conflict_that_the_iut_loses_switches_its_role",
    )


def _keeps_its_role(peer: Peer) -> bool:
    """Whether the roles were to be switched, and the IUT has not taken the other role.

    It has answered no check of ours with success, or it claims the role of before in its last check: after a 487, or
    after it answered our check with success.
    """
    if peer.shape.roles != "switched":
        return False
    answered = any(connection.had_success for connection in peer.connections)
    return not answered or _falls_back(peer)


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


def _malformed(peer: Peer) -> str:
    """Say what came that was meant as STUN, before there can have been data, and does not decode."""
    for connection in peer.connections:
        for event in connection.events:
            if isinstance(event, Frame) and event.message is not None and event.message.is_success:
                break  # from now on there may be data of any look
            if isinstance(event, Frame) and (problem := _problem(event)):
                return f"but what came on {connection} is malformed: {problem}"
    return ""


def _problem(frame: Frame) -> str:
    """Return why a frame that is meant as STUN is not understood, or an error response tells no code."""
    octets = frame.octets
    if frame.message is not None:
        return _code_problem(frame.message)
    if octets[4:8] == _COOKIE:
        return str(frame)
    meant = octets[:2] in _TYPES and len(octets) == _HEADER + int.from_bytes(octets[2:4], "big")
    return str(frame) if meant and len(octets) > _HEADER else ""


def _code_problem(message: Message) -> str:
    if not message.is_error:
        return ""
    try:
        return "" if message.error_code is not None else "an error response without ERROR-CODE"
    except StunError as problem:
        return str(problem)


def _unserved(peer: Peer) -> str:
    """Say what the IUT did not get from a server of ours that serves everybody."""
    found = next((server.unserved for server in peer.servers if server.unserved), "")
    return found and f"but {found}"
