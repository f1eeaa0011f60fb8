"""The lower tester's offers and answers.

Two profiles (adapter contract): plain, RFC 6544's own media sections; and webrtc, for stacks that take nothing but a
section of theirs, mirrored, with mid, a fingerprint and setup. Ours is a data channel's (RFC 8841), which all take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

# RFC 4145 section 4.1: what an answer may say to each offer, our choice first.
ANSWER_SETUP = {"active": "passive", "passive": "active", "actpass": "active", "holdconn": "holdconn"}
_DISCARD = 9
_NO_RTCP = ("RS:0", "RR:0")  # RFC 4571 section 4: this sender sends no RTCP
_SECURED = ("application", "UDP/DTLS/SCTP", ["webrtc-datachannel"])  # RFC 8841 section 4.1, whatever the transport
_SCTP = ["sctp-port:5000", "max-message-size:65536"]


def offer(
    peer: Peer,
    candidates: Sequence[Candidate],
    *,
    media: str = "rtp",
    setup: str = "actpass",
    **change: Any,
) -> SessionDescription:
    """Return an offer with one media section: RTP in RFC 4571 frames, or a byte stream of no named protocol.

    With a UDP candidate the default of RTP is UDP (RFC 6544 section 4.3), and the section one of UDP.
    """
    kind, proto, formats = ("audio", "TCP/RTP/AVP", ["0"]) if media == "rtp" else ("application", "TCP", ["*"])
    over_udp = media == "rtp" and any(not c.is_tcp for c in candidates)
    if over_udp:
        proto = "RTP/AVP"
    if peer.profile == "webrtc":
        kind, proto, formats = _SECURED
    fields: dict[str, Any] = {
        "kind": kind,
        "proto": proto,
        "formats": formats,
        "setup": None if over_udp and peer.profile == "plain" else setup,  # DTLS has roles over UDP, too (RFC 5763)
        "bandwidth": _NO_RTCP if kind == "audio" and all(c.component == 1 for c in candidates) else (),
        "mid": "0",
    }
    return _build(peer, candidates, {**fields, **change})


def answer(peer: Peer, to: SessionDescription, candidates: Sequence[Candidate], **change: Any) -> SessionDescription:
    """Return an answer that mirrors the offer's first media section (RFC 3264 section 6)."""
    media = to.media[0]
    fields: dict[str, Any] = {
        "kind": media.kind,
        "proto": media.proto,
        "formats": media.formats,
        "setup": None if media.setup is None else _answered(peer, media.setup),
        "bandwidth": _NO_RTCP if set(_NO_RTCP) <= set(media.bandwidth) else (),
        "mid": media.mid,
    }
    return _build(peer, candidates, {**fields, **change})


def joined(descriptions: Sequence[SessionDescription]) -> SessionDescription:
    """Return one description with the media sections of all of these, each a stream."""
    return SessionDescription(descriptions[0].lines, [media for each in descriptions for media in each.media])


def _answered(peer: Peer, offered: str) -> str:
    """Return our a=setup to an offer's. In profile webrtc the DTLS roles, once settled, stay (RFC 8842 section 5.5)."""
    if peer.profile == "webrtc" and offered == "actpass" and peer.settled_setup is not None:
        return peer.settled_setup
    chosen = ANSWER_SETUP.get(offered, "passive")
    peer.settled_setup = chosen
    return chosen


def _build(peer: Peer, candidates: Sequence[Candidate], fields: dict[str, Any]) -> SessionDescription:
    over_tcp = fields["proto"].upper().startswith("TCP")
    usable = (c for c in candidates if c.component == 1 and (c.tcptype == "passive" if over_tcp else not c.is_tcp))
    default: dict[str, Any] = {
        "address": peer.address,
        "port": next((c.port for c in usable), _DISCARD),
        "version": next(peer.versions),
        "ufrag": peer.ufrag,
        "pwd": peer.pwd,
        "candidates": candidates,
        "connection": "new" if fields["setup"] is not None else None,
    }
    if peer.profile == "webrtc":
        needed = _webrtc(peer, fields["mid"], fields["kind"])
        for name in ("session_attributes", "attributes"):  # what the script adds comes on top of what must be there
            needed[name] += fields.pop(name, ())
        default = {**default, **needed}
    return SessionDescription.build(**{**default, **fields})


def _webrtc(peer: Peer, mid: str | None, kind: str) -> dict[str, Any]:
    """Return what a stack that insists on DTLS wants to see besides (RFC 8829 section 5): never used but for that.

    No transport address of the media line is ours (RFC 8839 section 4.3.2), and who connects is not said there.
    """
    media = _SCTP if kind == "application" else ["rtcp-mux", "sendrecv", "rtpmap:0 PCMU/8000"]
    return {
        "address": "0.0.0.0" if "." in peer.address else "::",  # noqa: S104
        "port": _DISCARD,
        "connection": None,
        "session_attributes": [] if mid is None else [f"group:BUNDLE {mid}"],
        "attributes": [f"fingerprint:sha-256 {peer.fingerprint}", *media],
    }
