"""Decisions about nomination and selection (RFC 6544 section 8, RFC 8445 section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.pairs import Connection, Pair


class Nomination(Topic):
    """When the agent nominates, and what a nomination does."""

    def controls(self, peer_lite: bool) -> bool:
        """Whether we control: the offerer if both are of the same mode, else the full one (RFC 8445 6.1.1)."""
        return self.config.offerer if self.config.lite is peer_lite else not self.config.lite

    def claims(self, controlling: bool, *, kept: bool) -> bool:
        """Whether a check claims to be controlling: if we are, for the whole session (RFC 8445 section 6.1.1).

        `kept`: it is a check of a selected pair.
        """
        return controlling

    def role_in_restart(self, controlling: bool, *, ours: bool) -> bool:
        """Whether we control after a restart: if we did before (RFC 8445 sections 6.1.1 and 9). `ours`: we restart."""
        return controlling

    def redetermines(self) -> bool:
        """Whether roles are determined anew when a full peer becomes lite, or the reverse (RFC 8445 section 6.1.1)."""
        return True

    def counts_unanswered(self) -> bool:
        """Whether a nomination of ours counts before it is answered: no (RFC 8445 section 7.2.5.3.4)."""
        return False

    def completes_valid(self) -> bool:
        """Whether the session has completed before pairs are nominated: never (RFC 8445 section 6.1.3)."""
        return False

    def completes_with(self, lists: Sequence[bool]) -> bool:
        """Whether the session has completed: with all check lists (RFC 8445 section 8.1.2)."""
        return all(lists)

    def nominates(self, controlling: bool) -> bool:
        """Whether it is for us to nominate: for the controlling agent (RFC 8445 section 8.1.1)."""
        return controlling

    def patience_with_the_peer(self) -> float | None:
        """Return after how long without a nomination a controlled agent takes control: never (RFC 8445 6.1.1)."""
        return None

    def patience_for_checks(self, patience: float) -> float:
        """Return how long no check list fails after ICE has begun: 39.5 s (RFC 8863 section 4)."""
        return patience

    def may_nominate(self) -> bool:
        """Whether a valid pair is nominated when its time has come (RFC 6544 section 8)."""
        return True

    def use_candidate(self, pair: Pair, controlling: bool) -> bool:
        """Whether a check says USE-CANDIDATE: the one that repeats a successful check (RFC 6544 section 8)."""
        return pair.nominate and controlling

    def nominates_unproved(self, pair: Pair, controlling: bool) -> bool:
        """Whether a pair is nominated right behind its first check: not before that succeeds (RFC 6544 8)."""
        return False

    def nominates_too(self, other: Connection, controlling: bool) -> bool:
        """Whether a success on one connection of a component nominates another one: never (RFC 8445 8.1.1)."""
        return False

    def closes_at_success(self, other: Connection) -> bool:
        """Whether a success closes a component's other connections: not before one is selected (RFC 6544 8)."""
        return False

    def selects_unchecked(self, checks: bool) -> bool:
        """Whether a nomination selects a pair that we have not checked: a lite agent's (RFC 8445 section 7.3.2).

        `checks`: the agent makes checks of its own.
        """
        return not checks

    def checks_in_return(self, checks: bool) -> bool:
        """Whether what follows a check is one of our own: of a full agent (RFC 6544 section 7).

        `checks`: the agent makes checks of its own.
        """
        return checks
