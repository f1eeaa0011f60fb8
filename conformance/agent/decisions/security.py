"""Decisions about DTLS: when a handshake begins, who begins it, what is taken for it (RFC 6544 sections 3, 4.5, 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream


class Security(Topic):
    """How the agent uses DTLS."""

    def secures(self, stream: Stream, connection: Connection) -> bool:
        """Whether a handshake may begin on a connection: once it is selected (RFC 6544 sections 7.1 and 10.1)."""
        return connection.selected

    def is_client(self, stream: Stream, connection: Connection) -> bool:
        """Whether we begin the handshake: a=setup says so, not who has connected (RFC 6544 section 4.5)."""
        return stream.dtls_client

    def holds_for_handshake(self) -> bool:
        """Whether data waits for the keys of a handshake: SRTP is used over TCP as well (RFC 6544 section 4.5)."""
        return True

    def begins_anew(self, connection: Connection) -> bool:
        """Whether a restart that goes on with a connection begins another handshake there: no (RFC 6544 9.2)."""
        return False

    def frames_records(self) -> bool:
        """Whether records go in frames (RFC 6544 section 10.1)."""
        return True

    def takes_records(self) -> bool:
        """Whether what looks like DTLS is taken for it (RFC 6544 section 10.2)."""
        return True

    def fails_over_media(self) -> bool:
        """Whether what does not look like DTLS fails the handshake: it is media (RFC 6544 section 10.2)."""
        return False

    def fails_over_strange(self, first: int) -> bool:
        """Whether a frame whose first octet is in no range fails the handshake: it is dropped (RFC 7983 section 7)."""
        return False
