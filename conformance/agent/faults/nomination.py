"""Faults in roles, nomination and selection (RFC 6544 sections 6, 7, 8 and 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.nomination import Nomination
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
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
