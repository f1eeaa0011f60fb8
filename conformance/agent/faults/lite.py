"""Faults in the candidates of a lite agent (RFC 8445 section 5.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.decisions.candidates import Candidates
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.candidates import Base, Foundations, Local
    from conformance.agent.config import IceServer
    from conformance.wire.candidate import Candidate

fault = Faults()


@fault("lite-two-on-an-address", "RFC8445-5.2-01", "states two passive candidates on each address as a lite agent")
class LiteTwoOnAnAddress(Gathering):
    def more_listeners(self) -> int:
        return super().more_listeners() + self.config.lite


@fault("lite-without-rtcp", "RFC8445-5.2-04", "states no candidates for the second component as a lite agent")
class LiteWithoutRtcp(Candidates):
    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        found = super().host_candidates(bases, foundations)
        return [local for local in found if local.candidate.component == 1] if self.config.lite else found


@fault("lite-foundation-by-component", "RFC8445-5.2-05", "gives each component foundations of its own as a lite agent")
class LiteFoundationByComponent(Candidates):
    def host_candidate(self, base: Base, foundations: Foundations) -> Candidate:
        candidate = super().host_candidate(base, foundations)
        own = f"{candidate.foundation}c{candidate.component}"
        return replace(candidate, foundation=own) if self.config.lite else candidate


@fault("lite-one-foundation", "RFC8445-5.2-05", "gives candidates on all addresses one foundation as a lite agent")
class LiteOneFoundation(Candidates):
    def host_candidate(self, base: Base, foundations: Foundations) -> Candidate:
        candidate = super().host_candidate(base, foundations)
        return replace(candidate, foundation="1") if self.config.lite else candidate


@fault("lite-priorities-shared", "RFC8445-5.2-06", "gives different addresses one priority as a lite agent")
class LitePrioritiesShared(Candidates):
    def other_preference(self, rank: int) -> int:
        return super().other_preference(0 if self.config.lite else rank)


@fault("lite-type-pref-110", "RFC8445-5.2-07", "gives its candidates the type preference 110 as a lite agent")
class LiteTypePref110(Candidates):
    def type_preference(self, kind: str, base: Base) -> int:
        return 110 if self.config.lite and not base.is_udp else super().type_preference(kind, base)


@fault("lite-asks-servers", "RFC8445-5.2-s01", "asks servers for candidates as a lite agent")
class LiteAsksServers(Gathering):
    def servers(self, servers: Sequence[IceServer], lost_one: bool) -> Sequence[IceServer]:
        return servers
