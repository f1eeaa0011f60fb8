"""Faults in descriptions (RFC 6544 sections 4.1, 4.3 to 4.5, 6 and 9.1, RFC 4571 section 4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.candidates import DISCARD
from conformance.agent.config import Media
from conformance.agent.decisions.description import NO_RTCP, Description
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conformance.agent.candidates import Local
    from conformance.agent.config import StreamPlan
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import Media as Section

fault = Faults()


@fault("no-active-candidate", "RFC6544-4.1-03", "states no active host candidate, although it connects")
class NoActiveCandidate(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        hidden = not self.config.lite and (local.candidate.type, local.tcptype) == ("host", "active")
        return not hidden and super().states(local, mine)


@fault("no-passive-candidate", "RFC6544-5.1-01", "states no passive host candidate, although it listens")
class NoPassiveCandidate(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        hidden = (local.candidate.type, local.tcptype) == ("host", "passive")
        return not hidden and super().states(local, mine)


@fault("no-so-candidate", "RFC6544-5.1-01", "states no S-O host candidate, although it acts as one")
class NoSoCandidate(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        hidden = (local.candidate.type, local.tcptype) == ("host", "so")
        return not hidden and super().states(local, mine)


@fault("no-reflexive-candidate", "RFC6544-4.1-04", "states no server reflexive candidate")
class NoReflexiveCandidate(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        return local.candidate.type != "srflx" and super().states(local, mine)


@fault("no-passive-relayed-candidate", "RFC6544-4.1-05", "states no passive relayed candidate")
class NoPassiveRelayedCandidate(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        hidden = (local.candidate.type, local.tcptype) == ("relay", "passive")
        return not hidden and super().states(local, mine)


@fault("no-active-relayed-candidate", "RFC6544-4.1-06", "states no active relayed candidate")
class NoActiveRelayedCandidate(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        hidden = (local.candidate.type, local.tcptype) == ("relay", "active")
        return not hidden and super().states(local, mine)


@fault("relay-instead-of-host", "RFC6544-4.1-07", "states no host candidates once it has relayed ones")
class RelayInsteadOfHost(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        hidden = local.candidate.type == "host" and any(other.base.relay for other in mine)
        return not hidden and super().states(local, mine)


@fault("active-on-one-address", "RFC6544-4.1-03", "states active candidates on the first of several addresses only")
class ActiveOnOneAddress(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        elsewhere = local.candidate.type == "host" and local.base.ip != mine[0].base.ip
        return not (elsewhere and local.tcptype == "active") and super().states(local, mine)


@fault("listens-on-one-address", "RFC6544-5.1-01", "states passive and S-O candidates on its first address only")
class ListensOnOneAddress(Description):
    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        elsewhere = local.candidate.type == "host" and local.base.ip != mine[0].base.ip
        return not (elsewhere and local.base.listens) and super().states(local, mine)


@fault("default-so", "RFC6544-4.3-02", "offers an S-O default")
class DefaultSo(Description):
    def default_direction(self, over_udp: bool) -> str:
        return "so"


@fault("offer-default-passive", "RFC6544-4.3-03", "offers a passive default although it has an active candidate")
class OfferDefaultPassive(Description):
    def default_direction(self, over_udp: bool) -> str:
        return super().default_direction(over_udp) and "passive"


@fault("lite-default-active", "RFC6544-4.3-04", "offers an active default as a lite agent")
class LiteDefaultActive(Gathering, Description):
    def tcptypes(self, needs_active: bool) -> frozenset[str]:
        return super().tcptypes(needs_active=True)

    def default_direction(self, over_udp: bool) -> str:
        return super().default_direction(over_udp) and "active"


@fault("tcp-default-for-rtp", "RFC6544-4.3-01", "offers a TCP default for RTP although it has UDP candidates")
class TcpDefaultForRtp(Description):
    def default_over_udp(self, transports: Collection[bool]) -> bool:
        return False not in transports and super().default_over_udp(transports)


@fault("rtp-format-named", "RFC4571-4-07", "writes an encoding's name as the format of an RTP media line")
class RtpFormatNamed(Description):
    def formats(self, plan: StreamPlan, formats: tuple[str, ...]) -> tuple[str, ...]:
        return ("PCMU",) if plan.media is Media.RTP else super().formats(plan, formats)


@fault("rtcp-not-disclaimed", "RFC4571-4-11", "leaves b=RS:0 and b=RR:0 out although it sends no RTCP")
class RtcpNotDisclaimed(Description):
    def written(self, text: str) -> str:
        return super().written(text).replace("".join(f"b={bandwidth}\r\n" for bandwidth in NO_RTCP), "")


@fault("answer-setup-active", "RFC4145-4.1-s01", "answers every offer with setup:active")
class AnswerSetupActive(Description):
    def answer_setup(self, offered: str, able: Collection[str]) -> str:
        return "active"


@fault("answer-setup-actpass", "RFC4145-4.1-s01", "answers every offer with setup:actpass")
class AnswerSetupActpass(Description):
    def answer_setup(self, offered: str, able: Collection[str]) -> str:
        return "actpass"


@fault("setup-missing", "RFC6544-4.5-03", "leaves a=setup out")
class SetupMissing(Description):
    def states_setup(self) -> bool:
        return False


@fault("connection-missing", "RFC6544-4.5-03", "leaves a=connection out")
class ConnectionMissing(Description):
    def written(self, text: str) -> str:
        return re.sub(r"(?m)^a=connection:\w+\r\n", "", super().written(text))


@fault(
    "updated-offer-wants-new-connection",
    "RFC4145-5.1-02",
    "says a=connection:new in an updated offer, although the selected pair has its connection",
)
class UpdatedOfferWantsNewConnection(Description):
    def connection(self, settled: bool, offered: str | None) -> str:
        return "new"


@fault("mismatch-with-candidates", "RFC8839-4.2.5-03", "answers a=ice-mismatch beside candidates, and goes on with ICE")
class MismatchWithCandidates(Description):
    def answers_mismatch(self, section: Section) -> bool:
        told = [(c.address, c.port) for c in section.candidates]
        return section.port != DISCARD and (section.connection_address, section.port) not in told


@fault("lite-undeclared", "RFC8839-4.2.1.4-01", "leaves a=ice-lite out as a lite agent")
class LiteUndeclared(Description):
    def declares_lite(self) -> bool:
        return False


@fault("tcptype-case-matters", "RFC6544-4.5-s02", "ignores candidates whose tcptype is not in small letters")
class TcptypeCaseMatters(Description):
    def understands(self, candidate: Candidate) -> Candidate | None:
        spelt = candidate.tcptype or ""
        return super().understands(candidate) if spelt == spelt.lower() else None


@fault("extended-candidate-ignored", "RFC8839-5.1-10", "ignores candidates that have extension attributes")
class ExtendedCandidateIgnored(Description):
    def understands(self, candidate: Candidate) -> Candidate | None:
        return None if candidate.extensions else super().understands(candidate)


@fault(
    "lower-case-transport-ignored", "RFC6544-4.5-s01", "ignores candidates whose transport is not written in capitals"
)
class LowerCaseTransportIgnored(Description):
    def understands(self, candidate: Candidate) -> Candidate | None:
        return super().understands(candidate) if candidate.transport == "TCP" else None


@fault("unknown-direction-met", "RFC6544-6.2-s01", "takes candidates that state no known tcptype for passive ones")
class UnknownDirectionMet(Description):
    def understands(self, candidate: Candidate) -> Candidate | None:
        known = (candidate.tcptype or "").lower() in ("active", "passive", "so") or not candidate.is_tcp
        return super().understands(candidate if known else replace(candidate, tcptype="passive"))
