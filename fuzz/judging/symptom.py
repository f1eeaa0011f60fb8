"""A symptom: something that is wrong with what an IUT does, and the evidence of it."""

from __future__ import annotations

from dataclasses import dataclass, field

CERTAIN = ("death", "exception", "garbage")  # kinds that no load of the machine can fake: seen once, they are findings
MEASURED = ("leak", "hang", "spin")  # kinds that depend on time and load: they are findings once they come again
FATAL = ("death", "hang", "garbage")  # kinds after which the process is of no more use
AT_END = " when its input had ended"  # behind the cause of what shows only as the process ends


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that is wrong. ``kind`` and ``cause`` tell findings apart, ``text`` is for people."""

    kind: str
    cause: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was recorded when a symptom was seen: the stderr of the process, and the timed history of the session."""

    stderr: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
