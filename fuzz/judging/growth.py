"""What a process holds more of after a case was repeated: descriptors, threads, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.judging.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.judging.monitors import Usage

LEAKS = 12  # repetitions that tell a leak from noise
_LEAKED = 24 << 10  # octets per repetition


def memory(measured: tuple[Usage, Usage]) -> int:
    """Return by how many octets the memory grew."""
    before, after = measured
    return after.memory - before.memory


def grew(with_it: Sequence[int], without: Sequence[int], repeat: int) -> bool:
    """Whether memory grew by a case every time, and much more than without the case."""
    return min(with_it) >= max(repeat * _LEAKED * 2, 2 * max(without))


def back(before: Usage, now: Usage) -> bool:
    """Whether a process holds no more than before."""
    same = now.descriptors <= before.descriptors and now.threads <= before.threads
    return same and now.memory - before.memory < _LEAKED * LEAKS


def grown(before: Usage, after: Usage, repeat: int) -> list[Symptom]:
    """Return what a process holds clearly more of after so many repetitions."""
    found = []
    if after.descriptors - before.descriptors >= max(2, repeat // 3):
        text = f"{before.descriptors} descriptors before, {after.descriptors} after {repeat} times"
        found.append(Symptom("leak", "descriptors", text))
    if after.threads - before.threads >= max(2, repeat // 3):
        text = f"{before.threads} threads before, {after.threads} after {repeat} times"
        found.append(Symptom("leak", "threads", text))
    if after.memory - before.memory >= repeat * _LEAKED * 2:
        text = f"{before.memory >> 10} KiB before, {after.memory >> 10} KiB after {repeat} times"
        found.append(Symptom("leak", "memory", text))
    return found
