"""What a fault is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A switch. ``requirement`` is the id of the statement that it breaks, ``summary`` what the agent then does."""

    name: str
    requirement: str
    summary: str
