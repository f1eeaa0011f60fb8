"""Faults in what is gathered and which sockets are opened for it (RFC 6544 sections 4.1, 4.4, 5 and 7.2)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from conformance.agent.config import Media
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from conformance.agent.candidates import Base, Local
    from conformance.agent.config import IceServer
    from conformance.agent.stream import Stream

fault = Faults()


@fault("one-address-only", "RFC6544-4.1-02", "gathers host candidates on the first of several addresses only")
class OneAddressOnly(Gathering):
    def addresses(self) -> tuple[str, ...]:
        return self.config.addresses[:1]


@fault("one-family-only", "RFC6544-5-02", "gathers no IPv6 candidates where it has an IPv4 address")
class OneFamilyOnly(Gathering):
    def addresses(self) -> tuple[str, ...]:
        return tuple(ip for ip in self.config.addresses if ":" not in ip) or super().addresses()


@fault("tcp-not-switched-off", "RFC6544-4.1-01", "gathers TCP candidates although it is configured for UDP only")
class TcpNotSwitchedOff(Gathering):
    def directions(self, media: Media, tcptypes: Collection[str]) -> list[str]:
        udp_only = self.config.udp and media is Media.RTP and not self.config.tcptypes
        return super().directions(media, ("active", "passive") if udp_only else tcptypes)


@fault(
    "lite-gathers-active",
    "RFC6544-4.4-s01",
    "gathers active candidates as a lite agent although its default is passive",
)
class LiteGathersActive(Gathering):
    def tcptypes(self, needs_active: bool) -> frozenset[str]:
        return super().tcptypes(needs_active=True)


@fault("lite-gathers-so", "RFC6544-4.4-s01", "gathers S-O candidates as a lite agent")
class LiteGathersSo(Gathering):
    def tcptypes(self, needs_active: bool) -> frozenset[str]:
        return super().tcptypes(needs_active) | self.config.tcptypes & {"so"}


@fault("passive-not-listening", "RFC6544-7.2-01", "states passive candidates but listens on none of them")
class PassiveNotListening(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        return False


@fault("trickled-passive-not-listening", "RFC6544-7.2-01", "listens on none of the candidates that it trickles")
class TrickledPassiveNotListening(Gathering):
    def listens_when_trickled(self, local: Local) -> bool:
        return local.tcptype != "passive"


@fault("first-stream-alone-listens", "RFC6544-7.2-01", "listens for the first of several streams only")
class FirstStreamAloneListens(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        return stream.index == 0 and super().listens(stream, base, answered)


@fault("so-not-listening", "RFC6544-7.2-01", "listens on none of its S-O candidates")
class SoNotListening(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        return base.tcptype != "so" and super().listens(stream, base, answered)


@fault("one-address-listens", "RFC6544-7.2-01", "listens on its first address only")
class OneAddressListens(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        return base.ip == self.addresses()[0] and super().listens(stream, base, answered)


@fault(
    "lite-listens-on-default",
    "RFC6544-6.1-02",
    "accepts connections on its default candidate's address only as a lite agent",
)
class LiteListensOnDefault(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        elsewhere = self.config.lite and base.ip != self.addresses()[0]
        return not elsewhere and super().listens(stream, base, answered)


@fault("second-component-deaf", "RFC6544-7.2-01", "listens for the first component only")
class SecondComponentDeaf(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        return base.component != 2 and super().listens(stream, base, answered)


@fault("listens-after-answer", "RFC6544-7.2-01", "accepts no connection before it has the answer")
class ListensAfterAnswer(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        return answered and super().listens(stream, base, answered)


@fault("one-server-only", "RFC6544-5-01", "asks only the first of several servers")
class OneServerOnly(Gathering):
    def servers(self, servers: Sequence[IceServer], lost_one: bool) -> Sequence[IceServer]:
        return super().servers(servers, lost_one)[:1]


@fault(
    "turn-server-abandoned",
    "RFC6544-11.2-04",
    "asks no server again once the connection to a TURN server in use was lost",
)
class TurnServerAbandoned(Gathering):
    def servers(self, servers: Sequence[IceServer], lost_one: bool) -> Sequence[IceServer]:
        return () if lost_one else super().servers(servers, lost_one)


@fault(
    "server-connections-closed-early",
    "RFC6544-4.1-08",
    "closes connections to servers as soon as they have given candidates",
)
class ServerConnectionsClosedEarly(Gathering):
    def keeps_server(self) -> bool:
        return False


@fault("relayed-udp-deaf", "RFC6544-4.1-09", "ignores what comes to its relayed UDP addresses")
class RelayedUdpDeaf(Gathering):
    def takes_relayed_datagrams(self) -> bool:
        return False


@fault("stun-connection-kept", "RFC6544-11.2-01", "keeps connections to STUN servers after completion")
class StunConnectionKept(Gathering):
    def needs_server(self, server: IceServer) -> bool:
        return not server.relays or super().needs_server(server)


@fault(
    "turn-connection-closed",
    "RFC6544-11.2-02",
    "closes the connection to the TURN server although a relayed candidate is selected",
)
class TurnConnectionClosed(Gathering):
    def needs_allocation(self, selected: bool) -> bool:
        return False


@fault("turn-connection-kept", "RFC6544-11.2-03", "keeps connections to TURN servers that it does not use")
class TurnConnectionKept(Gathering):
    def needs_allocation(self, selected: bool) -> bool:
        return True


@fault("credentials-counted", "RFC8445-5.3-06", "counts its credentials up instead of drawing them")
class CredentialsCounted(Gathering):
    _count = 0

    def credentials(self, random: Callable[[int], bytes]) -> tuple[str, str]:
        self._count += 1
        return f"user{self._count:04}", f"passwordpasswordpassword{self._count:04}"


_numbers = itertools.count(1)


@fault("counted-credentials", "RFC8839-5.4-03", "counts its fragments and passwords instead of drawing them")
class CountedCredentials(Gathering):
    def credentials(self, random: Callable[[int], bytes]) -> tuple[str, str]:
        number = next(_numbers)
        return f"agent{number:05d}", f"password{number:020d}"


@fault("families-in-blocks", "RFC8421-4-s01", "prefers all IPv4 addresses to the IPv6 ones")
class FamiliesInBlocks(Gathering):
    def addresses(self) -> tuple[str, ...]:
        return tuple(sorted(super().addresses(), key=lambda ip: ":" in ip))
