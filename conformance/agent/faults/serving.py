"""Faults in what is asked of servers, and in long-term credentials (RFC 8489 sections 6.2.2, 9.2 and 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.serving import Serving
from conformance.agent.faults.model import Faults
from conformance.agent.faults.requests import login, with_value, without
from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute, RawAttribute
from conformance.wire.longterm import MD5, SHA256
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Sequence


fault = Faults()


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
    def answers_challenge(self, code: int, sent_before: bool, method: Method) -> bool:
        return code == 438


@fault("stale-nonce-given-up", "RFC8489-9.2.5-12", "asks no more after a 438")
class StaleNonceGivenUp(Serving):
    def answers_challenge(self, code: int, sent_before: bool, method: Method) -> bool:
        return code != 438 and super().answers_challenge(code, sent_before, method)


@fault("stale-refresh-given-up", "RFC8656-8.3-s02", "sends a Refresh that a 438 answers no more")
class StaleRefreshGivenUp(Serving):
    def answers_challenge(self, code: int, sent_before: bool, method: Method) -> bool:
        stale = code == 438 and method is Method.REFRESH
        return not stale and super().answers_challenge(code, sent_before, method)


@fault("unsigned-after-stale-nonce", "RFC8489-9.2.5-13", "sends a request again after 438 without integrity")
class UnsignedAfterStaleNonce(Serving):
    def signs_after(self, code: int) -> bool:
        return code != 438


@fault("refused-credentials-repeated", "RFC8489-9.2.5-11", "sends the credentials again that a 401 has refused")
class RefusedCredentialsRepeated(Serving):
    def answers_challenge(self, code: int, sent_before: bool, method: Method) -> bool:
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


login(
    fault,
    "permission-without-realm",
    "RFC8489-9.2.3.2-02",
    "sends CreatePermission without REALM",
    lambda found: without(found, Attribute.REALM),
    Method.CREATE_PERMISSION,
)
login(
    fault,
    "allocate-without-user",
    "RFC8489-9.2.5-04",
    "sends no user name in answer to a 401",
    lambda found: without(found, Attribute.USERNAME),
    Method.ALLOCATE,
)
login(
    fault,
    "realm-of-its-own",
    "RFC8489-9.2.5-06",
    "sends a realm that the server has not said",
    lambda found: with_value(found, Attribute.REALM, lambda _: b"example.org"),
)
login(
    fault,
    "nonce-of-its-own",
    "RFC8489-9.2.5-07",
    "sends a nonce that the server has not said",
    lambda found: with_value(found, Attribute.NONCE, lambda _: b"nonce"),
)
login(
    fault,
    "realm-cut",
    "RFC8489-14.9-01",
    "cuts realms off behind 64 octets",
    lambda found: with_value(found, Attribute.REALM, lambda value: value[:64]),
)
login(
    fault,
    "nonce-cut",
    "RFC8489-14.10-01",
    "cuts nonces off behind 64 octets",
    lambda found: with_value(found, Attribute.NONCE, lambda value: value[:64]),
)
login(
    fault,
    "algorithms-not-copied",
    "RFC8489-9.2.5-08",
    "leaves the list of password algorithms out",
    lambda found: without(found, Attribute.PASSWORD_ALGORITHMS),
)
login(
    fault,
    "algorithm-padding-not-zero",
    "RFC8489-14.12-01",
    "has parameters of a password algorithm that has none",
    lambda found: with_value(found, Attribute.PASSWORD_ALGORITHM, lambda value: value[:2] + b"\0\1x\xff\xff\xff"),
)
login(
    fault,
    "refresh-of-another-user",
    "RFC8656-5-s01",
    "refreshes as another user",
    lambda found: with_value(found, Attribute.USERNAME, lambda value: b"other-" + value),
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
