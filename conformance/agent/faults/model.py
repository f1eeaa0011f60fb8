"""What a fault is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.agent.decisions import Topic

Replacement = TypeVar("Replacement", bound="type[Topic]")


@frozen
class Fault:
    """One way to be wrong.

    ``requirement`` is the id of the statement that it breaks, ``summary`` what the agent then does, ``replacement`` the
    class that replaces lawful decisions.
    """

    name: str
    requirement: str
    summary: str
    replacement: type[Topic]


class Faults:
    """The faults of one topic. It is also the decorator that declares a replacement as one of them."""

    def __init__(self) -> None:
        self._declared: list[Fault] = []

    def __call__(self, name: str, requirement: str, summary: str) -> Callable[[Replacement], Replacement]:
        """Declare the class that follows as a fault."""

        def declare(replacement: Replacement) -> Replacement:
            self._declared.append(Fault(name, requirement, summary, replacement))
            return replacement

        return declare

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._declared)
