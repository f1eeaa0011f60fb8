"""Decisions about gathering: on which addresses, in which directions, from which servers (RFC 6544 sections 4.1, 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.config import Media
from conformance.agent.decisions.topic import Topic
from conformance.agent.families import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from conformance.agent.candidates import Base, Local
    from conformance.agent.config import IceServer
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import RawAttribute
    from conformance.wire.stun import Method

ICE_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # RFC 8839 section 5.1


class Gathering(Topic):
    """What is gathered, and which sockets are opened for it."""

    def credentials(self, random: Callable[[int], bytes]) -> tuple[str, str]:
        """Return a new user name fragment and password: at least 24 and 128 bits of randomness (RFC 8445 5.3)."""
        return ice_chars(random(8)), ice_chars(random(32))

    def shares_credentials(self) -> bool:
        """Whether all streams have the same credentials, as RFC 8839 section 5.4 allows: each has its own."""
        return False

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses to gather host candidates on, best first: all, of both families (RFC 8421 section 4)."""
        return interleaved(self.config.addresses)

    def tcptypes(self, needs_active: bool) -> frozenset[str]:
        """Return which TCP candidates to gather: of a lite agent passive ones (RFC 6544 section 4.4).

        `needs_active`: its answer's default has to be an active candidate, which it then gathers as well.
        """
        if not self.config.lite:
            return self.config.tcptypes
        return self.config.tcptypes & ({"passive", "active"} if needs_active else {"passive"})

    def directions(self, media: Media, tcptypes: Collection[str]) -> list[str]:
        """Return the tcptypes of the candidates to gather, "" standing for UDP, which a byte stream cannot use.

        RFC 6544 section 4.1: whether TCP candidates are gathered can be configured.
        """
        udp = self.config.udp and media is Media.RTP
        return [""] * udp + sorted(tcptypes)

    def more_listeners(self) -> int:
        """Return how many more listening sockets each address gets; one is enough (RFC 6544 section 5.1)."""
        return 0

    def shares_ports(self) -> bool:
        """Whether connections are to be opened from listening ports (RFC 6544 sections 5.2 and appendix B)."""
        return "so" in self.config.tcptypes or bool(self.config.servers)

    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        """Whether a base accepts connections: from the moment that its candidates are gathered (RFC 6544 7.2).

        `answered`: the peer's description is there.
        """
        return True

    def listens_when_trickled(self, local: Local) -> bool:
        """Whether the base of a candidate that has just been trickled accepts connections (RFC 6544 section 7.2)."""
        return True

    def servers(self, servers: Sequence[IceServer], lost_one: bool) -> Sequence[IceServer]:
        """Return the servers to ask: all (RFC 6544 section 5), a lite agent none (section 4.4).

        `lost_one`: the connection to a TURN server in use was lost, so all are asked anew (section 11.2).
        """
        return () if self.config.lite else servers

    def gathering_pace(self, seconds: float) -> float:
        """Return how long to wait after a request for candidates before the next: Ta (RFC 8445 section 5.1.1.2)."""
        return seconds

    def logs_in(self) -> bool:
        """Whether we answer a TURN server's challenge with our credentials (RFC 8445 section 5.1.1.2)."""
        return True

    def asks_instead(self) -> bool:
        """Whether a server that lacks the means for an allocation is asked where it sees us (RFC 8445 5.1.1.2)."""
        return True

    def learns_from_allocation(self) -> bool:
        """Whether an allocation also gives a server reflexive candidate (RFC 8445 section 5.1.1.2)."""
        return True

    def asked_of_server(self, method: Method) -> list[RawAttribute]:
        """Return what requests to servers say in addition: nothing (RFC 8445 sections 5.1.1.2 and 7.1)."""
        return []

    def believed_lifetime(self, seconds: int) -> int:
        """Return how long an allocation lasts: as long as the server says (RFC 8445 section 5.1.1.4)."""
        return seconds

    def permits(self, addresses: set[str]) -> set[str]:
        """Return for whom permissions are created: the peer's addresses (RFC 8445 section 7.2.1)."""
        return addresses

    def server_patience(self) -> float | None:
        """Return after how many seconds a server that has answered is left; None: not before ICE has completed.

        RFC 8445 section 5.1.1.4.
        """
        return None

    def keeps_server(self) -> bool:
        """Whether the connection to a server that has given a candidate stays open (RFC 6544 section 4.1)."""
        return True

    def takes_relayed_datagrams(self) -> bool:
        """Whether datagrams that come to relayed UDP addresses are taken (RFC 6544 section 4.1)."""
        return True

    def needs_server(self, server: IceServer) -> bool:
        """Whether the connection to a server that holds no allocation is kept after completion (RFC 6544 11.2)."""
        return False

    def needs_allocation(self, selected: bool) -> bool:
        """Whether an allocation is kept after completion: if its relayed candidate was selected (RFC 6544 11.2)."""
        return selected


def ice_chars(octets: bytes) -> str:
    """Return an ice-char for each octet (RFC 8839 section 5.4)."""
    return "".join(ICE_CHARS[octet & 63] for octet in octets)
