"""Faults that change a text: what the agent says of itself, or what it reads of its peer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from conformance.agent.decisions.description import Description
from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from conformance.agent.config import Config
    from conformance.agent.faults.model import Faults

Change = Callable[["Text"], str]
Hook = Literal["written", "offered", "written_answer", "read"]
_SECTIONS = re.compile(r"(?<=\n)(?=m=)")


@dataclass(slots=True)
class _Memory:
    """What a session has said and heard before."""

    said: str = ""
    last: str = ""
    heard: str = ""


@frozen
class Text:
    """A description. ``said`` is the agent's own one before it, ``heard`` the peer's last one before it."""

    text: str
    said: str
    heard: str
    config: Config

    @property
    def later(self) -> bool:
        """Whether the agent has described itself before, and ICE does not begin anew with this one."""
        return bool(self.said) and value(self.said, "ice-ufrag") == value(self.text, "ice-ufrag")

    @property
    def restarts(self) -> bool:
        """Whether ICE begins anew with this one."""
        return bool(self.said) and not self.later

    def sub(self, pattern: str, replacement: str, count: int = 0) -> str:
        """Return the text with what a pattern finds, line by line, replaced."""
        return re.sub(pattern, replacement, self.text, count=count, flags=re.MULTILINE)

    def without(self, *names: str) -> str:
        """Return the text without these attributes."""
        return without(self.text, *names)

    @property
    def sections(self) -> list[str]:
        """The session level, then each media section."""
        return _SECTIONS.split(self.text)


def value(text: str, name: str) -> str:
    """Return the first value of an attribute; empty if there is none."""
    found = re.search(rf"^a={name}:(.*?)\r?$", text, re.MULTILINE)
    return found[1] if found else ""


def without(text: str, *names: str) -> str:
    """Return a text without these attributes."""
    return re.sub(rf"^a=(?:{'|'.join(names)})(?::.*)?\r?\n", "", text, flags=re.MULTILINE)


def sections(text: str) -> list[str]:
    """Return the session level, then each media section."""
    return _SECTIONS.split(text)


def texts(fault: Faults, hook: Hook) -> Callable[[str, str, str], Callable[[Change], Change]]:
    """Return a decorator that declares a function of a text as a fault: what this hook of the agent's returns."""

    def named(name: str, requirement: str, summary: str) -> Callable[[Change], Change]:
        def declare(change: Change) -> Change:
            fault(name, requirement, summary)(_replacement(hook, change))
            return change

        return declare

    return named


def _replacement(hook: Hook, change: Change) -> type[Description]:
    memories = f"_{id(change)}"  # several such faults of one agent remember for themselves

    def memory(agent: Description) -> _Memory:
        found: _Memory = agent.__dict__.setdefault(memories, _Memory())
        return found

    def changed(agent: Description, text: str) -> str:
        known = memory(agent)
        return change(Text(text, known.said, known.heard, agent.config))

    class Changed(Description):
        def read(self, text: str) -> str:
            text = super().read(text)
            whole = changed(self, text) if hook == "read" else text
            memory(self).heard = text
            return whole

        def written(self, text: str) -> str:
            text = super().written(text)
            known = memory(self)
            known.said, known.last = known.last, text
            return changed(self, text) if hook == "written" else text

    if hook == "offered":

        class Offered(Changed):
            read, written = Changed.read, Changed.written

            def offered(self, text: str) -> str:
                return changed(self, super().offered(text))

        return Offered
    if hook == "written_answer":

        class Answered(Changed):
            read, written = Changed.read, Changed.written

            def written_answer(self, text: str) -> str:
                return changed(self, super().written_answer(text))

        return Answered
    return Changed
