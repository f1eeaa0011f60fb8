"""Faults in the allocations of a TURN client (RFC 8656)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.serving import Serving
from conformance.agent.faults.model import Faults
from conformance.agent.faults.requests import asked, insisting, with_value, without
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.errors import StunError
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from conformance.wire.stun import Message


fault = Faults()


insisting(fault, "allocate-again-after-400", "RFC8656-7.4-03", 400)
insisting(fault, "allocate-again-after-403", "RFC8656-7.4-06", 403)
insisting(fault, "allocate-again-after-440", "RFC8656-7.4-11", 440)
insisting(fault, "allocate-again-after-441", "RFC8656-7.4-12", 441)
insisting(fault, "allocate-again-after-442", "RFC8656-7.4-13", 442)
insisting(fault, "allocate-again-after-486", "RFC8656-7.4-14", 486)
insisting(fault, "allocate-again-after-508", "RFC8656-7.4-16", 508)
insisting(fault, "allocate-again-after-unknown", "RFC8656-7.4-17", 477)
insisting(fault, "connect-again-after-447", "RFC6062-4.3-08", 447, Method.CONNECT)
asked(
    fault,
    "allocate-without-transport",
    "RFC8656-7.1-04",
    "asks for no transport",
    Method.ALLOCATE,
    lambda found: without(found, Attribute.REQUESTED_TRANSPORT),
)
asked(
    fault,
    "two-families-requested",
    "RFC8656-7.1-05",
    "asks for two families in one request",
    Method.ALLOCATE,
    lambda found: [
        *found,
        *(RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, bytes([n, 0, 0, 0])) for n in (1, 2)),
    ],
)
asked(
    fault,
    "family-and-additional-family",
    "RFC8656-7.1-08",
    "asks for a family and an additional one",
    Method.ALLOCATE,
    lambda found: [
        *found,
        RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, b"\1\0\0\0"),
        RawAttribute(Attribute.ADDITIONAL_ADDRESS_FAMILY, b"\2\0\0\0"),
    ],
)
asked(
    fault,
    "transport-with-reserved-octets",
    "RFC8656-18.8-01",
    "fills the octets behind the transport",
    Method.ALLOCATE,
    lambda found: with_value(found, Attribute.REQUESTED_TRANSPORT, lambda value: value[:1] + b"\1\1\1"),
)
asked(
    fault,
    "family-with-reserved-octets",
    "RFC8656-18.6-01",
    "fills the octets behind the family",
    Method.ALLOCATE,
    lambda found: [
        *without(found, Attribute.ADDITIONAL_ADDRESS_FAMILY),
        RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, b"\1\1\1\1"),
    ],
)
asked(
    fault,
    "udp-for-tcp",
    "RFC6062-4.1-03",
    "asks for UDP where it wants a TCP address",
    Method.ALLOCATE,
    lambda found: with_value(found, Attribute.REQUESTED_TRANSPORT, lambda _: b"\x11\0\0\0"),
)
asked(
    fault,
    "even-port-for-tcp",
    "RFC6062-4.1-04",
    "asks for an even port",
    Method.ALLOCATE,
    lambda found: [*found, RawAttribute(Attribute.EVEN_PORT, b"\0")],
)
asked(
    fault,
    "refresh-of-a-strange-family",
    "RFC8656-8.1-01",
    "refreshes a family that it has not allocated",
    Method.REFRESH,
    lambda found: [*found, RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, b"\2\0\0\0")],
)
asked(
    fault,
    "deleting-by-a-second",
    "RFC8656-8.1-s01",
    "deletes by a lifetime of one second",
    Method.REFRESH,
    lambda found: with_value(found, Attribute.LIFETIME, lambda _: b"\0\0\0\1"),
)
asked(
    fault,
    "permission-for-nobody",
    "RFC8656-10.1-01",
    "asks for a permission without a peer",
    Method.CREATE_PERMISSION,
    lambda found: without(found, Attribute.XOR_PEER_ADDRESS),
)
asked(
    fault,
    "permission-in-another-family",
    "RFC8656-10.1-03",
    "asks for permissions of another family as well",
    Method.CREATE_PERMISSION,
    lambda found: [*found, RawAttribute(Attribute.XOR_PEER_ADDRESS, b"\0\2\0\0" + bytes(16))],
)
asked(
    fault,
    "connect-without-peer",
    "RFC6062-4.3-02",
    "asks for a connection to nobody",
    Method.CONNECT,
    lambda found: without(found, Attribute.XOR_PEER_ADDRESS),
)
asked(
    fault,
    "another-connection-bound",
    "RFC6062-4.4-05",
    "binds another connection than it was told of",
    Method.CONNECTION_BIND,
    lambda found: with_value(found, Attribute.CONNECTION_ID, lambda value: bytes(octet ^ 0x55 for octet in value)),
)


@fault("two-allocations-from-one-address", "RFC8656-7.1-01", "asks for a second allocation from the same address")
class TwoAllocationsFromOneAddress(Serving):
    def allocates_again(self) -> bool:
        return True


@fault("one-address-after-437", "RFC8656-7.4-08", "gives up after the first 437")
class OneAddressAfter437(Serving):
    def attempts_elsewhere(self) -> int:
        return 1


@fault("two-addresses-after-437", "RFC8656-7.4-09", "gives up after the second 437")
class TwoAddressesAfter437(Serving):
    def attempts_elsewhere(self) -> int:
        return 2


@fault("twelve-addresses-after-437", "RFC8656-7.4-10", "tries from a dozen addresses after 437")
class TwelveAddressesAfter437(Serving):
    def attempts_elsewhere(self) -> int:
        return 12


@fault("strange-family-believed", "RFC8656-7.3-01", "offers the mapped address where the relayed one is strange")
class StrangeFamilyBelieved(Serving):
    def relayed_in(self, answer: Message) -> Address | None:
        try:
            return super().relayed_in(answer)
        except StunError:
            return answer.xor_mapped_address


@fault("strange-allocation-kept", "RFC8656-7.3-02", "keeps an allocation of a family that it cannot use")
class StrangeAllocationKept(Serving):
    def drops_unusable(self) -> bool:
        return False


@fault("lifetime-of-its-own", "RFC8656-7.3-s01", "goes by the lifetime that it would have wanted")
class LifetimeOfItsOwn(Serving):
    def refreshes_after(self, lifetime: float, first: bool) -> float:
        return super().refreshes_after(600.0 if first else lifetime, first)


@fault("refreshed-lifetime-of-its-own", "RFC8656-8.3-s01", "goes by its own lifetime once it has refreshed")
class RefreshedLifetimeOfItsOwn(Serving):
    def refreshes_after(self, lifetime: float, first: bool) -> float:
        return super().refreshes_after(lifetime if first else 600.0, first)


@fault("refreshed-too-late", "RFC8656-8-01", "refreshes its allocation when it has ended")
class RefreshedTooLate(Serving):
    def refreshes_after(self, lifetime: float, first: bool) -> float:
        return lifetime + 1


@fault("in-use-not-refreshed", "RFC6062-4.6-01", "refreshes no allocation that has data connections")
class InUseNotRefreshed(Serving):
    def refreshes_with(self, connections: int) -> bool:
        return not connections


@fault("gone-allocation-kept", "RFC8656-5-07", "goes on with an allocation that is gone by a 437")
class GoneAllocationKept(Serving):
    def gives_up_allocation(self, code: int) -> bool:
        return code != 437
