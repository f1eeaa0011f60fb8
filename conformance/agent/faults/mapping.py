"""Faults in NAT-assisted candidates: what gateways are asked for, how it is stated (RFC 6544 sections 4.1 to 6.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.candidates import DIRECTION
from conformance.agent.decisions.candidates import Candidates
from conformance.agent.decisions.mapping import Mapping
from conformance.agent.decisions.pairing import Pairing
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Base, Foundations
    from conformance.agent.pairs import Pair
    from conformance.wire.attributes import Address
    from conformance.wire.candidate import Candidate

fault = Faults()


@fault("gateways-not-asked", "RFC6544-4.1-04", "asks no NAT gateway for mappings")
class GatewaysNotAsked(Mapping):
    def gateways(self, gateways: Sequence[Address]) -> Sequence[Address]:
        return ()


@fault("first-component-mapped", "RFC6544-4.1-04", "asks for mappings for the first component only")
class FirstComponentMapped(Mapping):
    def mapped_bases(self, bases: Sequence[Base]) -> list[Base]:
        return [base for base in super().mapped_bases(bases) if base.component == 1]


@fault("no-mapping-no-host", "RFC6544-4.1-02", "has no passive host candidate where it can have no mapping to it")
class NoMappingNoHost(Mapping):
    def does_without_mapping(self) -> bool:
        return False


@fault("mapping-of-another-port", "RFC6544-5.3-s02", "asks for mappings to a port where it does not listen")
class MappingOfAnotherPort(Mapping):
    def mapped_port(self, base: Base) -> int:
        return super().mapped_port(base) ^ 1


@fault("refused-mapping-stated", "RFC6544-5.3-s02", "takes a gateway's refusal for a mapping")
class RefusedMappingStated(Mapping):
    def believes_mapping(self, result: int) -> bool:
        return True


@fault("assisted-type-preference-100", "RFC6544-4.2-01", "gives NAT-assisted candidates type preference 100")
class AssistedTypePreference100(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return super().type_preference("srflx" if kind == "assisted" else kind, base)


@fault(
    "assisted-direction-as-host",
    "RFC6544-4.2-10",
    "gives NAT-assisted candidates the direction-pref of host candidates",
)
class AssistedDirectionAsHost(Candidates):
    def direction_preference(self, kind: str, tcptype: str) -> int:
        return DIRECTION[tcptype] if kind == "assisted" else super().direction_preference(kind, tcptype)


@fault("assisted-as-host", "RFC6544-5.3-s01", "states NAT-assisted candidates as host candidates")
class AssistedAsHost(Candidates):
    def assisted_candidate(
        self, gateway: Address, mapped: Address, base: Base, worth: int, foundations: Foundations
    ) -> Candidate:
        stated = super().assisted_candidate(gateway, mapped, base, worth, foundations)
        return replace(stated, type="host", related_address=None, related_port=None)


@fault("assisted-related-to-itself", "RFC6544-5.3-s01", "states the external address as the related one, too")
class AssistedRelatedToItself(Candidates):
    def assisted_candidate(
        self, gateway: Address, mapped: Address, base: Base, worth: int, foundations: Foundations
    ) -> Candidate:
        stated = super().assisted_candidate(gateway, mapped, base, worth, foundations)
        return replace(stated, related_address=stated.address, related_port=stated.port)


@fault("mapped-address-stated-again", "RFC8445-5.1.3-01", "states an address that gateway and server tell twice")
class MappedAddressStatedAgain(Candidates):
    def states_again(self) -> bool:
        return True


@fault("assisted-pairs-checked", "RFC6544-6.2-s02", "checks pairs of its NAT-assisted candidates as well")
class AssistedPairsChecked(Pairing):
    def between(self, pair: Pair) -> object:
        return super().between(pair), pair.local.assisted
