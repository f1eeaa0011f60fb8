"""What an expectation takes for granted. Where it did not hold, the case could not judge: inconclusive, not failed.

A response that is not in a frame is not seen as a response; that says nothing about what it would have said. What did
hold is read from what came on the connections, so that the verdict names the thing that is wrong.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from conformance.peer.misframing import Reader
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing
from conformance.wire.errors import StunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.peer.tester import Peer


@contextmanager
def premises(peer: Peer) -> Iterator[None]:
    """Turn a failed expectation into `Inconclusive` where an obstacle on the connections explains it.

    What an IUT does that has kept its role shows nothing of the other role, in which a variant wants to meet it: such a
    variant does not pass either.

    An attribute that a case reads and that does not decode fails the case: its value is not what it must be.
    """
    try:
        yield
    except StunError as problem:
        raise Failed(
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
        if not obstacle:
            raise
        raise Inconclusive(f"{failure}; {obstacle}", expected=failure.expected, actual=failure.actual) from failure
    if _falls_back(peer):
        raise _not_switched()


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
