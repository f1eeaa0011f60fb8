"""Faults in what is gathered and which sockets are opened for it (RFC 6544 sections 4.1, 4.4, 5 and 7.2)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from conformance.agent.config import Media
from conformance.agent.decisions.description import Description
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.faults.model import Faults
from conformance.wire.attributes import priority, username
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from conformance.agent.candidates import Base, Local
    from conformance.agent.config import IceServer
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import RawAttribute

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


@fault("password-of-88-bits", "RFC8445-5.3-06", "draws its password as 22 hexadecimal digits")
class PasswordOf88Bits(Gathering):
    def credentials(self, random: Callable[[int], bytes]) -> tuple[str, str]:
        ufrag, _ = super().credentials(random)
        return ufrag, random(11).hex()


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


@fault("no-turn-server-asked", "RFC8445-5.1.1.2-04", "asks no TURN server where it has STUN servers")
class NoTurnServerAsked(Gathering):
    def servers(self, servers: Sequence[IceServer], lost_one: bool) -> Sequence[IceServer]:
        asked = super().servers(servers, lost_one)
        return [server for server in asked if not server.relays] or asked


@fault(
    "reflexive-unstated-beside-relayed",
    "RFC8445-5.1.1.2-01",
    "states no reflexive candidates where it has relayed ones",
)
class ReflexiveUnstatedBesideRelayed(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        relayed = any(other.candidate.type == "relay" for other in mine)
        return not (relayed and local.candidate.type == "srflx") and super().states(local, mine)


@fault("allocates-without-credentials", "RFC8445-5.1.1.2-06", "never answers a TURN server's challenge")
class AllocatesWithoutCredentials(Gathering):
    def logs_in(self) -> bool:
        return False


@fault("gathering-unpaced", "RFC8445-5.1.1.2-07", "asks all servers at once")
class GatheringUnpaced(Gathering):
    def gathering_pace(self, seconds: float) -> float:
        return 0.0


@fault(
    "refused-allocation-given-up", "RFC8445-5.1.1.2-08", "asks a server nothing more that lacks the means to allocate"
)
class RefusedAllocationGivenUp(Gathering):
    def asks_instead(self) -> bool:
        return False


@fault("stun-server-told-user", "RFC8445-5.1.1.2-s01", "says USERNAME in Binding requests to servers")
class StunServerToldUser(Gathering):
    def asked_of_server(self, method: Method) -> list[RawAttribute]:
        return [username("nobody")] if method is Method.BINDING else []


@fault("stun-server-told-priority", "RFC8445-7.1-s01", "says PRIORITY in Binding requests to servers")
class StunServerToldPriority(Gathering):
    def asked_of_server(self, method: Method) -> list[RawAttribute]:
        return [priority(1)] if method is Method.BINDING else []


@fault("allocation-gives-relayed-alone", "RFC8445-5.1.1.2-s02", "ignores the mapped address in an allocation")
class AllocationGivesRelayedAlone(Gathering):
    def learns_from_allocation(self) -> bool:
        return False


@fault("servers-left-after-3-seconds", "RFC8445-5.1.1.4-01", "leaves servers three seconds after they have answered")
class ServersLeftAfter3Seconds(Gathering):
    def server_patience(self) -> float | None:
        return 3.0


@fault("allocation-not-refreshed", "RFC8445-5.1.1.4-s01", "takes an allocation to last for ever")
class AllocationNotRefreshed(Gathering):
    def believed_lifetime(self, seconds: int) -> int:
        return 1_000_000


@fault("permits-nobody", "RFC8445-7.2.1-01", "creates no permissions at TURN servers")
class PermitsNobody(Gathering):
    def permits(self, addresses: set[str]) -> set[str]:
        return set()


@fault("permits-others", "RFC8445-7.2.1-02", "creates permissions for other addresses than the peer's")
class PermitsOthers(Gathering):
    def permits(self, addresses: set[str]) -> set[str]:
        return {"192.0.2.1" if "." in address else "2001:db8::1" for address in addresses}
