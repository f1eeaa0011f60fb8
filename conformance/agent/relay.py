"""Data connections through a TURN server: each becomes a connection like any other (RFC 6062 sections 4.3 to 4.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.agent.allocation import connection_id_of
from conformance.agent.dialogue import Dialogue
from conformance.agent.events import Close
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.allocation import Allocation
    from conformance.agent.config import Config
    from conformance.agent.connections import Connection, Connections
    from conformance.agent.events import Output
    from conformance.wire.stun import Message


@dataclass(frozen=True, slots=True, eq=False)
class DataLink:
    """A connection to the server that is to be joined with the server's connection to a peer.

    ``connection`` is ours that waits for it; None: the peer connected to the relayed address.
    """

    number: int
    allocation: Allocation
    peer: Address
    connection: Connection | None = None


class Relays:
    """Makes data connections. `dialogues` are all conversations with servers, by connection number.

    `joined` is told of each that stands and of the octets that have already come over it, `failed` of each connection
    of ours that could not be had.
    """

    def __init__(
        self,
        config: Config,
        connections: Connections,
        dialogues: dict[int, Dialogue],
        out: list[Output],
        random: Callable[[int], bytes],
    ) -> None:
        self.joined: Callable[[DataLink, bytes, float], None] = lambda _link, _rest, _now: None
        self.failed: Callable[[Connection, str, float], None] = lambda _connection, _why, _now: None
        self._config = config
        self._connections = connections
        self._dialogues = dialogues
        self._out = out
        self._random = random

    def open(self, connection: Connection, now: float) -> None:
        """Connect from a relayed address for a pair (RFC 6062 section 4.3)."""
        allocation = connection.base.relay
        assert allocation is not None

        def answered(connection_id: int | None, why: str, then: float) -> None:
            if self._connections.find(connection.number) is None:
                return  # given up meanwhile
            if connection_id is None:
                self.failed(connection, f"through the relay: {why}", then)
            else:
                link = DataLink(connection.number, allocation, connection.remote, connection)
                self._bind(link, connection_id, then)

        if allocation.alive:
            allocation.connect(connection.remote, answered, now)
        else:
            self.failed(connection, "its relay is gone", now)

    def attempt(self, allocation: Allocation, message: Message, now: float) -> None:
        """Take a peer's connection to a relayed address (RFC 6062 section 4.4)."""
        connection_id = connection_id_of(message)
        try:
            peer = message.xor_peer_address
        except StunError:
            peer = None
        if message.method == Method.CONNECTION_ATTEMPT and connection_id is not None and peer is not None:
            self._bind(DataLink(self._connections.reserve(), allocation, peer), connection_id, now)

    def _bind(self, link: DataLink, connection_id: int, now: float) -> None:
        """Connect to the server once more, from another port, and join this connection with the peer's."""
        control = link.allocation.dialogue
        dialogue = Dialogue(
            link.number,
            control.server,
            Address(control.source.ip, 0),
            replace(control.login),
            [],
            self._out,
            self._random,
            self._config.transaction_timeout,
        )
        self._dialogues[link.number] = dialogue

        def answered(message: Message | None, why: str, then: float) -> None:
            del self._dialogues[link.number]
            given_up = link.connection is not None and self._connections.find(link.number) is None
            if message is None or given_up:
                self._out.append(Close(link.number))
            if message is not None and not given_up:
                self.joined(link, dialogue.release(), then)
            elif link.connection is not None and not given_up:
                self.failed(link.connection, f"through the relay: {why}", then)

        dialogue.ask(Method.CONNECTION_BIND, lambda _: [attr.connection_id(connection_id)], answered, now)
