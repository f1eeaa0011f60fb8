"""What a process says of itself: how it died, what it uses.

Deaths and complaints are told apart by their words on stderr: sanitizers, Go, Node, Java, Rust, Python, glib, glibc.
What varies from run to run (addresses, numbers, times) is left out of a cause.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.oracle import Symptom

if TYPE_CHECKING:
    from collections.abc import Sequence

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOK = 0.01  # seconds between two looks
_FRAMES = 2  # of a stack that tell causes apart

# What a complaint begins with, and what the frames of its stack look like.
_HEADS = {
    "sanitizer": r"(?:ERROR: |)((?:Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer:? [\w-]+)",
    "UBSan": r"(\S+:\d+:\d+: runtime error: .+)",
    "Go": r"^((?:panic|fatal error): .+)",
    "Rust": r"^(?:thread .* )?panicked at (\S+)",
    "Java": r'^(?:Exception in thread "[^"]*" )([\w.$]+(?:Exception|Error)\b)',
    "Node": r"^(?:Uncaught )?((?:[A-Z]\w*)?Error(?: \[\w+\])?: .+)",
    "glibc": r"(\*\*\* [a-z ]+ detected \*\*\*|double free or corruption|malloc\(\): .+|free\(\): .+)",
    "assertion": r"([\w./]+:\d+: .*[Aa]ssertion .+ failed|[Aa]ssertion .+ failed)",
    "GLib": r"(\S+-(?:CRITICAL|ERROR) \*\*: .+)",
}
_STACKS = {
    "sanitizer": r"^\s*#\d+ 0x[0-9a-f]+ in (\S+)",
    "Go": r"^([\w./*()]+)\(.*\)$",
    "Java": r"^\s+at ([\w.$<>]+)\(",
    "Node": r"^\s+at (\S+)",
}
_KINDS = {name: (re.compile(head), re.compile(_STACKS.get(name, r"(?!)"))) for name, head in _HEADS.items()}
_PYTHON = re.compile(r"^Traceback \(most recent call last\):")
_PYTHON_FRAME = re.compile(r'^\s+File "(?:.*/)?([^"/]+)", line \d+, in (\S+)')
_PYTHON_END = re.compile(r"^([A-Za-z_][\w.]*(?:[Ee]rror|Exception|Interrupt|Exit|Failed|Fatal|Warning|Stop\w*))(?::|$)")
_VARIES = re.compile(r"0x[0-9a-fA-F]+|\d+")


def complaints(lines: Sequence[str]) -> list[Symptom]:
    """Return what stderr tells of errors, in order and each cause once."""
    found: dict[str, Symptom] = {}
    inside = False
    for place, line in enumerate(lines):
        traceback = _PYTHON.match(line) is not None
        last = inside and _PYTHON_END.match(line) is not None
        inside = traceback or (inside and not last)
        symptom = _python(lines, place) if traceback else None if inside or last else _other(lines, place)
        if symptom is not None:
            found.setdefault(symptom.cause, symptom)
    return list(found.values())


def _python(lines: Sequence[str], place: int) -> Symptom:
    frames: list[str] = []
    for line in lines[place + 1 :]:
        inner = _PYTHON_FRAME.match(line)
        end = _PYTHON_END.match(line)
        if inner:
            frames.append(f"{inner[1]}:{inner[2]}")
        elif end:
            return Symptom("exception", f"Python {end[1]} in {' < '.join(frames[-1 : -_FRAMES - 1 : -1])}", line)
        elif line and not line.startswith(" "):
            return Symptom("exception", f"Python {line.split(':')[0][:60]} in {' < '.join(frames[-1:])}", line)
    return Symptom(
        "exception", f"Python in {' < '.join(frames[-1 : -_FRAMES - 1 : -1])}", "a traceback that breaks off"
    )


def _other(lines: Sequence[str], place: int) -> Symptom | None:
    for language, (head, frame) in _KINDS.items():
        match = head.search(lines[place])
        if match is None:
            continue
        text = _VARIES.sub("N", match[1])[:120]
        inner = [found[1] for line in lines[place + 1 : place + 12] if (found := frame.match(line))]
        where = f" in {' < '.join(inner[:_FRAMES])}" if inner else ""
        return Symptom("exception", f"{language} {text}{where}", lines[place].strip()[:300])
    return None


_ENDED = re.compile(r"was killed by (\S+)|exited with status (\d+)")


def death(how: str, lines: Sequence[str]) -> Symptom:
    """Return how a process died: the cause is in its last words, or else in the signal alone."""
    match = _ENDED.search(how)
    ended = (match[1] or f"status {match[2]}").rstrip(";") if match else "end"
    said = complaints(lines)
    cause = f"{ended}: {said[-1].cause}" if said else ended
    return Symptom("death", cause, how)


# -- what a process uses -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    """A process and what it has started: CPU seconds, resident octets, descriptors, threads."""

    cpu: float
    memory: int
    descriptors: int
    threads: int


def usage(pid: int) -> Usage | None:
    """Return what a process and its children use; None if it is gone."""
    whole = [one for one in map(_one, _family(pid)) if one is not None]
    if not whole:
        return None
    return Usage(
        sum(one.cpu for one in whole),
        sum(one.memory for one in whole),
        sum(one.descriptors for one in whole),
        sum(one.threads for one in whole),
    )


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        except OSError:
            continue
        found += map(int, text.split())
    return found


def _one(pid: int) -> Usage | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  (a list of names is all that is needed)
    except OSError:
        return None
    cpu = (int(fields[11]) + int(fields[12])) / _TICK
    return Usage(cpu, int(fields[21]) * _PAGE, descriptors, int(fields[17]))


def busy(pid: int, seconds: float) -> float:
    """Return in what share of some looks a process wanted to run, while nothing is asked of it.

    How much CPU it gets says little on a loaded machine; whether it waits for CPU or for an event says it anywhere.
    """
    looks = max(5, int(seconds / _LOOK))
    running = 0
    for _ in range(looks):
        time.sleep(seconds / looks)
        running += any(map(_runs, _family(pid)))
    return running / looks


def _runs(pid: int) -> bool:
    """Whether a thread of a process is running or waits for its turn."""
    for file in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if text.rpartition(")")[2].split()[0] == "R":
            return True
    return False
