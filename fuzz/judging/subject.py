"""The IUT as the judging side sees it: a process with sessions, stderr and an end.

Two modules implement it: `fuzz.campaign.iut` with the adapter process of the suite, `fuzz.player.adapter` with the
standard library only, for replays.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from fuzz.player.outcome import Upper

if TYPE_CHECKING:
    from collections.abc import Mapping


class UpperSession(Upper, Protocol):
    """One session of the adapter."""

    def begin(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """Make calls without waiting. Later `call`s of the same methods, in this order, return their results."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the end of the process was noticed; asking costs nothing."""
        ...

    @property
    def told(self) -> int:
        """How many notifications of this session came."""
        ...

    def data(self, since: int = 0, until: int | None = None) -> list[tuple[int, bytes]]:
        """Return what the application received, from one `told` to another: component and octets."""
        ...


class Subject(Protocol):
    """A running adapter.

    ``heard``: lines on stderr so far; ``judged``: those that were judged; ``begun``: those at the begin of the last two
    cases.
    """

    pid: int
    heard: int
    judged: int
    begun: deque[int]

    @property
    def pics(self) -> Mapping[str, Any]:
        """What the adapter declared in its hello."""
        ...

    @property
    def death(self) -> str:
        """How the process ended by itself; empty if it runs, and if we ended it."""
        ...

    @property
    def failure(self) -> str:
        """Why the process cannot be used although it did not die by itself; empty if it can."""
        ...

    @property
    def garbled(self) -> bool:
        """Whether that is because its output cannot be read."""
        ...

    @property
    def usable(self) -> bool:
        """Whether it runs and answers, as far as is known without asking."""
        ...

    def session(self) -> UpperSession:
        """Return a new session; nothing is opened yet."""
        ...

    def dies(self, within: float) -> bool:
        """Whether it is dead, or dies within so many seconds."""
        ...

    def last_words(self, since: int = 0) -> list[str]:
        """Return the lines on stderr after so many; all of them once it has ended."""
        ...

    def ended_by(self) -> str:
        """End it by the end of its input; return the signal that it dies of, in words; empty if it dies of none."""
        ...

    def kill(self) -> None:
        """End it."""
        ...
