"""Decisions about candidates that are told after the descriptions (RFC 8838)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from conformance.agent.candidates import Local


class Trickling(Topic):
    """What the agent tells late, and what it takes."""

    # -- ours ----------------------------------------------------------------------------------------------

    def trickles_to(self, knows: bool) -> bool:
        """Whether candidates are told late to a peer: to one that says that it knows that (RFC 8838 sections 3, 5)."""
        return knows

    def tells(self, local: Local) -> bool:
        """Whether a candidate is told before it is paired: each is (RFC 8838 section 10)."""
        return True

    def tells_after_nomination(self) -> bool:
        """Whether candidates are told when pairs are nominated already (RFC 8838 section 13)."""
        return False

    def tells_after_end(self) -> bool:
        """Whether a candidate is told behind the end of candidates (RFC 8838 section 13)."""
        return False

    def told_in_order(self) -> bool:
        """Whether candidates are told in the order of their components (RFC 8838 section 17)."""
        return True

    # -- the peer's ----------------------------------------------------------------------------------------

    def takes_generation(self, fragment: str, current: str) -> bool:
        """Whether a candidate with this ufrag is taken: one of the session as it is (RFC 8838 section 9)."""
        return fragment == current

    def heeds_end(self) -> bool:
        """Whether candidates behind the peer's end of candidates are ignored (RFC 8838 section 14)."""
        return True

    def keeps_pair_in_flight(self) -> bool:
        """Whether a pair whose check is under way stays when its candidate is told again (RFC 8838 section 11)."""
        return True

    def makes_room(self, failed: bool) -> bool:
        """Whether a full check list gives a failed pair, or else a worse one, up for a new one (RFC 8838 11)."""
        return True

    def fails_at_end(self) -> bool:
        """Whether the end of candidates ends the patience for checks: it goes on (RFC 8863 section 5)."""
        return False
