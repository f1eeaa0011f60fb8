"""What the attributes of a STUN message say, whichever way it was decoded."""

from __future__ import annotations

import enum
from abc import abstractmethod
from typing import TYPE_CHECKING

from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute

if TYPE_CHECKING:
    from conformance.wire.attributes import Address, ErrorCode, RawAttribute


class MessageClass(enum.IntEnum):
    """Class of a message (RFC 8489 section 3)."""

    REQUEST = 0
    INDICATION = 1
    SUCCESS = 2
    ERROR = 3


class Values:
    """A message by its first attribute of each type, which is the one that counts (RFC 8489 section 14).

    Values that are malformed raise `StunError`; None: there is no such attribute.
    """

    __slots__ = ()

    cls: MessageClass
    transaction_id: bytes

    @abstractmethod
    def first(self, kind: int) -> RawAttribute | None:
        """Return the first attribute of a type."""

    @abstractmethod
    def has(self, kind: int) -> bool:
        """Whether there is an attribute of this type."""

    @property
    def is_request(self) -> bool:
        """Whether this is a request."""
        return self.cls is MessageClass.REQUEST

    @property
    def is_indication(self) -> bool:
        """Whether this is an indication."""
        return self.cls is MessageClass.INDICATION

    @property
    def is_success(self) -> bool:
        """Whether this is a success response."""
        return self.cls is MessageClass.SUCCESS

    @property
    def is_error(self) -> bool:
        """Whether this is an error response."""
        return self.cls is MessageClass.ERROR

    @property
    def username(self) -> str | None:
        """USERNAME."""
        return self._text(Attribute.USERNAME)

    @property
    def software(self) -> str | None:
        """SOFTWARE."""
        return self._text(Attribute.SOFTWARE)

    @property
    def realm(self) -> str | None:
        """REALM."""
        return self._text(Attribute.REALM)

    @property
    def nonce(self) -> str | None:
        """NONCE."""
        return self._text(Attribute.NONCE)

    @property
    def priority(self) -> int | None:
        """PRIORITY."""
        return self._number(Attribute.PRIORITY, 4)

    @property
    def lifetime(self) -> int | None:
        """LIFETIME, in seconds."""
        return self._number(Attribute.LIFETIME, 4)

    @property
    def connection_id(self) -> int | None:
        """CONNECTION-ID (RFC 6062 section 6.2.1)."""
        return self._number(Attribute.CONNECTION_ID, 4)

    @property
    def use_candidate(self) -> bool:
        """Whether USE-CANDIDATE is there."""
        return self.has(Attribute.USE_CANDIDATE)

    @property
    def ice_controlling(self) -> int | None:
        """The tie-breaker of ICE-CONTROLLING."""
        return self._number(Attribute.ICE_CONTROLLING, 8)

    @property
    def ice_controlled(self) -> int | None:
        """The tie-breaker of ICE-CONTROLLED."""
        return self._number(Attribute.ICE_CONTROLLED, 8)

    @property
    def mapped_address(self) -> Address | None:
        """MAPPED-ADDRESS."""
        found = self.first(Attribute.MAPPED_ADDRESS)
        return None if found is None else attr.decode_address(found)

    @property
    def xor_mapped_address(self) -> Address | None:
        """XOR-MAPPED-ADDRESS."""
        return self._xor_address(Attribute.XOR_MAPPED_ADDRESS)

    @property
    def xor_peer_address(self) -> Address | None:
        """XOR-PEER-ADDRESS."""
        return self._xor_address(Attribute.XOR_PEER_ADDRESS)

    @property
    def xor_relayed_address(self) -> Address | None:
        """XOR-RELAYED-ADDRESS."""
        return self._xor_address(Attribute.XOR_RELAYED_ADDRESS)

    @property
    def error_code(self) -> ErrorCode | None:
        """ERROR-CODE."""
        found = self.first(Attribute.ERROR_CODE)
        return None if found is None else attr.decode_error_code(found)

    @property
    def unknown_attributes(self) -> tuple[int, ...] | None:
        """The types listed in UNKNOWN-ATTRIBUTES."""
        found = self.first(Attribute.UNKNOWN_ATTRIBUTES)
        return None if found is None else attr.decode_unknown_attributes(found)

    def _text(self, kind: int) -> str | None:
        found = self.first(kind)
        return None if found is None else attr.decode_text(found)

    def _number(self, kind: int, octets: int) -> int | None:
        found = self.first(kind)
        return None if found is None else attr.decode_number(found, octets)

    def _xor_address(self, kind: int) -> Address | None:
        found = self.first(kind)
        return None if found is None else attr.decode_xor_address(found, self.transaction_id)
