"""Which candidate pairs two descriptions make (RFC 6544 section 6.2), and who has to open their connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.interop.model import OTHER, SIDES
from conformance.judge.known import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import SessionDescription

_ACCEPTS = {"active": "passive", "so": "so"}


@dataclass(frozen=True, slots=True)
class Opening:
    """A side has a candidate that must connect to this one of the other side's."""

    side: str
    remote: Candidate


def candidates(description: SessionDescription) -> list[Candidate]:
    """Return the TCP candidates of the sections that are in use."""
    return [
        candidate
        for media in description.media
        if media.port or media.has("bundle-only")
        for candidate in media.candidates
        if candidate.is_tcp
    ]


def has_media(description: SessionDescription) -> bool:
    """Whether any section is in use; an answer may reject all of them (RFC 3264 section 6)."""
    return any(media.port or media.has("bundle-only") for media in description.media)


def openings(described: Mapping[str, SessionDescription]) -> list[Opening]:
    """Return who has to open connections to what; candidates on loopback lead to nobody else."""
    found = []
    for side in SIDES:
        own, theirs = (candidates(described[who]) for who in (side, OTHER[side]))
        for remote in theirs:
            if _is_met(own, remote):
                found.append(Opening(side, remote))
    return found


def can_pair(described: Mapping[str, SessionDescription]) -> bool:
    """Whether there is any pair."""
    return bool(openings(described))


def tcptypes(description: SessionDescription) -> list[str]:
    """Return the tcptypes of a description, each once."""
    return list(dict.fromkeys((candidate.tcptype or "none").lower() for candidate in candidates(description)))


def families(description: SessionDescription) -> list[int]:
    """Return the address families of a description's TCP candidates that others can reach."""
    reachable = (candidate for candidate in candidates(description) if not _is_loopback(candidate.address))
    return sorted({_family(candidate.address) for candidate in reachable})


def _is_met(own: Iterable[Candidate], remote: Candidate) -> bool:
    if _is_loopback(remote.address) or not is_address(remote.address):
        return False
    return any(
        not _is_loopback(mine.address)
        and _ACCEPTS.get((mine.tcptype or "").lower()) == (remote.tcptype or "").lower()
        and mine.component == remote.component
        and _family(mine.address) == _family(remote.address)
        for mine in own
    )


def _family(address: str) -> int:
    return 6 if ":" in address else 4


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
