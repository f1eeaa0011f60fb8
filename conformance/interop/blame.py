"""Why two stacks do not work together: the first thing that one of them owed the other and did not do.

The connection that came farthest is followed step by step. Each step is owed by one side, once the other one has done
its part: a connection to a candidate, its acceptance, a check, its answer, a check in return, a nomination, the
selection. A side that owes nothing is never blamed; and if what it should have answered was broken, the other side is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.interop.checking import checked
from conformance.interop.connecting import connected
from conformance.interop.media import silent
from conformance.interop.model import ANSWERER, OFFERER, OTHER, SIDES, Stage
from conformance.interop.pairing import families, has_media, openings, tcptypes
from conformance.interop.reasons import Reason

if TYPE_CHECKING:
    from conformance.interop.evidence import Evidence

# Breaches of these rules leave a receiver without a message that it could use: what it then does not do is no fault.
_UNUSABLE = {
    "opened_connection_is_framed",
    "accepted_connection_is_framed",
    "length_equals_the_message",
    "message_header_is_well_formed",
    "attributes_fill_the_message",
    "check_has_its_attributes",
    "check_has_the_user_name",
    "check_has_integrity",
    "check_has_fingerprint",
    "only_the_controlling_agent_nominates",  # some refuse such a check with 400
    "response_answers_a_request",
    "success_has_integrity",
    "success_has_fingerprint",
    "candidate_has_tcptype",
    "candidate_has_an_address",
    "candidates_stand_in_media_sections",
}


def reason(evidence: Evidence) -> Reason:
    """Return why the two do not work together."""
    found: Reason | None = None
    last = (silent, checked) if evidence.stage >= Stage.SELECTION else (checked, silent)
    for step in (_described, _paired, connected, *last):
        found = step(evidence)
        if found is not None:
            break
    if found is None or found.open_:
        unusable = [breach for breach in evidence.breaches if breach.rule in _UNUSABLE]
        return Reason(unusable[0].text, (unusable[0],)) if unusable else found or Reason(_nothing_owed(), open_=True)
    if not found.breaches:
        return found
    return _precise(evidence, found)


def _nothing_owed() -> str:
    return "the capture shows nothing that one of them owed the other"


def _precise(evidence: Evidence, found: Reason) -> Reason:
    """Return a breach that was seen before in place of an omission that follows from it."""
    (first, *_) = found.breaches
    earlier = [
        breach
        for breach in evidence.breaches
        if breach.rule in _UNUSABLE and (not first.at_ns or breach.at_ns <= first.at_ns)
    ]
    for side in (OTHER[first.side], first.side):  # its own unusable message says more than what it then could not do
        mine = [breach for breach in earlier if breach.side == side]
        if mine and len(found.breaches) == 1:
            return Reason(mine[0].text, (mine[0],))
    return found


# -- descriptions ------------------------------------------------------------------------------------------------------


def _described(evidence: Evidence) -> Reason | None:
    trouble = evidence.facts.trouble
    if trouble is None:
        return None
    name, other = evidence.name(trouble.side), OTHER.get(trouble.side, "")
    if trouble.kind == "unable" and trouble.step in ("open", "describe"):
        return Reason(f"{name} cannot do this: {trouble.text}")
    if trouble.kind == "rejected":
        told = (breach for breach in evidence.breaches if breach.side == other and not breach.at_ns)
        wrong = [breach for breach in told if breach.rule in _UNUSABLE]
        if wrong:
            return Reason(f"{evidence.name(other)}: {wrong[0].text}", (wrong[0],))
        what = "offer" if trouble.side == ANSWERER else "answer"
        text = f"{name} rejects the {what} of {evidence.name(other)}, which nothing makes unusable: {trouble.text}"
        return Reason(text, open_=True)
    return Reason(f"{name}, {trouble.step}: {trouble.text}", open_=True)


def _paired(evidence: Evidence) -> Reason | None:
    """Whether the candidates make pairs at all; a connection with a check on it shows that they do."""
    if len(evidence.described) < len(SIDES):
        return Reason("a description is missing", open_=True)
    if not has_media(evidence.described[ANSWERER]):
        return Reason(f"both lawful: {evidence.name(ANSWERER)} rejects the media that {evidence.name(OFFERER)} offers")
    if openings(evidence.described) or any(talk.checked for talk in evidence.talks):
        return None
    for side in SIDES:
        if not families(evidence.described[side]):
            return Reason(f"both lawful: {evidence.name(side)} offers no TCP candidate that another host can reach")
    offered = {side: ", ".join(tcptypes(evidence.described[side])) for side in SIDES}
    both = [set(families(evidence.described[side])) for side in SIDES]
    if not both[0] & both[1]:
        return Reason("both lawful: no common address family")
    return Reason(
        f"both lawful: no common tcptype ({evidence.name(OFFERER)} offers {offered[OFFERER]}, "
        f"{evidence.name(ANSWERER)} {offered[ANSWERER]})"
    )
