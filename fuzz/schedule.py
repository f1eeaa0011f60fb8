"""Segmentation: where a stream is cut, the delay between the pieces, where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

Step = dict[str, Any]


def cuts(random: Random) -> list[int]:
    """Return offsets to cut at: in LENGTH, in the header, at attributes, at the end, or anywhere."""
    draw = random.random()
    if draw < 0.3:
        return [1]
    if draw < 0.5:
        return sorted(random.sample(range(1, 30), random.choice((1, 2, 3))))
    if draw < 0.65:
        return [random.choice((2, 3, 4, 6, 10, 22, 26)), -1]
    if draw < 0.8:
        return [-random.randrange(1, 40)]
    if draw < 0.93:
        return sorted({random.randrange(1, 400) for _ in range(random.choice((2, 5, 12)))})
    return list(range(1, random.choice((6, 24, 60))))  # octet by octet


def schedule(random: Random, step: Step) -> None:
    """Give a step cuts and delays: TCP may join pieces that are written without a pause."""
    step["cuts"] = cuts(random)
    if len(step["cuts"]) < 6:
        step["gap"] = random.choice((1, 1, 2, 5))
    elif len(step["cuts"]) < 30:
        step["gap"] = random.choice((0, 1))


def ending(random: Random, on: int) -> Step:
    """Return how a connection ends."""
    return {"do": "end", "on": on, "how": random.choice(("half", "half", "rst", "rst", "closed"))}
