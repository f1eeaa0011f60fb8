"""Decisions about consent to send (RFC 7675)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.messages import Outcome
    from conformance.agent.pairs import Connection


class Consenting(Topic):
    """How the agent keeps consent."""

    def consent_interval(self, period: float, random: Callable[[int], bytes]) -> float:
        """Return the time up to the next check of consent: 0.8 to 1.2 periods, at random (RFC 7675 section 5.1)."""
        return period * (0.8 + 0.4 * int.from_bytes(random(2), "big") / 0xFFFF)

    def consent_lasts(self, seconds: float) -> float:
        """Return how long a response gives consent: 30 s (RFC 7675 section 5.1)."""
        return seconds

    def asks_consent(self, connection: Connection, restarting: bool) -> bool:
        """Whether consent is asked for: on each connection in use, in a restart too (RFC 7675 section 5.1)."""
        return True

    def asks_consent_at_once(self) -> int:
        """Return how often a check of consent is sent: once (RFC 7675 section 5.1)."""
        return 1

    def stops_without_consent(self) -> bool:
        """Whether nothing more is sent without consent (RFC 7675 section 5.1)."""
        return True

    def renews_consent(self, outcome: Outcome, succeeded: bool) -> bool:
        """Whether a response renews consent: a success that is authenticated (RFC 7675 section 5.1)."""
        return succeeded

    def heeds_revocation(self) -> bool:
        """Whether a 403 ends consent (RFC 7675 section 5.2)."""
        return True

    def closes_without_consent(self) -> bool:
        """Whether a connection is closed when consent has ended; it may stay, and carry nothing (RFC 7675 5.1)."""
        return True

    def discards_with_consent(self) -> bool:
        """Whether the checks on their way are given up when consent ends, so that none renews it (RFC 7675 5.1)."""
        return True

    def spends_credentials(self) -> bool:
        """Whether no more checks are made with these credentials when consent has ended (RFC 7675 section 5.1)."""
        return True

    def keeps_consent_when_closed(self) -> bool:
        """Whether consent outlives its connection, which may then be opened again: yes (RFC 7675 section 5.2)."""
        return True
