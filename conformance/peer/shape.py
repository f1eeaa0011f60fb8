"""Ways to carry out a case that must not change its verdict."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MessageClass, Method, build

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

_DRIPS = 6
_OCTETS = 200  # so many octets of a long frame go one by one
_BEHIND_LENGTH = 3  # a frame is cut in LENGTH, or right behind it, by "cut1" and "cut2"


@dataclass(frozen=True, slots=True)
class Shape:
    """One value of each dimension; the defaults are the usual ones.

    family: address family between the testers and the IUT.
    roles: "own" as RFC 8445 section 6.1.1 gives them, or "switched" by a role conflict that the first check of either
        side makes, and that the IUT loses (sections 7.3.1.1 and 7.2.5.1), or by the IUT's caller if it obeys the wish.
    segmentation: how what we send is divided: "whole", "octets" one by one, "cut" somewhere behind LENGTH or "cutN"
        behind octet N, "drip" in slow pieces, "coalesced" with a further frame, a Binding indication, in the same
        segment.
    components: how many components the stream has; the case happens on the first.
    candidates: whether those of both sides stand in their descriptions or come later, "trickled" (RFC 8838).
    sdp: whether our descriptions are "plain" or say the same in a "strange" way, with much that is to be ignored.
    """

    family: str = "IPv4"
    roles: str = "own"
    segmentation: str = "whole"
    components: int = 1
    candidates: str = "described"
    sdp: str = "plain"

    @property
    def words(self) -> list[str]:
        """Return what differs from the usual, for a case's id."""
        differing = [getattr(self, item.name) for item in fields(self) if getattr(self, item.name) != item.default]
        return [f"{value}components" if isinstance(value, int) else str(value) for value in differing]

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the PICS conditions that the differences put on an IUT."""
        conditions = {
            f"families:{self.family[-1]}": True,
            f"components:{self.components}": self.components > 1,
            "trickle": self.candidates == "trickled",
        }
        return tuple(condition for condition, holds in conditions.items() if holds)

    def __str__(self) -> str:
        return " ".join(self.words) or "usual"

    def divide(self, octets: bytes, drip: float, rng: random.Random) -> tuple[bytes, Sequence[int], float]:
        """Return what to send for these octets, where to cut it, and the pause between the parts."""
        length = len(octets)
        match self.segmentation:
            case "octets":
                return octets, range(1, min(length, _OCTETS)), 0.0
            case "drip":
                return octets, [length * part // _DRIPS for part in range(1, _DRIPS)], drip
            case "coalesced" if _whole_frames(octets):
                indication = build(Method.BINDING, MessageClass.INDICATION, rng.randbytes(12))
                return octets + frame(indication), (), 0.0
            case "cut" if length > 1:
                return octets, (rng.randrange(min(_BEHIND_LENGTH, length - 1), length),), drip
            case _ if self.segmentation.startswith("cut") and length > 1:
                return octets, (min(int(self.segmentation[3:] or 1), length - 1),), drip
            case _:
                return octets, (), 0.0


USUAL = Shape()


def _whole_frames(octets: bytes) -> bool:
    """Whether the octets end where a frame of theirs ends."""
    position = 0
    while position + 2 <= len(octets):
        position += 2 + int.from_bytes(octets[position : position + 2], "big")
    return bool(octets) and position == len(octets)
