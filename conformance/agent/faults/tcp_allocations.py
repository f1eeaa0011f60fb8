"""Faults in TCP allocations and the connections through them (RFC 6062)."""

from __future__ import annotations

from conformance.agent.decisions.serving import Serving
from conformance.agent.faults.model import Faults
from conformance.wire.attributes import Address, RawAttribute
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import Method

fault = Faults()


@fault("allocates-on-a-used-connection", "RFC6062-4.1-01", "asks other things before on the control connection")
class AllocatesOnAUsedConnection(Serving):
    def asks_before_allocating(self) -> bool:
        return True


@fault("refresh-on-another-connection", "RFC6062-4.2-01", "refreshes on another connection than the control one")
class RefreshOnAnotherConnection(Serving):
    def asks_elsewhere(self, method: Method) -> bool:
        return method == Method.REFRESH


@fault("connect-on-another-connection", "RFC6062-4.3-01", "asks for connections on another one than the control one")
class ConnectOnAnotherConnection(Serving):
    def asks_elsewhere(self, method: Method) -> bool:
        return method == Method.CONNECT


@fault("connects-twice", "RFC6062-4.3-10", "asks for two connections to one peer at a time")
class ConnectsTwice(Serving):
    def connects_together(self) -> int:
        return 2


@fault("connected-not-bound", "RFC6062-4.3-06", "sends Refresh where it should bind a connection that it asked for")
class ConnectedNotBound(Serving):
    def bind_method(self, attempted: bool) -> Method:
        return super().bind_method(attempted) if attempted else Method.REFRESH


@fault("bound-by-another-id", "RFC6062-4.3-07", "binds another connection than the one that it asked for")
class BoundByAnotherId(Serving):
    def bound_id(self, connection_id: int, attempted: bool) -> int:
        return connection_id if attempted else connection_id ^ 0x55


@fault("bound-without-login", "RFC6062-4.3-05", "does not log in to bind a connection that it asked for")
class BoundWithoutLogin(Serving):
    def logs_in_to_bind(self, attempted: bool) -> bool:
        return attempted


@fault("relayed-data-framed-twice", "RFC6062-4.5-s01", "puts what goes through a relay into further frames")
class RelayedDataFramedTwice(Serving):
    def from_relay(self, octets: bytes) -> bytes:
        return frame(octets)


@fault("data-connection-kept", "RFC6062-4.6-s01", "does not close the data connections of what it has closed")
class DataConnectionKept(Serving):
    def closes_data(self) -> bool:
        return False


@fault("bound-without-integrity", "RFC6062-4.4-03", "binds data connections without integrity")
class BoundWithoutIntegrity(Serving):
    def signs(self, method: Method) -> bool:
        return method != Method.CONNECTION_BIND and super().signs(method)


@fault("data-connection-elsewhere", "RFC6062-4.4-01", "opens data connections for peers to another port")
class DataConnectionElsewhere(Serving):
    def data_server(self, address: Address, attempted: bool) -> Address:
        return Address(address.ip, 9) if attempted else super().data_server(address, attempted)


@fault("asked-connection-elsewhere", "RFC6062-4.3-03", "opens data connections that it asked for to another port")
class AskedConnectionElsewhere(Serving):
    def data_server(self, address: Address, attempted: bool) -> Address:
        return super().data_server(address, attempted) if attempted else Address(address.ip, 9)


@fault("attempts-not-bound", "RFC6062-4.4-04", "asks for permissions again where it should bind a connection")
class AttemptsNotBound(Serving):
    def request_attributes(self, method: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        return attributes

    def to_server(self, message: bytes) -> bytes:
        bind = bytes([0, Method.CONNECTION_BIND])
        return b"\0\x08" + message[2:] if message[:2] == bind else message
