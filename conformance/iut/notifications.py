"""What the adapter has told a session by notifications: data received, states, selected pairs, candidates."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from conformance.verdict import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping


class Notifications:
    """The notifications of one session, in order. What cannot be read is `Unreadable`: nobody knows what it says.

    ``received``: octets by stream and component. ``completed``: stream and component of each state "completed", None
    where it names none. ``trickled``: candidates with their mids, an empty candidate ends them.
    """

    def __init__(self) -> None:
        self.received: dict[tuple[int, int], bytearray] = {}
        self.states: list[str] = []
        self.completed: set[tuple[int, int] | None] = set()
        self.selected: list[Mapping[str, Any]] = []
        self.trickled: list[tuple[str, str]] = []

    def take(self, method: str, parameters: Mapping[str, Any]) -> None:
        """Take in a notification; others than these say nothing to a case."""
        match method:
            case "data":
                self._take_data(parameters)
            case "state":
                self._take_state(parameters)
            case "selected":
                self.selected.append(parameters)
            case "candidate":
                self.trickled.append((str(parameters.get("candidate", "")), str(parameters.get("mid", ""))))

    def selected_places(self) -> set[tuple[int, int]]:
        """Return for which streams and components a pair was selected."""
        return {_place("selected", told) for told in self.selected}

    def _take_state(self, parameters: Mapping[str, Any]) -> None:
        self.states.append(str(parameters.get("state")))
        if self.states[-1] == "completed":
            names_one = "component" in parameters or "stream" in parameters
            self.completed.add(_place("state", parameters) if names_one else None)

    def _take_data(self, parameters: Mapping[str, Any]) -> None:
        try:
            octets = base64.b64decode(str(parameters.get("data", "")), validate=True)
        except binascii.Error as error:
            raise Unreadable(f"the adapter's data notification is no base64: {error}") from error
        self.received.setdefault(_place("data", parameters), bytearray()).extend(octets)


def _place(method: str, parameters: Mapping[str, Any]) -> tuple[int, int]:
    """Return stream and component of a notification."""
    stream, component = parameters.get("stream", 0), parameters.get("component", 1)
    for name, number in (("stream", stream), ("component", component)):
        if type(number) is not int:
            raise Unreadable(f"the adapter's {method} notification has a {name} that is no number: {number!r}")
    return stream, component
