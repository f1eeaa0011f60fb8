"""The reference ICE-TCP agent, without input and output of its own.

The driver carries out the commands and reports what happens on the network; both ways pass through `Agent.take`.
Every method that may change something is told the time, in seconds on any clock that does not run backwards; when
nothing happens before, `Agent.handle_timer` is to be called at `Agent.next_timer`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from conformance.agent import lite
from conformance.agent.config import Config
from conformance.agent.connections import Connection
from conformance.agent.decisions import Decisions
from conformance.agent.events import (
    DataReceived,
    State,
    Unlisten,
)
from conformance.agent.exchange import Exchange
from conformance.agent.stream import Stream
from conformance.wire.attributes import Address
from conformance.wire.stun import looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.allocation import Allocation
    from conformance.agent.candidates import Base
    from conformance.agent.relay import DataLink


class Agent(Exchange):
    """One ICE session. `random(n)` gives n octets that nobody can guess."""

    def __init__(
        self,
        config: Config,
        random: Callable[[int], bytes] = secrets.token_bytes,
        decisions: type[Decisions] = Decisions,
    ) -> None:
        super().__init__(config, random, decisions)
        self._servers.relays.joined = self._joined
        self._servers.on_datagram = self._relayed_datagram

    def accepted(self, number: int, local: Address, remote: Address, now: float) -> int | None:
        """Take a connection that came to a base; return its number, or None if it is to be closed at once.

        It is accepted at any time, also before the peer's description is there (RFC 6544 section 7.2).
        """
        found = self._bases.get(number)
        if found is None or self.state is State.CLOSED or self._refuses(*found, remote):
            return None
        connection = self._admit(*found, local, remote, now)
        if not self.decisions.listens_on(found[1]):
            self._out.append(Unlisten(number))
        self._advance(now)
        return connection.number

    def _admit(
        self, stream: Stream, base: Base, local: Address, remote: Address, now: float, number: int | None = None
    ) -> Connection:
        strangers = self._connections.strangers()
        if len(strangers) >= self.config.max_strangers:
            self._conclusion.end(strangers[0], "too many connections on which nobody has authenticated")
        connection = self._connections.accept(stream.index, base, local, remote, now, number)
        self._checker.accepted(connection)
        return connection

    def datagram(self, number: int, remote: Address, octets: bytes, now: float) -> None:
        """Take a datagram that came to the UDP socket of a base; from strangers only STUN is looked at."""
        found = self._bases.get(number)
        if found is None or self.state is State.CLOSED or not octets:
            return
        self._flow(*found, remote, octets, now)

    def _relayed_datagram(self, allocation: Allocation, remote: Address, octets: bytes, now: float) -> None:
        if octets:
            self._flow(allocation.place.stream, allocation.bases[0], remote, octets, now)

    def _flow(self, stream: Stream, base: Base, remote: Address, octets: bytes, now: float) -> None:
        flow = self._connections.flow(base, remote)
        if flow is None and looks_like_stun(octets):
            flow = self._admit(stream, base, Address(base.ip, base.port), remote, now)
        if flow is not None:
            self._frame(flow, octets, now)
            self._advance(now)

    def _refuses(self, stream: Stream, base: Base, remote: Address) -> bool:
        if lite.unnamed(stream, base):
            return True
        return not self.decisions.admits(stream, base, remote, self._connections)

    def connected(self, number: int, local: Address, now: float) -> None:
        """Use a connection that was asked for and now stands."""
        if self._servers.owns(number):
            self._servers.connected(number, local)
        elif (connection := self._connections.find(number)) is not None:
            self._checker.connected(connection, local, now)
            self._upkeep.connected(connection, now)
        self._advance(now)

    def closed(self, number: int, why: str, now: float) -> None:
        """Do without a connection that could not be opened, or that the peer or the network ended."""
        if self._servers.owns(number):
            self._servers.closed(number, why, now)
        elif (connection := self._connections.find(number)) is not None:
            self._conclusion.ended(connection, why)
        self._advance(now)

    def received(self, number: int, octets: bytes, now: float) -> None:
        """Take octets that came on a connection."""
        if self._servers.owns(number):
            self._servers.received(number, octets, now)
        elif (connection := self._connections.find(number)) is not None:
            self._octets(connection, octets, now)
        self._advance(now)

    def _octets(self, connection: Connection, octets: bytes, now: float) -> None:
        if connection.speaks_something_else(octets):
            self._checker.not_the_peer(connection)
        for payload in self._connections.payloads(connection, octets, now):
            if not connection.is_open:
                break
            self._frame(connection, payload, now)

    def _joined(self, link: DataLink, rest: bytes, now: float) -> None:
        """Use a connection through a relay, ours or a peer's, that now stands."""
        allocation = link.allocation
        if link.connection is not None:
            self._checker.connected(link.connection, allocation.relayed, now)
        else:
            passive = next(base for base in allocation.bases if base.listens)
            self._admit(allocation.place.stream, passive, allocation.relayed, link.peer, now, link.number)
        connection = self._connections.find(link.number)
        if rest and connection is not None:
            self._octets(connection, rest, now)

    # -- frames ------------------------------------------------------------------------------------------------

    def _frame(self, connection: Connection, payload: bytes, now: float) -> None:
        if not payload:  # a null frame is lawful and says nothing (RFC 4571 section 2)
            if not self.decisions.bears_null():
                self._conclusion.end(connection, "null frame")
            return
        if self.decisions.takes_for_stun(payload):
            connection.spoke_stun = True
            self._checker.stun(connection, payload, now)
            if self.decisions.stun_is_data_too():
                self._data(connection, payload)
        elif not self.decisions.is_data(payload):
            return
        elif connection.outgoing and not (connection.spoke_stun or connection.is_udp):
            self._checker.not_the_peer(connection)
        elif self.config.secured:
            self._advance(now)  # the check before it in the same segment may have completed ICE
            self._security.frame(connection, payload, now)
        else:
            self._data(connection, payload)

    def _data(self, connection: Connection, payload: bytes) -> None:
        """Give data to the application once the peer has authenticated on the connection (RFC 6544 section 12)."""
        stream = self._streams[connection.stream]
        if self.decisions.delivers(stream, connection):
            index = self.decisions.incoming_stream(stream.index)
            component = self.decisions.incoming_component(connection.component)
            self._out.append(DataReceived(index, component, self.decisions.delivered(payload)))
