"""Faults in pairs and check lists (RFC 6544 sections 6.2, 7 and 9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.config import Media
from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.description import Description
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.decisions.pairing import List, Pairing
from conformance.agent.faults.model import Faults
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Base, Local
    from conformance.agent.config import StreamPlan
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Stream
    from conformance.wire.candidate import Candidate

fault = Faults()


@fault("lite-forms-check-list", "RFC6544-6.2-s03", "forms a check list as a lite agent, and checks it")
class LiteFormsCheckList(Gathering, Description, Pairing):
    def tcptypes(self, needs_active: bool) -> frozenset[str]:
        return super().tcptypes(needs_active=True)

    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        hidden = self.config.lite and (local.candidate.type, local.tcptype) == ("host", "active")
        return not hidden and super().states(local, mine)

    def makes_checks(self) -> bool:
        return True

    def checks_from(self, mine: list[Local]) -> list[Local]:
        return mine


@fault("lite-checks-over-udp", "RFC6544-4.4-s02", "is a lite agent for TCP but checks UDP pairs like a full one")
class LiteChecksOverUdp(Pairing):
    def checks_from(self, mine: list[Local]) -> list[Local]:
        return [local for local in mine if local.base.is_udp] if self.config.lite else super().checks_from(mine)


@fault("pairs-active-with-active", "RFC6544-6.2-s01", "pairs active with active candidates, and connects for them")
class PairsActiveWithActive(Pairing):
    def meets(self, own: str, theirs: str) -> bool:
        return own == theirs == "active" or super().meets(own, theirs)


@fault(
    "pairs-active-with-so", "RFC6544-6.2-s01", "pairs active with simultaneous-open candidates, and connects for them"
)
class PairsActiveWithSo(Pairing):
    def meets(self, own: str, theirs: str) -> bool:
        return (own, theirs) == ("active", "so") or super().meets(own, theirs)


@fault("pairs-so-with-passive", "RFC6544-6.2-s01", "pairs S-O with passive candidates, and connects for them")
class PairsSoWithPassive(Pairing):
    def meets(self, own: str, theirs: str) -> bool:
        return (own, theirs) == ("so", "passive") or super().meets(own, theirs)


@fault("pairs-so-with-active", "RFC6544-6.2-s01", "pairs S-O with active candidates, and connects for them")
class PairsSoWithActive(Pairing):
    def meets(self, own: str, theirs: str) -> bool:
        return (own, theirs) == ("so", "active") or super().meets(own, theirs)


@fault("so-never-paired", "RFC6544-6.2-s01", "forms no pairs with its S-O candidates")
class SoNeverPaired(Pairing):
    def meets(self, own: str, theirs: str) -> bool:
        return own != "so" and super().meets(own, theirs)


@fault("active-never-paired", "RFC6544-6.2-s01", "forms no pair of an active local and a passive remote candidate")
class ActiveNeverPaired(Pairing):
    def meets(self, own: str, theirs: str) -> bool:
        return own != "active" and super().meets(own, theirs)


@fault("pairs-passive-with-passive", "RFC6544-6.2-s01", "pairs passive with passive candidates, and connects for them")
class PairsPassiveWithPassive(Pairing):
    def meets(self, own: str, theirs: str) -> bool:
        return own == theirs == "passive" or super().meets(own, theirs)

    def opens(self, pair: Pair) -> bool:
        return pair.remote.tcptype != "active" or super().opens(pair)


@fault("checks-from-passive", "RFC6544-6.2-01", "connects for pairs of a passive local and an active remote candidate")
class ChecksFromPassive(Pairing):
    def opens(self, pair: Pair) -> bool:
        return pair.remote.tcptype == "active" or super().opens(pair)


@fault("late-candidate-not-paired", "RFC6544-6.2-s01", "pairs no candidate of its own that it trickles")
class LateCandidateNotPaired(Pairing):
    def pairs_late(self, local: Local) -> bool:
        return False


@fault("trickled-candidate-ignored", "RFC6544-6.2-s01", "pairs none of the candidates that the peer trickles")
class TrickledCandidateIgnored(Pairing):
    def takes_late(self, remote: Candidate) -> bool:
        return False


@fault(
    "trickled-so-opens-second",
    "RFC6544-7.1-s02",
    "opens a connection for a trickled S-O candidate from which the peer has connected already",
)
class TrickledSoOpensSecond(Pairing):
    def opens_recognised(self, pair: Pair) -> bool:
        return True


@fault(
    "peer-reflexive-ignored",
    "RFC8445-7.3.1.3-s01",
    "answers checks from unknown addresses but makes no candidate of them",
)
class PeerReflexiveIgnored(Pairing):
    def learns_remotes(self) -> bool:
        return False


@fault(
    "restart-opens-new-connection",
    "RFC6544-9.2-03",
    "opens another connection for an S-O pair that matches the existing one",
)
class RestartOpensNewConnection(Pairing, Checks):
    def uses_existing(self, pair: Pair) -> bool:
        return False

    def source(self, stream: Stream, base: Base) -> Address:
        return super().source(stream, base) if not base.carries else Address(base.ip, 0)


@fault(
    "restart-ignores-existing-connection",
    "RFC6544-9.2-03",
    "sends no check on the existing connection although an S-O pair matches it",
)
class RestartIgnoresExistingConnection(Pairing):
    def keeps_existing(self, pair: Pair) -> bool:
        return False


@fault("udp-first", "RFC6544-7-s02", "checks all UDP pairs before the TCP ones, whatever their priorities")
class UdpFirst(Pairing):
    def goes_first(self, pair: Pair) -> int:
        return int(pair.local.base.is_udp)


@fault("tcp-first", "RFC6544-7-s02", "checks all TCP pairs before the UDP ones, whatever their priorities")
class TcpFirst(Pairing):
    def goes_first(self, pair: Pair) -> int:
        return int(not pair.local.base.is_udp)


@fault(
    "last-pair-ends-list",
    "RFC6544-7.1-04",
    "gives the check list up with its last pair although candidates may still come",
)
class LastPairEndsList(Pairing):
    def gives_up(self, stream: Stream) -> bool:
        return True


@fault("lost-connection-ends-checks", "RFC8445-7.2.5.2-s01", "gives all pairs up when a connection of one breaks")
class LostConnectionEndsChecks(Pairing):
    def ends_list(self, connection: Connection) -> bool:
        return True


@fault("late-tcp-ignored-during-udp", "RFC6544-6.2-s01", "pairs no TCP candidate that comes late where it has UDP")
class LateTcpIgnoredDuringUdp(Pairing):
    def takes_late(self, remote: Candidate) -> bool:
        return not (remote.is_tcp and self.config.udp) and super().takes_late(remote)


@fault("rtcp-in-spite-of-bandwidth", "RFC4571-4-12", "says that it sends no RTCP, and opens a connection for it")
class RtcpInSpiteOfBandwidth(Pairing):
    def components(self, plan: StreamPlan) -> int:
        return 2 if plan.media is Media.RTP else plan.components


@fault("rtcp-left-out", "RFC4571-4-13", "opens no connection for RTCP, although it does not say that it sends none")
class RtcpLeftOut(Pairing):
    def components(self, plan: StreamPlan) -> int:
        return 1 if plan.media is Media.RTP else plan.components


@fault("components-cross-paired", "RFC8445-6.1.2.2-s01", "pairs candidates of different components")
class ComponentsCrossPaired(Pairing):
    def pairs_components(self, own: int, theirs: int) -> bool:
        return True


@fault(
    "waits-for-missing-component", "RFC8445-6.1.2.2-s02", "waits for pairs of a component that the peer does not have"
)
class WaitsForMissingComponent(Pairing):
    def limits_components(self) -> bool:
        return False


@fault("own-priority-first", "RFC8445-6.1.2.3-s01", "orders pairs by the priorities of its own candidates first")
class OwnPriorityFirst(Pairing):
    def goes_first(self, pair: Pair) -> int:
        return pair.local.candidate.priority


@fault("peers-priority-first", "RFC8445-6.1.2.3-s01", "orders pairs by the priorities of the peer's candidates first")
class PeersPriorityFirst(Pairing):
    def goes_first(self, pair: Pair) -> int:
        return pair.remote.priority


@fault("reflexive-pairs-checked", "RFC8445-6.1.2.4-01", "checks pairs of its server reflexive candidates as well")
class ReflexivePairsChecked(Pairing):
    def between(self, pair: Pair) -> object:
        return super().between(pair), pair.local.candidate.type == "srflx" and not pair.local.assisted


@fault("redundant-pairs-checked", "RFC8445-6.1.2.4-s01", "checks every pair between the same two addresses")
class RedundantPairsChecked(Pairing):
    def between(self, pair: Pair) -> object:
        return super().between(pair), pair.remote.foundation


@fault("pairs-limited-by-list", "RFC8445-6.1.2.5-01", "limits the pairs of each check list, not of all together")
class PairsLimitedByList(Pairing):
    def gives_way(self, lists: Sequence[List], most: int) -> List | None:
        return next((checks for checks in lists if len(checks.pairs) > most), None)


@fault("limit-of-120-pairs", "RFC8445-6.1.2.5-02", "allows 120 pairs")
class LimitOf120Pairs(Pairing):
    def gives_way(self, lists: Sequence[List], most: int) -> List | None:
        return super().gives_way(lists, most + 20)


@fault("last-list-discarded", "RFC8445-6.1.2.5-03", "discards pairs of the last check list first")
class LastListDiscarded(Pairing):
    def gives_way(self, lists: Sequence[List], most: int) -> List | None:
        within = super().gives_way(lists, most) is None
        return None if within else next(checks for checks in reversed(lists) if checks.pairs)


@fault("nothing-frozen", "RFC8445-6.1.2.6-s01", "begins with all pairs waiting, whatever their foundations")
class NothingFrozen(Pairing):
    def waits_for_foundation(self, pair: Pair) -> bool:
        return False


@fault("first-list-first", "RFC8445-6.1.4.2-s02", "works through the first check list before it begins the next")
class FirstListFirst(Pairing):
    def next_list(self, turn: int) -> int:
        return 0


@fault("triggered-checks-last", "RFC8445-6.1.4.2-s03", "makes triggered checks when no others are left")
class TriggeredChecksLast(Pairing):
    def triggered_first(self) -> bool:
        return False


@fault("worst-pair-first", "RFC8445-6.1.4.2-s04", "checks the waiting pair of lowest priority first")
class WorstPairFirst(Pairing):
    def goes_first(self, pair: Pair) -> int:
        return -pair.priority


@fault("frozen-for-good", "RFC8445-6.1.4.2-s05", "leaves pairs frozen when the one of their foundation has failed")
class FrozenForGood(Pairing):
    def thaws(self, pair: Pair) -> bool:
        return False


@fault("success-thaws-nothing", "RFC8445-7.2.5.3.3-01", "leaves the other pairs of a foundation frozen after a success")
class SuccessThawsNothing(Pairing):
    def thaws_with_success(self, pair: Pair) -> bool:
        return False


@fault("one-interface-checked", "RFC8445-7.2.4-s01", "makes all its checks from the first of several addresses")
class OneInterfaceChecked(Pairing):
    def checks_from(self, mine: list[Local]) -> list[Local]:
        return [local for local in super().checks_from(mine) if local.base.rank == 0]


@fault("controlling-never-fails", "RFC8445-8.1.2-05", "goes on for ever as the controlling agent without any pair left")
class ControllingNeverFails(Pairing):
    def fails_hopeless(self, stream: Stream, controlling: bool) -> bool:
        return not controlling and super().fails_hopeless(stream, controlling)


@fault(
    "controlled-never-fails", "RFC8445-7.2.5.4-s01", "goes on for ever as the controlled agent without any pair left"
)
class ControlledNeverFails(Pairing):
    def fails_hopeless(self, stream: Stream, controlling: bool) -> bool:
        return (controlling or stream.checks.components > 1) and super().fails_hopeless(stream, controlling)


@fault("one-component-is-enough", "RFC8445-6.1.2.1-s01", "goes on for ever when one of two components has no pair left")
class OneComponentIsEnough(Pairing):
    def fails_hopeless(self, stream: Stream, controlling: bool) -> bool:
        return stream.checks.components == 1 and super().fails_hopeless(stream, controlling)


@fault("checks-after-nomination", "RFC8445-8.1.2-01", "goes on with other pairs after a nomination")
class ChecksAfterNomination(Pairing):
    def concludes(self) -> bool:
        return False


@fault(
    "cancelled-check-fails", "RFC8445-8.1.2-s02", "takes the end of a connection that was not selected for a failure"
)
class CancelledCheckFails(Pairing):
    def ends_list(self, connection: Connection) -> bool:
        return not connection.selected or super().ends_list(connection)
