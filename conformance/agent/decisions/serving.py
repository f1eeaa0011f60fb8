"""Decisions about requests to STUN and TURN servers (RFC 8489 sections 6.2.2, 9.2 and 10, RFC 8656, RFC 6062)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic
from conformance.wire.attributes import Address
from conformance.wire.longterm import MD5, SHA256
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.wire.attributes import RawAttribute
    from conformance.wire.stun import Message

_AHEAD = 60.0  # an allocation is refreshed so long before it ends (RFC 8656 section 8)


class Serving(Topic):
    """How the agent deals with servers."""

    # -- requests ------------------------------------------------------------------------------------------

    def to_server(self, message: bytes) -> bytes:
        """Return a message to a server as it goes out: without a frame (RFC 8489 section 6.2.2)."""
        return message

    def request_attributes(self, method: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        """Return what a request says, its credentials apart (RFC 8656 section 7.1, RFC 6062 section 4)."""
        return attributes

    def login_attributes(self, method: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        """Return the credentials of a request as they were learnt; none before that (RFC 8489 section 9.2.3)."""
        return attributes

    def server_key(self, key: bytes) -> bytes:
        """Return the key of a request's integrity (RFC 8489 section 9.2.2)."""
        return key

    def signs(self, method: Method) -> bool:
        """Whether a request has integrity once credentials are known (RFC 8489 section 9.2.3.2)."""
        return True

    def signs_after(self, code: int) -> bool:
        """Whether a request that is sent again after this error has integrity: always (RFC 8489 section 9.2.5)."""
        return True

    def signs_by_sha256(self, listed: bool) -> bool:
        """Whether a request has MESSAGE-INTEGRITY-SHA256: where algorithms were listed (RFC 8489 section 9.2.5)."""
        return listed

    def remembers_login(self, method: Method) -> bool:
        """Whether credentials are kept for this request (RFC 8489 section 9.2.3.2)."""
        return True

    def asks_elsewhere(self, method: Method) -> bool:
        """Whether a request about an allocation takes another connection than the control one (RFC 6062 4.2, 4.3)."""
        return False

    def asks_before_allocating(self) -> bool:
        """Whether the connection of an allocation serves other requests before (RFC 6062 section 4.1)."""
        return False

    # -- responses -----------------------------------------------------------------------------------------

    def picks(self, listed: Sequence[int]) -> int | None:
        """Return the password algorithm to use: the first of the list that we know (RFC 8489 section 9.2.5)."""
        return next((algorithm for algorithm in listed if algorithm in (SHA256, MD5)), None)

    def requires_list(self) -> bool:
        """Whether a nonce that announces password algorithms is no use without the list (RFC 8489 section 9.2.5)."""
        return True

    def heeds_announcement(self) -> bool:
        """Whether any response counts for nothing that announces algorithms without their list (RFC 8489 9.2.5)."""
        return True

    def answers_challenge(self, code: int, sent_before: bool, method: Method) -> bool:
        """Whether a 401 or 438 is followed by another request (RFC 8489 section 9.2.5).

        `sent_before`: the request had credentials, which a 401 then has refused.
        """
        return code == 438 or not sent_before

    def insists_on(self, code: int, method: Method) -> bool:
        """Whether a refused request is sent again at once: never (RFC 8656 section 7.4, RFC 6062 section 4.3)."""
        return False

    def believes_server(self, valid: bool) -> bool:
        """Whether a success response counts: with valid integrity (RFC 8489 section 9.2.5)."""
        return valid

    def follows_redirection(self, valid: bool) -> bool:
        """Whether a 300 leads to another server: if it is authenticated (RFC 8489 sections 10 and 14.8)."""
        return valid

    def returns_to(self, asked_already: bool) -> bool:
        """Whether a 300 may lead to this server: not to one that was asked just before (RFC 8489 section 10)."""
        return not asked_already

    def asks_the_same_elsewhere(self) -> bool:
        """Whether an alternate server is asked for what the first one was asked for (RFC 8489 section 10)."""
        return True

    def user_elsewhere(self, username: str) -> str:
        """Return who we are to an alternate server: the same as to the first one (RFC 8489 section 10)."""
        return username

    def attempts_elsewhere(self) -> int:
        """Return from how many addresses an allocation is tried that is refused with 437: three (RFC 8656 7.4)."""
        return 3

    # -- allocations ---------------------------------------------------------------------------------------

    def wants_ipv6(self, addresses: Sequence[str]) -> bool:
        """Whether a relayed IPv6 address is asked for as well: if we have no IPv6 address ourselves (RFC 6544 5)."""
        return not any(":" in address for address in addresses)

    def relayed_in(self, answer: Message) -> Address | None:
        """Return the relayed address of an allocation; none of a family that we cannot use (RFC 8656 section 7.3)."""
        return answer.xor_relayed_address

    def allocates_again(self) -> bool:
        """Whether one more allocation is asked for on a connection that has one: never (RFC 8656 section 7.1)."""
        return False

    def drops_unusable(self) -> bool:
        """Whether an allocation that is of no use is given up (RFC 8656 section 7.3)."""
        return True

    def refreshes_after(self, lifetime: float, first: bool) -> float:
        """Return when an allocation of this lifetime is refreshed, in time (RFC 8656 sections 7.3, 8 and 8.3)."""
        return max(lifetime - _AHEAD, lifetime / 2)

    def refreshes_with(self, connections: int) -> bool:
        """Whether an allocation is refreshed while it has so many data connections: always (RFC 6062 section 4.6)."""
        return True

    def gives_up_allocation(self, code: int) -> bool:
        """Whether an allocation is gone whose refreshing was refused (RFC 8656 section 5)."""
        return True

    # -- connections with peers ----------------------------------------------------------------------------

    def connects_together(self) -> int:
        """Return how many Connects for a peer are on their way together: one (RFC 6062 section 4.3)."""
        return 1

    def data_server(self, address: Address, attempted: bool) -> Address:
        """Return where a data connection goes: to the control connection's server (RFC 6062 sections 4.3 and 4.4).

        `attempted`: see `bind_method`.
        """
        return address

    def data_source(self, control: Address) -> Address:
        """Return where a data connection comes from: another port than the control one's (RFC 6062 section 4.3)."""
        return Address(control.ip, 0)

    def bind_method(self, attempted: bool) -> Method:
        """Return what is asked on a data connection: to bind it (RFC 6062 sections 4.3 and 4.4).

        `attempted`: the peer has connected to the relayed address; else we have asked for the connection.
        """
        return Method.CONNECTION_BIND

    def bound_id(self, connection_id: int, attempted: bool) -> int:
        """Return which connection is bound: the one that the server has told of (RFC 6062 sections 4.3 and 4.4)."""
        return connection_id

    def logs_in_to_bind(self, attempted: bool) -> bool:
        """Whether we log in on a data connection as on the control connection (RFC 6062 sections 4.3 and 4.4)."""
        return True

    def from_relay(self, octets: bytes) -> bytes:
        """Return what a bound data connection carries of ours: the octets as they are (RFC 6062 section 4.5)."""
        return octets

    def closes_data(self) -> bool:
        """Whether a relayed connection ends by closing the data connection (RFC 6062 section 4.6)."""
        return True
