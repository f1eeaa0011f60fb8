"""Who lost the data of an application on a selected pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.interop.model import ANSWERER, OFFERER, OTHER, SIDES
from conformance.interop.reasons import Reason, omission

if TYPE_CHECKING:
    from conformance.interop.evidence import Evidence

_RECORDS = range(20, 64)  # first octets of DTLS (RFC 7983 section 7)


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
    said = evidence.facts.sent[side]
    return Reason(f"DTLS began both ways; data of {evidence.name(side)} did not come through ({said})", open_=True)
