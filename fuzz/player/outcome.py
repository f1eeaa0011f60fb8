"""The outcome of a case, and the upper tester that a session needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fuzz.player.connection import Connection

PLAN = {"side": "offerer", "iut": "passive", "media": "rtp", "components": 1, "state": "fresh"}


class Upper(Protocol):
    """One session of the adapter, as far as playing cases needs it."""

    def call(self, method: str, within: float, **params: Any) -> dict[str, Any]:
        """Call a method of this session. Raises `SessionFailed`."""
        ...

    def state(self) -> str:
        """Return the last state that the adapter reported."""
        ...

    def death(self) -> str:
        """Return how the process ended, or nothing."""
        ...


class SessionFailed(Exception):
    """A session could not be opened, or its preamble failed. ``hung``: a call was not answered."""

    def __init__(self, text: str, *, hung: bool = False) -> None:
        super().__init__(text)
        self.hung = hung


class Outcome:
    """What came back while a case was played."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.probes: list[tuple[Connection, bytes, bool]] = []  # connection, id, whether it was answered
        self.rejected: list[str] = []  # calls that the adapter refused
        self.hung = ""  # a call that was not answered
        self.seconds = 0.0
        self.checks: set[bytes] = set()  # valid checks that the player added; a case may use their ids
        self.asked = b""  # the check of these that asked for the role of the IUT
        self.controlling: bool | None = None  # our role, by the answer to that

    def settle(self, connection: Connection, known: Connection) -> None:
        """Put a record in the place of a connection that stays open."""
        self.connections.append(known)
        self.probes = [(known if owner is connection else owner, one, answered) for owner, one, answered in self.probes]

    def refused(self, error: SessionFailed) -> None:
        """Note a call that failed."""
        if error.hung:
            self.hung = str(error)
        else:
            self.rejected.append(str(error))
