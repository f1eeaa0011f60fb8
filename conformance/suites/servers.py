"""What the cases with STUN and TURN servers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.events import Frame
from conformance.verdict import Inconclusive, JudgedElsewhere, NotApplicable
from conformance.wire.attributes import Attribute, decode_xor_address
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from conformance.iut.description import Description
    from conformance.peer.servers import Allocation, Asked, Server
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

HIDDEN = {("0.0.0.0", 9), ("::", 9)}  # noqa: S104 - a related address that is not revealed (RFC 8839 section 5.1)
NAT = "198.51.100.7"  # where our servers say that requests come from (RFC 5737)


def gathered(iut: Description, kind: str, tcptype: str | None = None) -> list[Candidate]:
    """Return the TCP candidates of a type and, if given, a tcptype; an empty list is an answer too."""
    return [
        candidate
        for candidate in iut.media().candidates
        if candidate.is_tcp and candidate.type.lower() == kind and tcptype in (None, (candidate.tcptype or "").lower())
    ]


def relayed(iut: Description) -> list[Candidate]:
    """Return the relayed candidates, of TCP and of UDP addresses."""
    return [candidate for candidate in iut.media().candidates if candidate.type.lower() == "relay"]


def gathered_if_any(iut: Description, kind: str, tcptype: str) -> list[Candidate]:
    """Return such candidates for a case that asks how they are written: n/a where there are none."""
    found = gathered(iut, kind, tcptype)
    if not found:
        raise NotApplicable(f"the IUT's {iut.kind} has no {tcptype} {kind} candidate")
    return found


def credentials_in(requests: Iterable[Asked]) -> list[str]:
    """Return the names of attributes for credentials in requests."""
    kinds = (Attribute.USERNAME, Attribute.MESSAGE_INTEGRITY, Attribute.MESSAGE_INTEGRITY_SHA256)
    return [kind.name for request in requests for kind in kinds if request.message.has(kind)]


def asked_for(server: Server, method: Method) -> list[Asked]:
    """Return the requests of a method; inconclusive where none has come that could be read."""
    found = server.requests(method)
    if not found:
        raise Inconclusive(f"no {method.name} has come")
    return found


def require_refusal(server: Server, method: Method, code: int) -> None:
    """Make sure that a request was answered with this error (preamble)."""
    if not any(one.code == code for one in server.requests(method)):
        raise Inconclusive(f"no {method.name} of the IUT's came so far that the server would answer {code}")


def needs_permissions(addresses: Collection[str]) -> None:
    """Raise `NotApplicable` where the IUT has created no permission at all."""
    if not addresses:
        raise JudgedElsewhere(
            "the IUT created no permission",
            case="RFC8445-7.2.1/permission_comes_before_a_check_from_a_relayed_candidate",
        )


def unpermitted_checks(peer: Peer, allocation: Allocation, *, within: float) -> list[str]:
    """Watch the first datagram that the IUT sends to us through an allocation; return us if it had no permission.

    Inconclusive if none comes.
    """
    control = allocation.control

    def kinds() -> list[tuple[int, bool]]:
        frames = [event for event in control.events if isinstance(event, Frame) and event.message is not None]
        to_us = ((f.stun.method, _names(f, peer.address)) for f in frames if not f.stun.is_success)
        return [(method, named) for method, named in to_us if method in (Method.SEND, Method.CREATE_PERMISSION)]

    peer.wait_until(lambda: (Method.SEND, True) in kinds(), within)
    found = kinds()
    if (Method.SEND, True) not in found:
        raise Inconclusive("the IUT has sent no check from its relayed address")
    before = found[: found.index((Method.SEND, True))]
    return [] if (Method.CREATE_PERMISSION, True) in before else [peer.address]


def _names(frame: Frame, address: str) -> bool:
    """Whether a message names this peer's IP address."""
    peers = frame.stun.all(Attribute.XOR_PEER_ADDRESS)
    return any(decode_xor_address(each, frame.stun.transaction_id).ip == address for each in peers)


def components(candidates: list[Candidate]) -> set[int]:
    """Return the components that have one of these candidates."""
    return {candidate.component for candidate in candidates}
