"""Faults in what is asked of STUN and TURN servers (RFC 8489 sections 6.2.2, 9.2 and 10, RFC 8656, RFC 6062)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.decisions.serving import Serving
from conformance.agent.faults.model import Faults
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.errors import StunError
from conformance.wire.longterm import MD5, SHA256
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.wire.stun import Message

    Change = Callable[[list[RawAttribute]], list[RawAttribute]]

fault = Faults()


def _without(attributes: Sequence[RawAttribute], *kinds: Attribute) -> list[RawAttribute]:
    return [a for a in attributes if a.type not in kinds]


def _with(attributes: Sequence[RawAttribute], kind: Attribute, change: Callable[[bytes], bytes]) -> list[RawAttribute]:
    return [replace(a, value=change(a.value)) if a.type == kind else a for a in attributes]


def _asked(name: str, requirement: str, summary: str, method: Method, change: Change) -> None:
    """Declare a fault in what the requests of a method say."""

    def request_attributes(self: Serving, of: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        return change(attributes) if of == method else attributes

    fault(name, requirement, summary)(type(name, (Serving,), {"request_attributes": request_attributes}))


def _login(name: str, requirement: str, summary: str, change: Change, *methods: Method) -> None:
    """Declare a fault in the credentials of requests, of some methods or of all."""

    def login_attributes(self: Serving, of: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        return change(attributes) if attributes and (of in methods or not methods) else attributes

    fault(name, requirement, summary)(type(name, (Serving,), {"login_attributes": login_attributes}))


def _insisting(name: str, requirement: str, code: int, method: Method = Method.ALLOCATE) -> None:
    """Declare the fault to send a request again at once that was refused with a code."""

    def insists_on(self: Serving, refused: int, of: Method) -> bool:
        return (refused, of) == (code, method)

    summary = f"sends {method.name.capitalize()} again at once after {code}"
    fault(name, requirement, summary)(type(name, (Serving,), {"insists_on": insists_on}))


@fault("ipv6-not-asked-for", "RFC6544-5-03", "asks no relay for an IPv6 address where it has none itself")
class Ipv6NotAskedFor(Serving):
    def wants_ipv6(self, addresses: Sequence[str]) -> bool:
        return False


@fault("frames-to-stun-server", "RFC8489-6.2.2-s04", "puts messages to STUN servers into frames")
class FramesToStunServer(Serving):
    def to_server(self, message: bytes) -> bytes:
        return frame(message)


# -- long-term credentials (RFC 8489 section 9.2) --------------------------------------------------------------------


@fault("credentials-at-once", "RFC8489-9.2.3.1-01", "names its user in the first request")
class CredentialsAtOnce(Serving):
    def login_attributes(self, method: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        return attributes or [attr.username("user")]


@fault("challenge-given-up", "RFC8489-9.2.5-03", "asks no more after a 401")
class ChallengeGivenUp(Serving):
    def answers_challenge(self, code: int, sent_before: bool) -> bool:
        return code == 438


@fault("stale-nonce-given-up", "RFC8489-9.2.5-12", "asks no more after a 438")
class StaleNonceGivenUp(Serving):
    def answers_challenge(self, code: int, sent_before: bool) -> bool:
        return code != 438 and super().answers_challenge(code, sent_before)


@fault("unsigned-after-stale-nonce", "RFC8489-9.2.5-13", "sends a request again after 438 without integrity")
class UnsignedAfterStaleNonce(Serving):
    def signs_after(self, code: int) -> bool:
        return code != 438


@fault("refused-credentials-repeated", "RFC8489-9.2.5-11", "sends the credentials again that a 401 has refused")
class RefusedCredentialsRepeated(Serving):
    def answers_challenge(self, code: int, sent_before: bool) -> bool:
        return True


@fault("login-forgotten", "RFC8489-9.2.3.2-01", "asks each time without credentials first")
class LoginForgotten(Serving):
    def remembers_login(self, method: Method) -> bool:
        return method in (Method.ALLOCATE, Method.BINDING)


@fault("server-key-of-password", "RFC8489-9.2.2-s01", "takes the password alone for the long-term key")
class ServerKeyOfPassword(Serving):
    def server_key(self, key: bytes) -> bytes:
        return super().server_key(key)[:8]


@fault("permission-unsigned", "RFC8489-9.2.3.2-03", "sends CreatePermission without integrity")
class PermissionUnsigned(Serving):
    def signs(self, method: Method) -> bool:
        return method != Method.CREATE_PERMISSION and super().signs(method)


_login(
    "permission-without-realm",
    "RFC8489-9.2.3.2-02",
    "sends CreatePermission without REALM",
    lambda found: _without(found, Attribute.REALM),
    Method.CREATE_PERMISSION,
)
_login(
    "allocate-without-user",
    "RFC8489-9.2.5-04",
    "sends no user name in answer to a 401",
    lambda found: _without(found, Attribute.USERNAME),
    Method.ALLOCATE,
)
_login(
    "realm-of-its-own",
    "RFC8489-9.2.5-06",
    "sends a realm that the server has not said",
    lambda found: _with(found, Attribute.REALM, lambda _: b"example.org"),
)
_login(
    "nonce-of-its-own",
    "RFC8489-9.2.5-07",
    "sends a nonce that the server has not said",
    lambda found: _with(found, Attribute.NONCE, lambda _: b"nonce"),
)
_login(
    "realm-cut",
    "RFC8489-14.9-01",
    "cuts realms off behind 64 octets",
    lambda found: _with(found, Attribute.REALM, lambda value: value[:64]),
)
_login(
    "nonce-cut",
    "RFC8489-14.10-01",
    "cuts nonces off behind 64 octets",
    lambda found: _with(found, Attribute.NONCE, lambda value: value[:64]),
)
_login(
    "algorithms-not-copied",
    "RFC8489-9.2.5-08",
    "leaves the list of password algorithms out",
    lambda found: _without(found, Attribute.PASSWORD_ALGORITHMS),
)
_login(
    "algorithm-padding-not-zero",
    "RFC8489-14.12-01",
    "has parameters of a password algorithm that has none",
    lambda found: _with(found, Attribute.PASSWORD_ALGORITHM, lambda value: value[:2] + b"\0\1x\xff\xff\xff"),
)
_login(
    "refresh-of-another-user",
    "RFC8656-5-s01",
    "refreshes as another user",
    lambda found: _with(found, Attribute.USERNAME, lambda value: b"other-" + value),
    Method.REFRESH,
)


@fault("user-name-although-anonymous", "RFC8489-9.2.5-05", "sends USERNAME in addition to USERHASH")
class UserNameAlthoughAnonymous(Serving):
    def login_attributes(self, method: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        hashed = any(a.type == Attribute.USERHASH for a in attributes)
        return [*attributes, attr.username("user")] if hashed else attributes


@fault("last-algorithm-picked", "RFC8489-9.2.5-09", "picks the last password algorithm that it knows")
class LastAlgorithmPicked(Serving):
    def picks(self, listed: Sequence[int]) -> int | None:
        return super().picks(listed[::-1])


@fault("md5-preferred", "RFC8656-6-03", "picks MD5 where SHA-256 is listed before it")
class Md5Preferred(Serving):
    def picks(self, listed: Sequence[int]) -> int | None:
        return MD5 if MD5 in listed else super().picks(listed)


@fault("unknown-algorithm-picked", "RFC8489-9.2.5-10", "asks by SHA-256 where nothing is listed that it knows")
class UnknownAlgorithmPicked(Serving):
    def picks(self, listed: Sequence[int]) -> int | None:
        return super().picks(listed) or SHA256


@fault("missing-list-ignored", "RFC8489-9.2.5-02", "asks again although the announced list is missing")
class MissingListIgnored(Serving):
    def requires_list(self) -> bool:
        return False


@fault("announcement-without-list-believed", "RFC8489-9.2.5-14", "believes a success without the announced list")
class AnnouncementWithoutListBelieved(Serving):
    def heeds_announcement(self) -> bool:
        return False


@fault("sha1-although-listed", "RFC8489-9.2.5-19", "signs by SHA-1 although algorithms were listed")
class Sha1AlthoughListed(Serving):
    def signs_by_sha256(self, listed: bool) -> bool:
        return False


@fault("server-integrity-unchecked", "RFC8489-9.2.5-18", "believes servers whatever their integrity")
class ServerIntegrityUnchecked(Serving):
    def believes_server(self, valid: bool) -> bool:
        return True


@fault("unsigned-redirection-followed", "RFC8489-14.8-07", "goes where an unauthenticated 300 sends it")
class UnsignedRedirectionFollowed(Serving):
    def follows_redirection(self, valid: bool) -> bool:
        return True


@fault("redirection-loop", "RFC8489-10-09", "goes back to servers that it has just been sent away from")
class RedirectionLoop(Serving):
    def returns_to(self, asked_already: bool) -> bool:
        return True


@fault("alternate-server-asked-for-less", "RFC8489-10-s01", "asks alternate servers for no allocation")
class AlternateServerAskedForLess(Serving):
    def asks_the_same_elsewhere(self) -> bool:
        return False


@fault("another-user-at-alternate-server", "RFC8489-10-05", "is another user to alternate servers")
class AnotherUserAtAlternateServer(Serving):
    def user_elsewhere(self, username: str) -> str:
        return f"other-{username}"


# -- allocations (RFC 8656) ------------------------------------------------------------------------------------------

_insisting("allocate-again-after-400", "RFC8656-7.4-03", 400)
_insisting("allocate-again-after-403", "RFC8656-7.4-06", 403)
_insisting("allocate-again-after-440", "RFC8656-7.4-11", 440)
_insisting("allocate-again-after-441", "RFC8656-7.4-12", 441)
_insisting("allocate-again-after-442", "RFC8656-7.4-13", 442)
_insisting("allocate-again-after-486", "RFC8656-7.4-14", 486)
_insisting("allocate-again-after-508", "RFC8656-7.4-16", 508)
_insisting("allocate-again-after-unknown", "RFC8656-7.4-17", 477)
_insisting("connect-again-after-447", "RFC6062-4.3-08", 447, Method.CONNECT)
_asked(
    "allocate-without-transport",
    "RFC8656-7.1-04",
    "asks for no transport",
    Method.ALLOCATE,
    lambda found: _without(found, Attribute.REQUESTED_TRANSPORT),
)
_asked(
    "two-families-requested",
    "RFC8656-7.1-05",
    "asks for two families in one request",
    Method.ALLOCATE,
    lambda found: [
        *found,
        *(RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, bytes([n, 0, 0, 0])) for n in (1, 2)),
    ],
)
_asked(
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
_asked(
    "transport-with-reserved-octets",
    "RFC8656-18.8-01",
    "fills the octets behind the transport",
    Method.ALLOCATE,
    lambda found: _with(found, Attribute.REQUESTED_TRANSPORT, lambda value: value[:1] + b"\1\1\1"),
)
_asked(
    "family-with-reserved-octets",
    "RFC8656-18.6-01",
    "fills the octets behind the family",
    Method.ALLOCATE,
    lambda found: [*found, RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, b"\1\1\1\1")],
)
_asked(
    "udp-for-tcp",
    "RFC6062-4.1-03",
    "asks for UDP where it wants a TCP address",
    Method.ALLOCATE,
    lambda found: _with(found, Attribute.REQUESTED_TRANSPORT, lambda _: b"\x11\0\0\0"),
)
_asked(
    "even-port-for-tcp",
    "RFC6062-4.1-04",
    "asks for an even port",
    Method.ALLOCATE,
    lambda found: [*found, RawAttribute(Attribute.EVEN_PORT, b"\0")],
)
_asked(
    "refresh-of-a-strange-family",
    "RFC8656-8.1-01",
    "refreshes a family that it has not allocated",
    Method.REFRESH,
    lambda found: [*found, RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, b"\2\0\0\0")],
)
_asked(
    "deleting-by-a-second",
    "RFC8656-8.1-s01",
    "deletes by a lifetime of one second",
    Method.REFRESH,
    lambda found: _with(found, Attribute.LIFETIME, lambda _: b"\0\0\0\1"),
)
_asked(
    "permission-for-nobody",
    "RFC8656-10.1-01",
    "asks for a permission without a peer",
    Method.CREATE_PERMISSION,
    lambda found: _without(found, Attribute.XOR_PEER_ADDRESS),
)
_asked(
    "permission-in-another-family",
    "RFC8656-10.1-03",
    "asks for permissions of another family as well",
    Method.CREATE_PERMISSION,
    lambda found: [*found, RawAttribute(Attribute.XOR_PEER_ADDRESS, b"\0\2\0\0" + bytes(16))],
)
_asked(
    "connect-without-peer",
    "RFC6062-4.3-02",
    "asks for a connection to nobody",
    Method.CONNECT,
    lambda found: _without(found, Attribute.XOR_PEER_ADDRESS),
)
_asked(
    "another-connection-bound",
    "RFC6062-4.4-05",
    "binds another connection than it was told of",
    Method.CONNECTION_BIND,
    lambda found: _with(found, Attribute.CONNECTION_ID, lambda value: bytes(octet ^ 0x55 for octet in value)),
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


# -- TCP allocations (RFC 6062) --------------------------------------------------------------------------------------


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


@fault("data-connection-elsewhere", "RFC6062-4.4-01", "opens data connections to another port of the server")
class DataConnectionElsewhere(Serving):
    def data_server(self, address: Address) -> Address:
        return Address(address.ip, 9)


@fault("attempts-not-bound", "RFC6062-4.4-04", "asks for permissions again where it should bind a connection")
class AttemptsNotBound(Serving):
    def request_attributes(self, method: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        return attributes

    def to_server(self, message: bytes) -> bytes:
        bind = bytes([0, Method.CONNECTION_BIND])
        return b"\0\x08" + message[2:] if message[:2] == bind else message
