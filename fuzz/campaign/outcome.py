"""What becomes of a case. Nothing but the standard library: this text is a part of every `replay.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fuzz.campaign.link import Link

PLAN = {"side": "offerer", "iut": "passive", "media": "rtp", "components": 1, "state": "fresh"}


class Upper(Protocol):
    """The adapter, as far as a stage needs it."""

    def call(self, method: str, within: float, **params: Any) -> dict[str, Any]:
        """Call a method of this stage's session. Raises `StageFailed`."""
        ...

    def state(self) -> str:
        """Return the last state that was told of."""
        ...

    def death(self) -> str:
        """Return how the process ended, or nothing."""
        ...


class StageFailed(Exception):
    """A session could not be had, or what had to come first did not work. ``hung``: a call was not answered."""

    def __init__(self, text: str, *, hung: bool = False) -> None:
        super().__init__(text)
        self.hung = hung


class Outcome:
    """What became of a case."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.probes: list[tuple[Link, bytes, bool]] = []  # connection, id, whether it was answered
        self.rejected: list[str] = []  # what the adapter said no to
        self.hung = ""  # a call that was not answered
        self.seconds = 0.0
        self.checks: set[bytes] = set()  # the valid checks that are none of the case's: a case may use their ids
        self.asked = b""  # one of them: that which asked for the IUT's role
        self.controlling: bool | None = None  # our role, by the answer to that

    def settle(self, link: Link, known: Link) -> None:
        """Take a record in the place of a connection that goes on."""
        self.links.append(known)
        self.probes = [(known if owner is link else owner, one, answered) for owner, one, answered in self.probes]

    def refused(self, error: StageFailed) -> None:
        """Take note of a call that did not work."""
        if error.hung:
            self.hung = str(error)
        else:
            self.rejected.append(str(error))
