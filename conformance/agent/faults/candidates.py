"""Faults in what candidates are worth and how they are written (RFC 6544 sections 4.2, 4.5 and 5.1)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.candidates import DIRECTION, MAX_OTHER, Local
from conformance.agent.decisions.candidates import Candidates
from conformance.agent.decisions.description import Description
from conformance.agent.faults.model import Faults
from conformance.wire.candidate import priority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.candidates import Base, Foundations, Relay
    from conformance.wire.attributes import Address
    from conformance.wire.candidate import Candidate

fault = Faults()


@fault("host-type-pref-100", "RFC8445-5.1.2.2-01", "gives host candidates the type preference 100")
class HostTypePref100(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return 100 if kind == "host" and not base.is_udp else super().type_preference(kind, base)


@fault("reflexive-type-pref-95", "RFC8445-5.1.2.2-01", "gives server reflexive candidates the type preference 95")
class ReflexiveTypePref95(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return 95 if kind == "srflx" else super().type_preference(kind, base)


@fault("relayed-above-reflexive", "RFC6544-4.2-04", "gives relayed candidates the type preference 110")
class RelayedAboveReflexive(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return 110 if kind == "relay" and not base.is_udp else super().type_preference(kind, base)


@fault(
    "preferred-transport-not-throughout",
    "RFC6544-4.2-03",
    "ranks relayed UDP candidates above reflexive TCP ones, but below TCP host candidates",
)
class PreferredTransportNotThroughout(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return 110 if kind == "relay" and base.is_udp else super().type_preference(kind, base)


@fault("transports-equal", "RFC6544-4.2-02", "gives UDP and TCP candidates for RTP the same type preference")
class TransportsEqual(Candidates):
    def lowered(self, direction: str, mixed: bool) -> int:
        return 0


@fault("tcp-above-udp", "RFC6544-4.2-05", "prefers TCP candidates to UDP ones for RTP")
class TcpAboveUdp(Candidates):
    def lowered(self, direction: str, mixed: bool) -> int:
        return 1 if mixed and not direction else 0


@fault("component-not-in-priority", "RFC8445-5.1.2-02", "leaves the component out of the priority")
class ComponentNotInPriority(Candidates):
    def priority(self, kind: str, base: Base, local_preference: int) -> int:
        if kind != "host" or base.is_udp:
            return super().priority(kind, base, local_preference)
        return priority(self.type_preference(kind, base), local_preference, 256)


@fault("direction-pref-9", "RFC6544-4.2-07", "lets direction-pref run over its three bits")
class DirectionPref9(Candidates):
    def direction_preference(self, kind: str, tcptype: str) -> int:
        return 9 if (kind, tcptype) == ("host", "active") else super().direction_preference(kind, tcptype)


@fault("active-direction-pref-5", "RFC6544-4.2-09", "gives active host candidates direction-pref 5")
class ActiveDirectionPref5(Candidates):
    def direction_preference(self, kind: str, tcptype: str) -> int:
        return 5 if (kind, tcptype) == ("host", "active") else super().direction_preference(kind, tcptype)


@fault("passive-direction-pref-3", "RFC6544-4.2-09", "gives passive host candidates direction-pref 3")
class PassiveDirectionPref3(Candidates):
    def direction_preference(self, kind: str, tcptype: str) -> int:
        return 3 if (kind, tcptype) == ("host", "passive") else super().direction_preference(kind, tcptype)


@fault("so-direction-pref-3", "RFC6544-4.2-09", "gives S-O host candidates direction-pref 3")
class SoDirectionPref3(Candidates):
    def direction_preference(self, kind: str, tcptype: str) -> int:
        return 3 if (kind, tcptype) == ("host", "so") else super().direction_preference(kind, tcptype)


@fault("relayed-direction-pref-7", "RFC6544-4.2-09", "gives relayed candidates direction-pref 7")
class RelayedDirectionPref7(Candidates):
    def direction_preference(self, kind: str, tcptype: str) -> int:
        return 7 if kind == "relay" else super().direction_preference(kind, tcptype)


@fault(
    "reflexive-direction-as-host",
    "RFC6544-4.2-10",
    "gives server reflexive candidates the direction-pref of host candidates",
)
class ReflexiveDirectionAsHost(Candidates):
    def direction_preference(self, kind: str, tcptype: str) -> int:
        return DIRECTION[tcptype] if kind == "srflx" else super().direction_preference(kind, tcptype)


@fault("other-pref-shared", "RFC6544-4.2-11", "gives candidates on different addresses the same other-pref")
class OtherPrefShared(Candidates):
    def other_preference(self, rank: int) -> int:
        return MAX_OTHER

    def differs(self) -> bool:
        return False


@fault("other-pref-not-8191", "RFC6544-4.2-12", "gives the only address an other-pref of 8000")
class OtherPrefNot8191(Candidates):
    def other_preference(self, rank: int) -> int:
        return super().other_preference(rank) - 191


@fault("direction-below-address", "RFC6544-4.2-06", "puts other-pref above direction-pref in the local preference")
class DirectionBelowAddress(Candidates):
    def local_preference(self, kind: str, direction: int, other: int) -> int:
        return (other << 3) + direction if kind == "host" else super().local_preference(kind, direction, other)


@fault("active-port-allocated", "RFC6544-4.5-01", "states a port other than 9 in active candidates")
class ActivePortAllocated(Candidates):
    def host_port(self, base: Base) -> int:
        return 50000 + base.number if base.tcptype == "active" else super().host_port(base)


@fault("active-address-unused", "RFC6544-4.5-01", "states an address in active candidates that it never connects from")
class ActiveAddressUnused(Candidates):
    def host_address(self, base: Base) -> str:
        unused = "192.0.2.1" if "." in base.ip else "2001:db8::1"
        return unused if base.tcptype == "active" else super().host_address(base)


@fault("active-relayed-address-own", "RFC6544-4.5-02", "states its own address in active relayed candidates")
class ActiveRelayedAddressOwn(Candidates):
    def relayed_candidate(self, relay: Relay, base: Base, worth: int, foundations: Foundations) -> Candidate:
        candidate = super().relayed_candidate(relay, base, worth, foundations)
        return replace(candidate, address=relay.own_ip) if base.tcptype == "active" else candidate


@fault("relayed-udp-as-tcp", "RFC6544-4.1-09", "states a relayed UDP address as a passive TCP candidate")
class RelayedUdpAsTcp(Candidates):
    def relayed_candidate(self, relay: Relay, base: Base, worth: int, foundations: Foundations) -> Candidate:
        candidate = super().relayed_candidate(relay, base, worth, foundations)
        return replace(candidate, transport="TCP", tcptype="passive") if base.is_udp else candidate


@fault(
    "reflexive-port-own",
    "RFC6544-4.1-04",
    "states its own port, not the mapped one, in passive server reflexive candidates",
)
class ReflexivePortOwn(Candidates):
    def reflexive_port(self, base: Base, mapped: Address) -> int:
        return base.port if base.listens else super().reflexive_port(base, mapped)


@fault("transport-udp", "RFC6544-4.5-s01", "writes UDP as the transport of its TCP candidates")
class TransportUdp(Candidates):
    def host_candidate(self, base: Base, foundations: Foundations) -> Candidate:
        return replace(super().host_candidate(base, foundations), transport="UDP")


@fault("tcptype-missing", "RFC6544-4.5-s02", "writes candidates without tcptype")
class TcptypeMissing(Candidates):
    def host_candidate(self, base: Base, foundations: Foundations) -> Candidate:
        return replace(super().host_candidate(base, foundations), tcptype=None)


@fault("so-spelt-out", "RFC6544-4.5-s02", "writes tcptype simultaneous-open instead of so")
class SoSpeltOut(Candidates):
    def host_candidate(self, base: Base, foundations: Foundations) -> Candidate:
        candidate = super().host_candidate(base, foundations)
        return replace(candidate, tcptype="simultaneous-open") if base.tcptype == "so" else candidate


@fault("tcptype-not-in-place", "RFC6544-4.5-s03", "writes another extension attribute before tcptype")
class TcptypeNotInPlace(Description):
    def written(self, text: str) -> str:
        return re.sub(r"(?m)^(a=candidate:.* typ host) (?=tcptype )", r"\1 generation 0 ", super().written(text))

    def trickled(self, candidate: Candidate) -> str:
        return super().trickled(candidate).replace(" typ host tcptype ", " typ host generation 0 tcptype ")


@fault("components-share-port", "RFC6544-5.1-01", "states the first component's ports for the second as well")
class ComponentsSharePort(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        found = super().host_candidates(bases, foundations)
        first = {(local.base.ip, local.tcptype): local.base.port for local in reversed(found)}
        for local in found:
            if local.base.listens:
                local.candidate = replace(local.candidate, port=first[local.base.ip, local.tcptype])
        return found


@fault("so-shares-passive-port", "RFC6544-5.1-01", "states its S-O candidates at the ports of its passive ones")
class SoSharesPassivePort(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        found = super().host_candidates(bases, foundations)
        passive = {(x.base.ip, x.base.component): x.base.port for x in found if x.tcptype == "passive"}
        for local in found:
            port = passive.get((local.base.ip, local.base.component), local.base.port)
            if local.tcptype == "so":
                local.candidate = replace(local.candidate, port=port)
        return found


@fault("second-component-on-one-address", "RFC8445-5.1.1.1-01", "has candidates of component 2 on one address only")
class SecondComponentOnOneAddress(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        found = super().host_candidates(bases, foundations)
        return [local for local in found if local.base.component == 1 or not local.base.rank]


@fault("rtcp-without-candidates", "RFC8445-5.1.1.1-02", "states candidates of the first component only")
class RtcpWithoutCandidates(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        return [local for local in super().host_candidates(bases, foundations) if local.base.component == 1]


def _with_one_at(address: str, found: list[Local]) -> list[Local]:
    """Return these candidates and, where there are IPv6 ones, another one at an address that is not the host's."""
    last = next((local for local in reversed(found) if ":" in local.base.ip), None)
    if last is None:
        return found
    more = replace(last.candidate, address=address, priority=last.candidate.priority - (9 << 8))
    return [*found, Local(more, last.base)]


@fault("site-local-candidate", "RFC8445-5.1.1.1-05", "states a candidate at a site-local address")
class SiteLocalCandidate(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        return _with_one_at("fec0::7", super().host_candidates(bases, foundations))


@fault("compatible-candidate", "RFC8445-5.1.1.1-05", "states a candidate at an IPv4-compatible address")
class CompatibleCandidate(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        return _with_one_at("::192.0.2.7", super().host_candidates(bases, foundations))


@fault("mapped-candidate", "RFC8445-5.1.1.1-06", "states a candidate at an IPv4-mapped address")
class MappedCandidate(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        return _with_one_at("::ffff:192.0.2.7", super().host_candidates(bases, foundations))


@fault("type-pref-by-direction", "RFC8445-5.1.2.1-01", "gives passive host candidates a type preference of their own")
class TypePrefByDirection(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return super().type_preference(kind, base) - ((kind, base.tcptype) == ("host", "passive"))


@fault("type-pref-127", "RFC8445-5.1.2.1-01", "gives host candidates the type preference 127")
class TypePref127(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return 127 if kind == "host" and not base.is_udp else super().type_preference(kind, base)


@fault("types-share-preference", "RFC8445-5.1.2.1-01", "gives reflexive candidates the type preference of hosts")
class TypesSharePreference(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return super().type_preference("host" if kind == "srflx" else kind, base)


@fault("local-preference-shared", "RFC8445-5.1.2.1-05", "gives all host candidates the same local preference")
class LocalPreferenceShared(Candidates):
    def local_preference(self, kind: str, direction: int, other: int) -> int:
        return 65535 if kind == "host" else super().local_preference(kind, direction, other)


@fault("families-with-one-preference", "RFC8421-5-01", "counts the local preferences of each family by itself")
class FamiliesWithOnePreference(Candidates):
    def host_priority(self, base: Base) -> int:
        direction = self.direction_preference("host", base.tcptype or "passive")
        return self.priority("host", base, self.local_preference("host", direction, self.other_preference(0)))


@fault("relays-share-preference", "RFC8445-5.1.2.2-03", "gives relayed candidates of all servers one local preference")
class RelaysSharePreference(Candidates):
    def differs(self) -> bool:
        return False


@fault("redundant-reflexive-stated", "RFC8445-5.1.3-01", "states reflexive candidates that equal its host candidates")
class RedundantReflexiveStated(Candidates):
    def states_redundant(self) -> bool:
        return True
