"""Rules that hold for any exchange, held against decoded captures, by requirement id.

Rules are as lenient as the RFC: lawful behaviour never breaks one. If the capture does not hold enough, the rule is
inconclusive, with the reason. `judge` holds all rules against an exchange.
"""

from __future__ import annotations

from conformance.judge import (
    attributes,
    candidates,
    checks,
    connecting,
    framing,
    media,
    nomination,
    responses,
    roles,
    selection,
)
from conformance.judge.judgement import Judgement, judge
from conformance.judge.known import Known, Party
from conformance.judge.model import RULES, Exchange, Observation, Rule, rule_of
from conformance.judge.talk import Talk

__all__ = ["RULES", "Exchange", "Judgement", "Known", "Observation", "Party", "Rule", "Talk", "judge", "rule_of"]

# Importing them makes the rules.
_TOPICS = (attributes, candidates, checks, connecting, framing, media, nomination, responses, roles, selection)
