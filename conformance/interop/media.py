"""Who lost the data of an application on a selected pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.interop.model import ANSWERER, OFFERER, OTHER, SIDES
from conformance.interop.reasons import Reason, omission
from conformance.wire.dtls import ContentType, DtlsError, records

if TYPE_CHECKING:
    from conformance.interop.evidence import Evidence

_RECORDS = range(20, 64)  # first octets of DTLS (RFC 7983 section 7)
_FATAL = 2
# Alerts that say that two endpoints do not agree, or do not trust each other (RFC 5246 section 7.2): ICE has no part in
# that. An alert about records that could not be read may well be about what carried them.
_DISAGREEMENTS = {
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    48: "unknown_ca",
    49: "access_denied",
    70: "protocol_version",
    71: "insufficient_security",
}


def silent(evidence: Evidence) -> Reason | None:
    """Whether data does not come through a selected pair, and where it is lost."""
    for side in SIDES:
        if side not in evidence.facts.sent or evidence.facts.received.get(side):
            continue
        if evidence.facts.pics.get(side, {}).get("payload") == "dtls":
            return _of_dtls(evidence, side)
        return _of_packets(evidence, side)
    return None


def _of_packets(evidence: Evidence, side: str) -> Reason:
    payload, other = evidence.payload(side), OTHER[side]
    for talk in evidence.talks:
        for event in talk.connection.events:
            if evidence.side(talk, client=event.from_client) != side or payload not in event.payload:
                continue
            if event.what == "frame" and event.payload == payload:
                text = f"did not give its application what {evidence.name(side)} sent in a frame over {talk}"
                return omission(evidence, other, "RFC6544-10.2-01", text, event.time_ns)
            text = f"sent its application's packet over {talk}, but not as an RFC 4571 frame"
            return omission(evidence, side, "RFC6544-10.1-02", text, event.time_ns)
        for client in (True, False):
            if evidence.side(talk, client=client) == side and payload in talk.connection.rest(client=client):
                text = f"sent its application's packet over {talk} without a frame"
                return omission(evidence, side, "RFC6544-10.1-02", text)
    said = evidence.facts.sent[side]
    return omission(evidence, side, "RFC6544-10.1-01", f"sent nothing of what its application gave it ({said})")


def _of_dtls(evidence: Evidence, side: str) -> Reason:
    """Who should have begun the handshake is told by a=setup of the answer (RFC 8842 section 5)."""
    answered = evidence.described[ANSWERER].media[0].setup if evidence.described[ANSWERER].media else None
    begins = OFFERER if answered == "passive" else ANSWERER
    records = {
        who: any(
            event.payload[:1] and event.payload[0] in _RECORDS
            for talk in evidence.talks
            for event in talk.connection.events
            if evidence.side(talk, client=event.from_client) == who and event.what in ("frame", "unframed")
        )
        for who in SIDES
    }
    if not records[begins]:
        text = "never began the DTLS handshake on the selected pair, though it is the DTLS client"
        return omission(evidence, begins, "RFC6544-10.1-s02", text)
    if not records[OTHER[begins]]:
        text = f"never answered the DTLS handshake of {evidence.name(begins)}"
        return omission(evidence, OTHER[begins], "RFC6544-10.2-s03", text)
    disagreed = disagreement(evidence)
    if disagreed is not None:
        return disagreed
    said = evidence.facts.sent[side]
    return Reason(f"DTLS began both ways; data of {evidence.name(side)} did not come through ({said})", open_=True)


def disagreement(evidence: Evidence) -> Reason | None:
    """Whether one side ended the DTLS handshake with an alert that says that they do not agree: not a matter of ICE."""
    for talk in evidence.talks:
        for event in talk.connection.events:
            alert = _alert(event.payload) if event.what == "frame" else None
            if alert is not None:
                name = evidence.name(evidence.side(talk, client=event.from_client))
                how = f"alert {alert}, {_DISAGREEMENTS[alert]}"
                return Reason(f"both lawful: {name} ends the DTLS handshake ({how}); ICE had come to its end")
    return None


def _alert(payload: bytes) -> int | None:
    """Return the disagreement that a frame's plain, fatal alert tells of."""
    try:
        found = [r.fragment for r in records(payload) if r.content == ContentType.ALERT and r.epoch == 0]
    except DtlsError:
        return None
    return next((a[1] for a in found if len(a) == 2 and a[0] == _FATAL and a[1] in _DISAGREEMENTS), None)
