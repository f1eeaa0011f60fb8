"""Decisions about data: over which connection it goes, to whom it is given (RFC 6544 sections 10 and 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream


class Data(Topic):
    """What the agent does with data."""

    # -- sending -------------------------------------------------------------------------------------------

    def outgoing_stream(self, stream: int) -> int:
        """Return over which stream's connection a stream's data goes: over its own (RFC 6544 section 10.1)."""
        return stream

    def sends(self, octets: bytes) -> bool:
        """Whether data is sent once there is a connection: all, of any source (RFC 6544 10.1, RFC 4571 3)."""
        return True

    def sends_in_restart(self) -> bool:
        """Whether data goes on over the former pair while ICE restarts (RFC 8839 4.4.3.1.1 and 4.4.3.2)."""
        return True

    def carrier(self, selected: Connection, every: Iterable[Connection]) -> Connection:
        """Return the connection that carries a component's data: the selected one (RFC 6544 section 10.1)."""
        return selected

    def early_carrier(self, stream: Stream, component: int, every: Iterable[Connection]) -> Connection | None:
        """Return what carries a component's data while nothing is selected: nothing, it waits (RFC 5245 11.1.1)."""
        return None

    def frames_data(self) -> bool:
        """Whether data goes in frames (RFC 6544 section 10.1)."""
        return True

    # -- receiving -----------------------------------------------------------------------------------------

    def bears_null(self) -> bool:
        """Whether a connection goes on after a null frame, which says nothing (RFC 4571 section 2)."""
        return True

    def is_data(self, payload: bytes) -> bool:
        """Whether what is no STUN is data, whatever it looks like (RFC 6544 section 10.2)."""
        return True

    def stun_is_data_too(self) -> bool:
        """Whether STUN is also given to the application: never (RFC 6544 section 10.2)."""
        return False

    def delivers(self, stream: Stream, connection: Connection) -> bool:
        """Whether data is given to the application: once the peer has authenticated there (RFC 6544 section 12)."""
        return connection.authenticated

    def delivered(self, payload: bytes) -> bytes:
        """Return what the application gets of a frame: its payload (RFC 6544 section 10.2)."""
        return payload

    def incoming_stream(self, stream: int) -> int:
        """Return the stream whose data it is that came for a stream: this one (RFC 6544 section 10.2)."""
        return stream

    def incoming_component(self, component: int) -> int:
        """Return the component whose data it is that came for a component: this one (RFC 6544 section 10.2)."""
        return component
