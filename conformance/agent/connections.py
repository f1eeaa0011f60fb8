"""The connections of a session: their frames, their ends, and how many may be on their way at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.events import Close, Connect, Datagram, Write
from conformance.agent.pairs import Connection, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.agent.candidates import Base
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.pairs import Pair
    from conformance.wire.attributes import Address


class Connections:
    """All connections of a session that are not closed."""

    def __init__(self, decisions: Decisions, out: list[Output]) -> None:
        self._decisions = decisions
        self._out = out
        self._live: dict[int, Connection] = {}
        self._next = 1

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._live.values()))

    def flow(self, base: Base, remote: Address) -> Connection | None:
        """Return the flow of a UDP socket with a remote address."""
        return next((c for c in self._live.values() if c.base is base and c.remote == remote), None)

    def find(self, number: int) -> Connection | None:
        """Return a connection that is not closed."""
        return self._live.get(number)

    # -- beginnings ----------------------------------------------------------------------------------------

    def may_attempt(self, target: str) -> bool:
        """Whether one more attempt towards an address keeps within the limit (RFC 6544 section 12)."""
        attempts = [c for c in self._live.values() if c.phase is Phase.CONNECTING and c.remote.ip == target]
        return self._decisions.may_attempt(attempts)

    def open(self, pair: Pair, stream: int, source: Address, now: float) -> Connection:
        """Begin to connect for a pair; over UDP there is nothing to wait for."""
        if pair.local.base.is_udp:
            return self._open_flow(pair, stream, source, now)
        connection = self._new(self.reserve(), stream, pair.local.base, pair.remote.endpoint, True, now)
        connection.pair = pair
        if connection.base.relay is not None:
            connection.base.relay.open(connection.number, connection.remote, now)
        else:
            self._out.append(Connect(connection.number, source, pair.remote.endpoint))
        return connection

    def _open_flow(self, pair: Pair, stream: int, source: Address, now: float) -> Connection:
        connection = self.flow(pair.local.base, pair.remote.endpoint)
        if connection is None:
            connection = self._new(self.reserve(), stream, pair.local.base, pair.remote.endpoint, True, now)
            connection.local, connection.phase = source, Phase.OPEN
        connection.pair = pair
        return connection

    def accept(
        self, stream: int, base: Base, local: Address, remote: Address, now: float, number: int | None = None
    ) -> Connection:
        """Take in a connection, or a flow, that came to a base of ours; `number` if it has one."""
        connection = self._new(number or self.reserve(), stream, base, remote, False, now)
        connection.local = local
        connection.phase = Phase.OPEN
        return connection

    def reserve(self) -> int:
        """Return a number that no other connection of the session has."""
        self._next += 1
        return self._next - 1

    def _new(self, number: int, stream: int, base: Base, remote: Address, outgoing: bool, now: float) -> Connection:
        inbound = self._decisions.inbound()
        connection = self._live[number] = Connection(number, stream, base, remote, outgoing, now, inbound)
        return connection

    def opened(self, connection: Connection, local: Address) -> None:
        """Note that a connection that was asked for now stands, and from where."""
        connection.local = local
        connection.phase = Phase.OPEN

    # -- octets --------------------------------------------------------------------------------------------

    def send(self, connection: Connection, payload: bytes) -> None:
        """Send a payload in a frame of its own, for as long as the connection lives (RFC 6544 section 7.1)."""
        if connection.is_udp:
            self.write(connection, payload)
            return
        octets = self._decisions.framed(payload, connection.framed)
        connection.framed = True
        self.write(connection, octets)

    def send_request(self, connection: Connection, message: bytes) -> None:
        """Send a check: in a frame of its own, once (RFC 6544 section 7.1)."""
        for payload in self._decisions.check_frames(connection, message):
            if self._decisions.frames_check(connection):
                self.send(connection, payload)
            else:
                self.write(connection, payload)

    def send_response(self, connection: Connection, message: bytes) -> None:
        """Send a response on the connection of its request (RFC 6544 section 7.2)."""
        payload = self._decisions.response_payload(connection, message)
        if self._decisions.frames_response(connection, message):
            self.send(connection, payload)
        else:
            self.write(connection, payload)

    def payloads(self, connection: Connection, octets: bytes, now: float) -> list[bytes]:
        """Return the payloads of the frames that octets complete (RFC 4571 section 2)."""
        found = self._decisions.deframe(connection.inbound, octets, now)
        return [payload for payload in found if self._decisions.takes_frame(len(payload))]

    def write(self, connection: Connection, octets: bytes) -> None:
        """Send octets as they are."""
        if connection.is_open and connection.is_udp and connection.base.relay is not None:
            connection.base.relay.send(connection.remote, octets)
        elif connection.is_open and connection.is_udp:
            self._out.append(Datagram(connection.base.number, connection.remote, octets))
        elif connection.is_open:
            if connection.base.relay is not None:
                octets = self._decisions.from_relay(octets)
            self._out += [Write(connection.number, piece) for piece in self._decisions.pieces(octets)]

    # -- ends ----------------------------------------------------------------------------------------------

    def close(self, connection: Connection) -> None:
        """Close a connection, or stop opening it."""
        if connection.phase is not Phase.CLOSED:
            self.forget(connection)
            if not connection.is_udp and (connection.base.relay is None or self._decisions.closes_data()):
                self._out.append(Close(connection.number))

    def forget(self, connection: Connection) -> None:
        """Note that a connection is no more."""
        connection.phase = Phase.CLOSED
        self._live.pop(connection.number, None)

    def strangers(self) -> list[Connection]:
        """Return the accepted connections on which nobody has authenticated, oldest first."""
        return [c for c in self._live.values() if not c.outgoing and not c.authenticated]
