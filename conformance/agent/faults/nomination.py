"""Faults in roles, nomination and selection (RFC 6544 sections 6, 7, 8 and 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.nomination import Nomination
from conformance.agent.decisions.responses import Responses
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.pairs import Connection, Pair

fault = Faults()


@fault("lite-offerer-controlled", "RFC8445-6.1.1-03", "takes the controlled role as a lite offerer beside a lite agent")
class LiteOffererControlled(Nomination):
    def controls(self, peer_lite: bool) -> bool:
        return not (self.config.lite and peer_lite) and super().controls(peer_lite)


@fault("never-nominates", "RFC6544-8-01", "never nominates")
class NeverNominates(Nomination):
    def may_nominate(self) -> bool:
        return False


@fault("use-candidate-at-once", "RFC6544-8-01", "nominates aggressively: with every check")
class UseCandidateAtOnce(Nomination):
    def use_candidate(self, pair: Pair, controlling: bool) -> bool:
        return controlling or super().use_candidate(pair, controlling)


@fault("nominates-as-controlled", "RFC8445-7.1.2-02", "nominates although it is the controlled agent")
class NominatesAsControlled(Nomination):
    def nominates(self, controlling: bool) -> bool:
        return True

    def use_candidate(self, pair: Pair, controlling: bool) -> bool:
        return pair.nominate


@fault("nominates-before-success", "RFC6544-8-01", "nominates before a check of the pair has succeeded")
class NominatesBeforeSuccess(Nomination):
    def nominates_unproved(self, pair: Pair, controlling: bool) -> bool:
        return controlling and not pair.nominate


@fault("nominates-all", "RFC8445-8.1.1-03", "nominates every connection of a component")
class NominatesAll(Nomination):
    def nominates_too(self, other: Connection, controlling: bool) -> bool:
        return controlling and other.authenticated


@fault("closes-at-first-success", "RFC6544-8-02", "closes all other connections once a check has succeeded")
class ClosesAtFirstSuccess(Nomination):
    def closes_at_success(self, other: Connection) -> bool:
        return True


@fault("nomination-before-own-check", "RFC6544-12-s01", "uses a nominated pair before its own check has succeeded")
class NominationBeforeOwnCheck(Nomination):
    def selects_unchecked(self, checks: bool) -> bool:
        return True


@fault("lite-checks-in-turn", "RFC6544-7-s01", "answers each check with one of its own as a lite agent")
class LiteChecksInTurn(Nomination):
    def selects_unchecked(self, checks: bool) -> bool:
        return False

    def checks_in_return(self, checks: bool) -> bool:
        return True


@fault("lite-peer-controls", "RFC8445-6.1.1-02", "leaves the control to a lite peer that has offered")
class LitePeerControls(Nomination):
    def controls(self, peer_lite: bool) -> bool:
        return super().controls(self.config.lite)


@fault("answerer-controls", "RFC8445-6.1.1-01", "leaves the control to the answerer between full agents")
class AnswererControls(Nomination):
    def controls(self, peer_lite: bool) -> bool:
        full = not (self.config.lite or peer_lite)
        return super().controls(peer_lite) is not full


@fault("role-changed-by-restart", "RFC8445-6.1.1-04", "changes its role when the peer restarts ICE")
class RoleChangedByRestart(Nomination):
    def role_in_restart(self, controlling: bool, *, ours: bool) -> bool:
        return super().role_in_restart(controlling, ours=ours) is ours


@fault("role-changed-by-own-restart", "RFC8445-9-04", "changes its role when it restarts ICE")
class RoleChangedByOwnRestart(Nomination):
    def role_in_restart(self, controlling: bool, *, ours: bool) -> bool:
        return super().role_in_restart(controlling, ours=ours) is not ours


@fault("late-lite-peer-ignored", "RFC8445-6.1.1-05", "keeps its role when the peer becomes a lite agent")
class LateLitePeerIgnored(Nomination):
    def redetermines(self) -> bool:
        return False


@fault("restart-hardens-role", "RFC8445-6.1.1-06", "gives way in no role conflict after a restart")
class RestartHardensRole(Responses, Nomination):
    _restarted = False

    def role_in_restart(self, controlling: bool, *, ours: bool) -> bool:
        self._restarted = True
        return super().role_in_restart(controlling, ours=ours)

    def yields(self) -> bool:
        return not self._restarted and super().yields()


@fault("role-lost-with-selection", "RFC8445-6.1.1-s01", "claims the other role in checks of selected pairs")
class RoleLostWithSelection(Nomination):
    def claims(self, controlling: bool, *, kept: bool) -> bool:
        return super().claims(controlling, kept=kept) is not kept


@fault("role-taken-after-10-s", "RFC8445-6.1.1-s01", "takes control when nobody has nominated for ten seconds")
class RoleTakenAfter10S(Nomination):
    def patience_with_the_peer(self) -> float | None:
        return 10.0


@fault("undecided", "RFC8445-8.1.1-02", "waits for better pairs for ever instead of nominating one")
class Undecided(Nomination):
    def may_nominate(self) -> bool:
        return False


@fault(
    "nomination-counts-at-once", "RFC8445-7.2.5.3.4-s01", "takes a pair for nominated before the nomination is answered"
)
class NominationCountsAtOnce(Nomination):
    def counts_unanswered(self) -> bool:
        return True


@fault(
    "completed-when-valid", "RFC8445-6.1.3-s01", "says that ICE has completed when pairs are valid, nominated or not"
)
class CompletedWhenValid(Nomination):
    def completes_valid(self) -> bool:
        return True


@fault("completed-with-first", "RFC8445-8.1.2-s01", "says that ICE has completed with the first stream that has")
class CompletedWithFirst(Nomination):
    def completes_with(self, lists: Sequence[bool]) -> bool:
        return any(lists)


@fault(
    "nominates-unproved-other", "RFC8445-8.1.1-s01", "nominates another connection than the one whose check succeeded"
)
class NominatesUnprovedOther(Nomination):
    def nominates_too(self, other: Connection, controlling: bool) -> bool:
        return controlling and other.outgoing and not other.authenticated


@fault("later-pairs-nominated-at-once", "RFC8445-10-s01", "nominates all pairs but the first with their first check")
class LaterPairsNominatedAtOnce(Nomination):
    _first: Pair | None = None

    def use_candidate(self, pair: Pair, controlling: bool) -> bool:
        self._first = self._first or pair
        return (controlling and pair is not self._first) or super().use_candidate(pair, controlling)
