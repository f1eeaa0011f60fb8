"""Decisions about octets of STUN messages to the peer: how they are made (RFC 8489 sections 5 and 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic
from conformance.wire.integrity import short_term_key
from conformance.wire.stun import MessageClass, Method, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.wire.attributes import RawAttribute


class Encoding(Topic):
    """How messages become octets."""

    def short_term_key(self, password: str) -> bytes:
        """Return the key of MESSAGE-INTEGRITY: the password (RFC 8489 section 9.1.1)."""
        return short_term_key(password)

    def encoded(
        self,
        cls: MessageClass,
        transaction_id: bytes,
        body: Sequence[RawAttribute],
        *,
        key: bytes | None = None,
        sha256_key: bytes | None = None,
        fingerprint: bool = True,
    ) -> bytes:
        """Return a Binding message with the protections that these keys make (RFC 8489 sections 5 and 14)."""
        return build(Method.BINDING, cls, transaction_id, body, key=key, sha256_key=sha256_key, fingerprint=fingerprint)
