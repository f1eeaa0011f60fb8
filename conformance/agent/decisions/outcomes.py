"""Decisions about responses to our checks: what is believed (RFC 8489 section 9.1.4, RFC 8445 section 7.2.5)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from conformance.agent.attributes import unknown_required
from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from conformance.agent.pairs import Connection, Pair
    from conformance.wire.attributes import Address, RawAttribute
    from conformance.wire.candidate import Candidate
    from conformance.wire.stun import Message


class Stranger(enum.Enum):
    """What becomes of a connection whose far end does not speak STUN."""

    FAIL_REMOTE = "it is closed, and no pair with this remote candidate is tried any more"
    FAIL_PAIR = "it is closed, and its pair fails"
    TRY_AGAIN = "it is closed, and the pair is checked once more"
    IGNORE = "it is used"


class Outcomes(Topic):
    """What the agent believes of a response."""

    def needs_integrity(self, message: Message) -> bool:
        """Whether a response counts only with a valid MESSAGE-INTEGRITY (RFC 8489 section 9.1.4)."""
        return True

    def unknown_in_response(self, attributes: Iterable[RawAttribute]) -> list[int]:
        """Return the types in a response that should have been understood (RFC 8489 section 6.3.3)."""
        return unknown_required(attributes)

    def answered(self, transaction_id: bytes, waiting: Collection[bytes]) -> bytes | None:
        """Return the transaction, of those that wait, that a response with this id answers (RFC 8489 section 6.3)."""
        return transaction_id if transaction_id in waiting else None

    def mapped_in(self, message: Message) -> Address | None:
        """Return the mapped address of a success response, which must have one (RFC 8489 section 6.3.3)."""
        return message.xor_mapped_address

    def asks_again(self, message: Message, before: int) -> bool:
        """Whether a check that an error response has answered is sent once more: never (RFC 8489 section 6.3.4).

        `before`: how often it was sent again so far.
        """
        return False

    def fails_refused(self, message: Message) -> bool:
        """Whether an error response that cannot be recovered from fails the pair (RFC 8445 section 7.2.5.2.4)."""
        return True

    def mapped_by_error(self, message: Message) -> Address | None:
        """Return the address that an error response counts as success with: none does (RFC 8445 section 7.2.5.3)."""
        return None

    def yields_to_conflict(self, controlling: bool) -> bool:
        """Whether we take the other role when a 487 asks for it (RFC 8445 section 7.2.5.1).

        `controlling`: so we were when we asked.
        """
        return True

    def heeds_conflict(self) -> bool:
        """Whether a 487 changes our role (RFC 8445 section 7.2.5.1)."""
        return True

    def renews_tie_breaker(self) -> bool:
        """Whether a 487 changes our tie-breaker as well as our role (RFC 8445 section 7.2.5.1)."""
        return True

    def mapped(self, pair: Pair, mapped: Address) -> Address:
        """Return the mapped address of a response, which makes the valid pair (RFC 8445 section 7.2.5.3.1)."""
        return mapped

    def learnt_priority(self, worth: int) -> int:
        """Return the priority of a candidate that a response reveals: PRIORITY of its check (RFC 8445 7.2.5.3.1)."""
        return worth

    def valid_remote(self, pair: Pair, known: Sequence[Candidate]) -> Candidate:
        """Return the remote candidate of the valid pair: where the check went (RFC 8445 section 7.2.5.3.2)."""
        return pair.remote

    def bears_failed_nomination(self, pair: Pair, *, ours: bool) -> bool:
        """Whether a pair is used though its nomination's check failed: never (RFC 8445 7.2.5.3.4, 7.3.1.5).

        `ours`: the nomination was ours, else the check was in return for the peer's.
        """
        return False

    def waits_for_cancelled(self) -> bool:
        """Whether a response to a cancelled check still counts (RFC 8445 section 7.3.1.4)."""
        return True

    def believes_elsewhere(self, connection: Connection, asked_on: Connection) -> bool:
        """Whether a response counts that came on another connection than its check (RFC 8445 7.2.5.2.1)."""
        return False

    def on_stranger(self, connection: Connection) -> Stranger:
        """Return what to do when the first answer on a connection is no STUN (RFC 6544 section 7.1)."""
        return Stranger.FAIL_REMOTE

    def fails_unreachable(self, connection: Connection) -> bool:
        """Whether a pair fails whose connection could not be opened (RFC 6544 section 7.1)."""
        return True
