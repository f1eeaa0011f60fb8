"""What checks say and what their responses mean (RFC 8445 sections 7.1, 7.2.5 and 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from conformance.wire.attributes import Address
    from conformance.wire.stun import Message

_ROLE_CONFLICT = 487


@frozen
class OutgoingCheck:
    """What a check says about its sender; ``kept``: it is for a selected pair (RFC 7675)."""

    user_name: str
    pwd: str
    priority: int
    controlling: bool
    tie_breaker: int
    use_candidate: bool
    kept: bool = False


@frozen
class IncomingCheck:
    """A connectivity check that was accepted."""

    priority: int
    use_candidate: bool
    peer_ufrag: str


@frozen
class Succeeded:
    """The peer answered; ``mapped`` is where it saw us."""

    mapped: Address


@frozen
class RoleConflict:
    """The peer wants us in the other role (487)."""


@frozen
class CheckFailed:
    """The transaction is over without success."""

    why: str


Outcome = Succeeded | RoleConflict | CheckFailed


def is_conflict(message: Message) -> bool:
    """Whether a message is the error 487. Raises `StunError` where its ERROR-CODE cannot be read."""
    error = message.error_code if message.is_error else None
    return error is not None and error.code == _ROLE_CONFLICT
