"""What a process shows: how it died, what it wrote on stderr, what it uses.

Deaths and complaints are told apart by their words on stderr: sanitizers, Go, Node, Java, Rust, Python, glib, glibc.
A cause leaves out what differs from run to run: addresses, numbers, times.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.judging.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Sequence

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOK = 0.01  # seconds between two looks
_FRAMES = 2  # of a stack that tell causes apart

# How a complaint begins, and what the lines of its stack look like.
_HEADS = {
    "sanitizer": r"(?:ERROR|WARNING): ((?:(?:HW)?Address|Leak|Thread|Memory)Sanitizer:? (?:attempting |)[\w-]+)",
    "UBSan": r"(\S+:\d+:\d+: runtime error: .+)",
    "Go": r"^((?:panic|fatal error): .+|WARNING: DATA RACE)",
    "Rust": r"^(?:thread .* )?panicked at (\S+)",
    "Java": r'^Exception in thread "[^"]*" ([\w.$]+)',
    "Node": r"^(?:Uncaught )?((?:[A-Z]\w*)?Error(?: \[\w+\])?: .+)",
    "C++": r"(terminate called .+|terminating (?:due to|with) .+)",
    "check": r"(?:# |FATAL:.*\] )(Check failed: .+)",
    "glibc": r"(\*\*\* [a-z ]+ detected \*\*\*|double free or corruption|malloc\(\): .+|free\(\): .+)",
    "assertion": r"([\w./]+:\d+: .*[Aa]ssertion .+ failed|[Aa]ssertion .+ failed)",
    "GLib": r"(\S+-(?:CRITICAL|ERROR) \*\*: .+)",
}
_STACKS = {
    "sanitizer": r"^\s*#\d+ 0x[0-9a-f]+ in ((?!__interceptor|__asan|__libc_start|_start)\S+)",
    "Go": r"^([\w./*()]+)\(.*\)$",
    "Java": r"^\s+at ([\w.$<>]+)\(",
    "Node": r"^\s+at (\S+)",
}
# Heads that look like ordinary text: only the stack below shows that they are complaints.
_BEFORE_STACK = {
    "Java": (r"^([\w.$]+\.[\w$]+(?:Exception|Error))(?::|$)", r"^\s+at [\w.$<>/]+\((?:[\w$]+\.\w+|Native|Unknown)"),
    "Node": (r"^(?:Uncaught )?([A-Z][\w.]*(?:: .+)?)$", r"^\s+at .+:\d+:\d+\)?$"),
}
_PLACED = {name: (re.compile(head), re.compile(below)) for name, (head, below) in _BEFORE_STACK.items()}
_THROWN = re.compile(r"^\(Use `node --trace-uncaught")  # follows a thrown value that is not an Error
_REJECTED = re.compile(r"UnhandledPromiseRejection: .*with the reason (.+?)\.?\]")
_KINDS = {name: (re.compile(head), re.compile(_STACKS.get(name, r"(?!)"))) for name, head in _HEADS.items()}
_PYTHON = re.compile(r"^Traceback \(most recent call last\):")
_PYTHON_FRAME = re.compile(r'^\s+File "(?:.*/)?([^"/]+)", line \d+, in (\S+)')
_PYTHON_END = re.compile(r"^([A-Za-z_][\w.]*(?:[Ee]rror|Exception|Interrupt|Exit|Failed|Fatal|Warning|Stop\w*))(?::|$)")
_VARIES = re.compile(r"0x[0-9a-fA-F]+|\d+")


def complaints(lines: Sequence[str]) -> list[Symptom]:
    """Return the exceptions on stderr in order, each cause once."""
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
    found = _head(lines, place)
    if found is None:
        return None
    language, said = found
    text = _VARIES.sub("N", said)[:120]
    frame = _KINDS[language][1]
    inner = [match[1] for line in lines[place + 1 : place + 12] if (match := frame.match(line))]
    where = f" in {' < '.join(inner[:_FRAMES])}" if inner else ""
    return Symptom("exception", f"{language} {text}{where}", lines[place].strip()[:300])


def _head(lines: Sequence[str], place: int) -> tuple[str, str] | None:
    """Return the language of the complaint that begins on this line, and its text; None if there is none."""
    line, below = lines[place], lines[place + 1] if place + 1 < len(lines) else ""
    rejected = _REJECTED.search(line)
    if rejected is not None:
        return "Node", f"rejected: {rejected[1]}"
    for language, (head, _) in _KINDS.items():
        match = head.search(line)
        if match is not None:
            return language, match[1]
    for language, (head, frame) in _PLACED.items():
        match = head.match(line)
        if match is not None and frame.match(below):
            return language, match[1]
    if _THROWN.match(line):
        said = next((one for one in reversed(lines[max(0, place - 3) : place]) if one.strip()), "something")
        return "Node", f"thrown: {said.strip()}"
    return None


_ENDED = re.compile(r"was killed by (\S+)|exited with status (\d+)")


def death(how: str, lines: Sequence[str]) -> Symptom:
    """Return how a process died. The cause is the signal or status, and the last exception on stderr."""
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
    """Return in which share of some samples a process wanted to run.

    The CPU time that it gets says little on a loaded machine. Whether it waits for CPU or for an event is independent
    of the load.
    """
    looks = max(5, int(seconds / _LOOK))
    running = 0
    for _ in range(looks):
        time.sleep(seconds / looks)
        running += runs(pid)
    return running / looks


def runs(pid: int) -> bool:
    """Whether a process or one of its children wants to run at this moment."""
    return any(map(_runs, _family(pid)))


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
