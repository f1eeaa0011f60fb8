"""UDP beside TCP in a stream: which candidates there are, and which transport is preferred (RFC 6544 4.1 to 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.config import Config, Media

if TYPE_CHECKING:
    from collections.abc import Collection

    from conformance.agent.pairs import Pair


def directions(config: Config, media: Media, tcptypes: Collection[str]) -> list[str]:
    """Return the tcptypes of the candidates to gather, "" standing for UDP, which a byte stream cannot use."""
    udp = config.udp and media is Media.RTP
    if udp and not config.tcptypes and "tcp-not-switched-off" in config.faults:
        tcptypes = ("active", "passive")
    return [""] * udp + sorted(tcptypes)


def lowered(direction: str, mixed: bool, faults: frozenset[str]) -> int:
    """Return by how much a candidate's type preference is lowered for the other transport's sake.

    UDP is preferred for RTP, and one step is enough where the type shall count for more (RFC 6544 section 4.2).
    """
    if not mixed or "transports-equal" in faults:
        return 0
    behind = not direction if "tcp-above-udp" in faults else bool(direction)
    return 1 if behind else 0


def rank(pair: Pair, faults: frozenset[str]) -> int:
    """Return what would count for more than a pair's priority: nothing, for both transports share the check list."""
    if "udp-first" in faults:
        return int(pair.local.base.is_udp)
    return int("tcp-first" in faults and not pair.local.base.is_udp)
