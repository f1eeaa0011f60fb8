"""A toy in the place of a vendor's stack: one passive candidate, and every valid check gets its answer."""

import contextlib
import secrets
import socket
import threading

from conformance.wire import attributes
from conformance.wire.attributes import Address, Attribute
from conformance.wire.candidate import Candidate
from conformance.wire.errors import WireError
from conformance.wire.integrity import Check, check_integrity, short_term_key
from conformance.wire.rfc4571 import Deframer, frame
from conformance.wire.stun import Message, MessageClass, Method, build


class Agent:
    """Gathers on creation. Only accepts connections; never opens one."""

    def __init__(self, address: str) -> None:
        self.ufrag = secrets.token_hex(4)
        self.pwd = secrets.token_hex(12)
        self.remote: tuple[str, str] | None = None
        self._listener = socket.create_server((address, 0))
        self.address, self.port = self._listener.getsockname()[:2]
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def candidates(self) -> list[str]:
        return [f"candidate:1 1 TCP 2128609279 {self.address} {self.port} typ host tcptype passive"]

    def set_remote(self, ufrag: str, pwd: str, candidates: list[str]) -> None:
        """Raise ValueError for what cannot be parsed."""
        for line in candidates:
            Candidate.parse(line)
        self.remote = ufrag, pwd

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, peer = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection, Address(*peer[:2])), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: Address) -> None:
        deframer = Deframer()
        with connection, contextlib.suppress(OSError):
            while octets := connection.recv(65536):
                for payload in deframer.feed(octets):
                    response = self._respond(payload, peer)
                    if response:
                        connection.sendall(frame(response))

    def _respond(self, payload: bytes, peer: Address) -> bytes | None:
        key = short_term_key(self.pwd)
        try:
            message = Message.decode(payload)
        except WireError:
            return None
        if not message.is_request or check_integrity(payload, key) is not Check.VALID:
            return None
        mapped = attributes.xor_address(Attribute.XOR_MAPPED_ADDRESS, peer, message.transaction_id)
        return build(Method.BINDING, MessageClass.SUCCESS, message.transaction_id, [mapped], key=key)
