"""The state that a session shows."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from conformance.agent.events import State, StateChanged

if TYPE_CHECKING:
    from conformance.agent.events import Output


class Change(enum.Enum):
    """What happens to a session, as far as the application sees it."""

    BEGUN = "checks are made, or made anew"
    VALID = "each component has a valid pair"
    SELECTED = "each component has a selected pair"
    LOST = "the connection of a selected pair is gone"
    FAILED = "no pair can be had, or none again"
    CLOSED = "the session has ended"


_CHANGES = {
    Change.BEGUN: State.CHECKING,
    Change.VALID: State.CONNECTED,
    Change.SELECTED: State.COMPLETED,
    Change.LOST: State.DISCONNECTED,
    Change.FAILED: State.FAILED,
    Change.CLOSED: State.CLOSED,
}
# A restart may begin in any state, and a check of the peer's brings back what has failed (RFC 8863); a closed session
# stays closed.
TRANSITIONS: dict[State, dict[Change, State]] = {
    State.NEW: _CHANGES,
    State.CHECKING: _CHANGES,
    State.CONNECTED: _CHANGES,
    State.COMPLETED: _CHANGES,
    State.DISCONNECTED: _CHANGES,
    State.FAILED: _CHANGES,
    State.CLOSED: dict.fromkeys(Change, State.CLOSED),
}


class Status:
    """Shows the session's state. ``broken``: a selected pair has lost its connection."""

    def __init__(self, out: list[Output]) -> None:
        self.state = State.NEW
        self.broken = False
        self._out = out

    def note(self, change: Change) -> None:
        """Show the state that follows, if it is another."""
        state = TRANSITIONS[self.state][change]
        if state is not self.state:
            self.state = state
            self._out.append(StateChanged(state))
