"""What the cases with STUN and TURN servers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.verdict import NotApplicable

if TYPE_CHECKING:
    from conformance.iut.description import Description
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


def gathered_if_any(iut: Description, kind: str, tcptype: str) -> list[Candidate]:
    """Return such candidates for a case that asks how they are written: n/a where there are none."""
    found = gathered(iut, kind, tcptype)
    if not found:
        raise NotApplicable(f"the IUT's {iut.kind} has no {tcptype} {kind} candidate")
    return found


def components(candidates: list[Candidate]) -> set[int]:
    """Return the components that have one of these candidates."""
    return {candidate.component for candidate in candidates}
