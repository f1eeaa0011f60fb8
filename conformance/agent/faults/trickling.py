"""Faults in candidates that come late, and in patience for them (RFC 8838, RFC 8863)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.description import Description
from conformance.agent.decisions.nomination import Nomination
from conformance.agent.decisions.pairing import Pairing
from conformance.agent.decisions.trickling import Trickling
from conformance.agent.faults.model import Faults
from conformance.agent.faults.texts import Text, texts

if TYPE_CHECKING:
    from conformance.agent.candidates import Local
    from conformance.agent.pairs import Pair
    from conformance.wire.candidate import Candidate

fault = Faults()
written = texts(fault, "written")


@fault("restart-trickled-to-any", "RFC8838-3-02", "tells candidates late to a peer without trickle")
class RestartTrickledToAny(Trickling):
    def trickles_to(self, knows: bool) -> bool:
        return self.config.offerer or super().trickles_to(knows)


@fault("answer-trickled-to-any", "RFC8838-5-01", "tells candidates late although the offer does not say trickle")
class AnswerTrickledToAny(Trickling):
    def trickles_to(self, knows: bool) -> bool:
        return not self.config.offerer or super().trickles_to(knows)


@written("trickle-for-one-stream", "RFC8838-3-03", "says trickle in its first media section alone")
def _trickle_for_one_stream(said: Text) -> str:
    found = said.sections
    found[0] = found[0].replace("a=ice-options:ice2 trickle", "a=ice-options:ice2")
    found[1] = found[1] + "a=ice-options:trickle\r\n"
    return "".join(found)


@fault("old-generation-taken", "RFC8838-9-s01", "takes candidates that were told for the session before a restart")
class OldGenerationTaken(Trickling):
    def takes_generation(self, fragment: str, current: str) -> bool:
        return True


@fault("pairs-untold-candidates", "RFC8838-10-01", "pairs active candidates that it never tells")
class PairsUntoldCandidates(Trickling):
    def tells(self, local: Local) -> bool:
        return local.tcptype != "active"


@fault("late-reflexive-beside-its-base", "RFC8838-10-02", "checks a late reflexive candidate beside its base")
class LateReflexiveBesideItsBase(Pairing):
    def between(self, pair: Pair) -> object:
        alone = self.config.offerer and pair.local.candidate.type == "srflx"
        return (super().between(pair), "srflx") if alone else super().between(pair)


@fault("reflexive-beside-its-base", "RFC8838-11-01", "checks a late remote candidate from reflexive ones, too")
class ReflexiveBesideItsBase(Pairing):
    def between(self, pair: Pair) -> object:
        alone = not self.config.offerer and pair.local.candidate.type == "srflx"
        return (super().between(pair), "srflx") if alone else super().between(pair)


@fault("full-list-keeps-failed", "RFC8838-11-03", "drops late candidates when failed pairs fill its check list")
class FullListKeepsFailed(Trickling):
    def makes_room(self, failed: bool) -> bool:
        return not failed and super().makes_room(failed)


@fault("full-list-keeps-worse", "RFC8838-11-04", "drops late candidates when worse pairs fill its check list")
class FullListKeepsWorse(Trickling):
    def makes_room(self, failed: bool) -> bool:
        return failed and super().makes_room(failed)


@fault("second-late-candidate-ignored", "RFC8838-11-s01", "takes the first candidate alone that the peer trickles")
class SecondLateCandidateIgnored(Pairing):
    _first: Candidate | None = None

    def takes_late(self, remote: Candidate) -> bool:
        self._first = self._first or remote
        return remote == self._first and super().takes_late(remote)


@fault("pair-in-flight-pruned", "RFC8838-11-s02", "drops a pair in progress when its candidate is told again")
class PairInFlightPruned(Trickling):
    def keeps_pair_in_flight(self) -> bool:
        return False


@fault("controlled-ends-no-candidates", "RFC8838-13-02", "says no end of candidates as the answerer")
class ControlledEndsNoCandidates(Description):
    def ends_candidates(self) -> bool:
        return self.config.offerer and super().ends_candidates()


@fault("controlling-ends-no-candidates", "RFC8838-13-04", "says no end of candidates as the offerer")
class ControllingEndsNoCandidates(Description):
    def ends_candidates(self) -> bool:
        return not self.config.offerer and super().ends_candidates()


@fault("candidate-behind-the-end", "RFC8838-13-06", "tells a candidate behind its end of candidates")
class CandidateBehindTheEnd(Trickling):
    def tells_after_end(self) -> bool:
        return True


@fault("candidate-after-nomination", "RFC8838-13-10", "tells its candidates once more after the nomination")
class CandidateAfterNomination(Trickling):
    def tells_after_nomination(self) -> bool:
        return True


@fault("end-of-candidates-ignored", "RFC8838-14-02", "takes candidates behind the peer's end of candidates")
class EndOfCandidatesIgnored(Trickling):
    def heeds_end(self) -> bool:
        return False


@fault("components-told-backwards", "RFC8838-17-01", "tells the candidates of the second component first")
class ComponentsToldBackwards(Trickling):
    def told_in_order(self) -> bool:
        return False


# -- patience -----------------------------------------------------------------------------------------------------


@fault("fails-at-once", "RFC8863-4-03", "fails as soon as no pair is left")
class FailsAtOnce(Nomination):
    def patience_for_checks(self, patience: float) -> float:
        return 0.0


@fault("fails-too-soon", "RFC8863-4-02", "fails ten seconds after ICE has begun")
class FailsTooSoon(Nomination):
    def patience_for_checks(self, patience: float) -> float:
        return 10.0


@fault("never-fails", "RFC8863-4-04", "never fails, though no pair is left")
class NeverFails(Nomination):
    def patience_for_checks(self, patience: float) -> float:
        return 3600.0


@fault("end-of-candidates-ends-patience", "RFC8863-5-01", "fails with the end of candidates when no pair is left")
class EndOfCandidatesEndsPatience(Trickling):
    def fails_at_end(self) -> bool:
        return True
