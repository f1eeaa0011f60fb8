"""Decisions about selected connections that are lost and come back (RFC 6544 section 11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from conformance.agent.pairs import Connection, Pair


class Reopening(Topic):
    """What the agent does about a lost connection."""

    def reopens(self, pair: Pair) -> bool:
        """Whether it is for us to reopen a pair's connection: from an active or S-O candidate (RFC 6544 11.1)."""
        return pair.local.tcptype != "passive"

    def reopens_after(self, connection: Connection) -> bool:
        """Whether a connection that was lost is opened again: however often that has happened (RFC 6544 11.1)."""
        return True

    def checks_reopened(self, connection: Connection) -> bool:
        """Whether a check goes over a connection that we have reopened (RFC 6544 section 11.1)."""
        return True

    def checks_returned(self, connection: Connection) -> bool:
        """Whether a check in return goes over a connection that the peer has reopened (RFC 6544 section 11.1)."""
        return True

    def trusts_reopened(self, connection: Connection) -> bool:
        """Whether data goes over a reopened connection before a check of ours has succeeded: no (RFC 6544 11.1)."""
        return False

    def resumes(self, connection: Connection) -> bool:
        """Whether data goes over a reopened connection that a check has validated (RFC 6544 section 11.1)."""
        return True

    def shows_failure(self) -> bool:
        """Whether a connection that cannot be had again is shown and leads to a restart (RFC 6544 section 11.1)."""
        return True
