"""Who owed a check, its answer, a check in return, the nomination or the selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.interop.media import disagreement
from conformance.interop.model import OFFERER, OTHER, SIDES
from conformance.interop.reasons import ANSWERED_WITHIN, SECOND, Reason, end_after, nominations, omission
from conformance.judge.talk import key_of
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.interop.evidence import Evidence
    from conformance.judge.talk import Stun, Talk

_DECIDES = 40.0  # seconds that a controlling agent may take (the PAC timer of RFC 8863 section 4 and all transactions)
_ROLE_CONFLICT = 487
_PAC = 39.5  # seconds (RFC 8863 section 4)
_DESCRIBING = 2.0  # seconds that a side may have been told of the other's candidates before both were
_GIVES_UP = 15.0  # seconds after which an agent that ends a session may have lost patience


def checked(evidence: Evidence) -> Reason | None:
    """Return who owed the next step on the connection that came farthest; None if each step was done."""
    talks = sorted((talk for talk in evidence.talks if talk.checked), key=lambda talk: _progress(evidence, talk))
    talk = talks[-1]
    for step in (_unanswered, _refused, _one_way, _unnominated, _unselected):
        found = step(evidence, talk)
        if found is not None:
            return found
    return None


def _progress(evidence: Evidence, talk: Talk) -> tuple[int, int, int, int]:
    """Return how far a connection came; of equals the one that lived longest."""
    found = [talk.successes(evidence.known, client=client) for client in (True, False)]
    nominated = sum(request.message.use_candidate for answered in found for request, _ in answered)
    lasted = talk.connection.last_ns - talk.connection.first_ns
    return min(nominated, 1), sum(map(bool, found)), len(talk.stun) > 0, lasted


def _good_checks(evidence: Evidence, talk: Talk, *, client: bool) -> Iterator[Stun]:
    """Yield one side's checks that are right in all that lets a receiver refuse them."""
    for stun in talk.sent(client=client):
        if stun.event.what != "frame" or not stun.is_check or not stun.valid:
            continue
        if stun.message.fingerprint is not Check.VALID:
            continue
        if stun.integrity(key_of(stun, evidence.known)) is Check.VALID:
            yield stun


def _unanswered(evidence: Evidence, talk: Talk) -> Reason | None:
    """Whether a check was never answered although its sender kept the connection open for that long."""
    for client in (True, False):
        answered = {s.message.transaction_id for s in talk.sent(client=not client) if s.is_response}
        side = evidence.side(talk, client=not client)
        for check in _good_checks(evidence, talk, client=client):
            if check.message.transaction_id in answered:
                continue
            ended = end_after(talk, check.event.time_ns)
            until = ended[0] if ended else evidence.until_ns
            waited = (until - check.event.time_ns) / SECOND
            what = "nomination" if check.message.use_candidate else "check"
            whose = f"the {what} of {evidence.name(OTHER[side])}"
            if ended and ended[1] is not client and waited < ANSWERED_WITHIN:
                text = f"closed the connection {waited * 1000:.0f} ms after {whose}, and did not answer it"
                return omission(evidence, side, _closing(talk, client=not client), text, ended[0])
            if waited >= ANSWERED_WITHIN:
                text = f"never answered {whose}, for {waited:.0f} s"
                return omission(evidence, side, "RFC8445-11-13", text, check.event.time_ns + SECOND)
    return None


def _closing(talk: Talk, *, client: bool) -> str:
    """Return what forbids a side to end a connection under way: it accepted it, or it is not yet unselected."""
    return "RFC6544-8-02" if talk.connection.opened_by(client=client) else "RFC6544-7.2-02"


def _refused(evidence: Evidence, talk: Talk) -> Reason | None:
    """Whether a check that is right in all was refused, and none like it succeeded later."""
    for client in (True, False):
        succeeded = [response.index for _, response in talk.successes(evidence.known, client=client)]
        side = evidence.side(talk, client=not client)
        for check in _good_checks(evidence, talk, client=client):
            for answer in talk.sent(client=not client):
                if (
                    answer.is_success
                    or not answer.is_response
                    or answer.message.transaction_id != check.message.transaction_id
                ):
                    continue
                code = _code(answer)
                if any(index > answer.index for index in succeeded) or code == _ROLE_CONFLICT:
                    continue
                text = f"refused with {code} a check of {evidence.name(OTHER[side])} whose credentials are right"
                return omission(evidence, side, "RFC6544-7.2-s01", text, answer.event.time_ns)
    return None


def _code(stun: Stun) -> int:
    try:
        error = stun.message.error_code
    except StunError:
        return 0
    return 0 if error is None else error.code


def _one_way(evidence: Evidence, talk: Talk) -> Reason | None:
    """Whether one side's check succeeded and the other side never checked in return."""
    for client in (True, False):
        succeeded = talk.successes(evidence.known, client=client)
        other = evidence.side(talk, client=not client)
        if not succeeded or evidence.is_lite(other) or any(s.is_check for s in talk.sent(client=not client)):
            continue
        since = succeeded[0][1].event.time_ns
        ended = end_after(talk, since)
        waited = ((ended[0] if ended else evidence.until_ns) - since) / SECOND
        if ended and ended[1] is not client:
            text = f"closed the connection {waited:.1f} s after it had answered a check, without one of its own"
            return omission(evidence, other, _closing(talk, client=not client), text, ended[0])
        if waited >= ANSWERED_WITHIN:
            text = f"answered the check of {evidence.name(OTHER[other])} and sent none in return, for {waited:.0f} s"
            return omission(evidence, other, "RFC8445-7.3.1.4-s02", text, since)
    return None


def controlling(evidence: Evidence) -> str:
    """Return which side says last that it controls; the offerer if none does."""
    said = OFFERER
    for _, stun, side in sorted(evidence.checks(), key=lambda found: found[1].event.time_ns):
        if stun.message.has(Attribute.ICE_CONTROLLING):
            said = side
        elif stun.message.has(Attribute.ICE_CONTROLLED) and said == side:
            said = OTHER[side]
    return said


def _unnominated(evidence: Evidence, talk: Talk) -> Reason | None:
    """Whether the controlling agent had a valid pair and never nominated one."""
    if any(nominations(evidence, one) for one in evidence.talks):
        return None
    if any(stun.message.use_candidate for _, stun, _ in evidence.checks()):
        return None  # sent, and not answered with success: of that another step tells
    side = controlling(evidence)
    own = [
        response.event.time_ns
        for one in evidence.talks
        for client in (True, False)
        if evidence.side(one, client=client) == side
        for _, response in one.successes(evidence.known, client=client)
    ]
    if not own:
        return Reason(f"no check of {evidence.name(side)}, which controls, has succeeded", open_=True)
    decides = float(evidence.facts.pics.get(side, {}).get("decides", _DECIDES))
    ended = end_after(talk, min(own))
    waited = ((ended[0] if ended else evidence.until_ns) - min(own)) / SECOND
    gave_up = evidence.facts.said(side, "failed", "closed")
    other = OTHER[side]
    if ended and evidence.side(talk, client=ended[1]) == other and waited >= _GIVES_UP:
        return _impatient(evidence, side, waited, decides)
    if ended and evidence.side(talk, client=ended[1]) == other:
        text = (
            f"closed the connection {waited:.1f} s after {evidence.name(side)} had a valid pair, before any nomination"
        )
        return omission(evidence, other, _closing(talk, client=ended[1]), text, ended[0])
    lived = (evidence.facts.described_ns / SECOND + evidence.facts.waited) - min(own) / SECOND
    lasted = f"had a valid pair for {max(waited, lived):.0f} s"
    if gave_up is not None or ended or max(waited, lived) >= decides:
        return omission(evidence, side, "RFC8445-8.1.1-02", f"controls, {lasted} and never nominated one", min(own))
    return Reason(f"{evidence.name(side)} {lasted}; it may take {decides:.0f} s to nominate", open_=True)


def _impatient(evidence: Evidence, side: str, waited: float, decides: float) -> Reason:
    """Return what is said of a controlling agent that has not nominated yet, when the other one gives up.

    It may wait for checks that are under way, not for one that it never sends; and no agent fails before its PAC timer
    is over (RFC 8863 section 4).
    """
    other = OTHER[side]
    found = [_mute(evidence, side), _early_failure(evidence, other)]
    breaches = tuple(breach for one in found if one is not None for breach in one.breaches)
    lasted = f"had a valid pair for {waited:.0f} s and did not nominate; it may take {decides:.0f} s"
    told = f"{evidence.name(side)} {lasted}; {evidence.name(other)} gave up then"
    return Reason(told, breaches, open_=not breaches)


def _mute(evidence: Evidence, side: str) -> Reason | None:
    """Whether a side opened a connection to a candidate of the other one and sent no check on it."""
    known = next((party for party in evidence.known.parties if party.name == OTHER[side]), None)
    for connection in evidence.connections:
        events = connection.events
        if evidence.side_at(connection.client.ip) != side or known is None or not known.at(connection.server):
            continue
        if not any(event.what == "syn-ack" for event in events) or any(e.from_client and e.payload for e in events):
            continue
        ended = next((event.time_ns for event in events if event.what in ("fin", "rst")), evidence.until_ns)
        quiet = (ended - connection.first_ns) / SECOND
        if quiet >= ANSWERED_WITHIN:
            text = f"opened a connection to {connection.server} and sent no check on it, for {quiet:.0f} s"
            return omission(evidence, side, "RFC6544-7.1-s01", text, connection.first_ns)
    return None


def _early_failure(evidence: Evidence, side: str) -> Reason | None:
    """Whether a side that says ice2 reported failure while the PAC timer was running; agents of RFC 5245 have none."""
    failed = evidence.facts.said(side, "failed")
    described = evidence.described.get(side)
    if failed is None or described is None or all("ice2" not in media.ice_options for media in described.media):
        return None
    after = (failed - evidence.facts.described_ns) / SECOND
    if after >= _PAC - _DESCRIBING:
        return None
    text = f"said after {after:.0f} s that ICE has failed; the PAC timer runs for {_PAC:g} s"
    return omission(evidence, side, "RFC8863-4-03", text, failed)


def _unselected(evidence: Evidence, talk: Talk) -> Reason | None:
    """Whether a pair was nominated, valid both ways, and not selected by one of them."""
    nominated = nominations(evidence, talk)
    if not nominated:
        return None
    request, response = nominated[0]
    nominator = evidence.side(talk, client=request.from_client)
    since = response.event.time_ns
    ended = end_after(talk, since)
    for side in (nominator, OTHER[nominator]):
        if not evidence.facts.reports(side, "state") or evidence.facts.said(side, "connected", "completed") is not None:
            continue
        if ended is not None and evidence.side(talk, client=ended[1]) != side:
            continue
        waited = (evidence.until_ns - since) / SECOND
        if ended is None and waited < ANSWERED_WITHIN:
            return Reason(f"the session ended {waited:.1f} s after the nomination", open_=True)
        again = len(nominated)
        repeated = f", was answered with success {again} times" if again > 1 else ""
        whose = "its own nomination" if side == nominator else f"the nomination of {evidence.name(nominator)}"
        said = ", ".join(state for _, state in evidence.facts.states.get(side, [])) or "nothing"
        text = f"never selected the pair after {whose}{repeated}; its states: {said}"
        return omission(evidence, side, "RFC8445-8.1.1-s02", text, since)
    if ended is not None and any(evidence.facts.said(side, "connected", "completed") is None for side in SIDES):
        side = evidence.side(talk, client=ended[1])
        if evidence.facts.pics.get(side, {}).get("payload") == "dtls":
            undecided = f"{evidence.name(side)} closed the connection when DTLS was to begin on it"
            return disagreement(evidence) or Reason(undecided, open_=True)
        text = f"closed the connection {(ended[0] - since) / SECOND:.1f} s after it was nominated"
        return omission(evidence, side, "RFC6544-11.1-01", text, ended[0])
    return None
