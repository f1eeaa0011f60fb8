"""Application data: over which connection it goes, and to whom it is given (RFC 6544 sections 10 and 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.config import Media
from conformance.agent.events import AgentError, DataReceived, Unsupported
from conformance.wire.rfc4571 import MAX_FRAME
from conformance.wire.stun import looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.config import Config
    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.pairs import Connection
    from conformance.agent.reopening import Reopening
    from conformance.agent.stream import Stream


class Data:
    """Sends and delivers data. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        reopening: Reopening,
        streams: Sequence[Stream],
        out: list[Output],
    ) -> None:
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._reopening = reopening
        self._streams = streams
        self._out = out

    def send(self, component: int, octets: bytes, stream: int, now: float) -> None:
        """Send one packet, or the next octets of a byte stream; before a pair is selected they are held.

        Raises `Unsupported` for what can never be sent, `AgentError` for what cannot be sent now.
        """
        known = 0 <= stream < len(self._streams) and 1 <= component <= self._streams[stream].plan.components
        if not known:
            raise Unsupported(f"there is no component {component} of stream {stream}")
        target = self._streams[self._decisions.outgoing_stream(stream)]
        if target.ended:
            raise AgentError(f"stream {stream} is not in use")
        if target.plan.media is Media.RTP and (len(octets) > MAX_FRAME or looks_like_stun(octets)):
            raise Unsupported("a packet is at most 65535 octets and looks nothing like STUN")
        connection = target.selected.get(component)
        if connection is not None and not self._reopening.carries(connection):
            self._reopening.wanted(target, component, octets, now)
        elif self._config.secured and (connection is None or self._decisions.holds_for_handshake()):
            target.outbox.hold(component, octets)
        elif connection is None:
            early = self._decisions.early_carrier(target, component, self._connections)
            if early is None:
                target.outbox.hold(component, octets)
            else:
                self._transmit(target, early, octets)
        else:
            self._transmit(target, connection, octets)

    def release(self, stream: Stream, component: int, connection: Connection) -> None:
        """Send what was held for a component whose connection stands."""
        if connection.is_open and not self._config.secured:
            for octets in stream.outbox.release(component):
                self._transmit(stream, connection, octets)

    def _transmit(self, stream: Stream, selected: Connection, octets: bytes) -> None:
        restarts = stream.completed_at is None and stream.former is not None
        if not self._decisions.sends(octets) or (restarts and not self._decisions.sends_in_restart()):
            return
        connection = self._decisions.carrier(selected, self._connections)
        if not self._decisions.frames_data():
            self._connections.write(connection, octets)
        elif stream.plan.media is Media.RTP:
            self._connections.send(connection, octets)
        else:
            rest = self._decisions.ordered(octets)
            while rest:
                portion = self._decisions.portion(rest)
                rest = rest[len(portion) :]
                self._connections.send(connection, portion)

    def deliver(self, connection: Connection, payload: bytes) -> None:
        """Give data to the application once the peer has authenticated on the connection (RFC 6544 section 12)."""
        stream = self._streams[connection.stream]
        if self._decisions.delivers(stream, connection):
            index = self._decisions.incoming_stream(stream.index)
            component = self._decisions.incoming_component(connection.component)
            self._out.append(DataReceived(index, component, self._decisions.delivered(payload)))
