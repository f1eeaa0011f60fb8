"""The lower tester's offers and answers.

The profiles (adapter contract): plain, RFC 6544's own media sections; and for stacks that take nothing but a section of
WebRTC, mirrored, with mid, a fingerprint and setup: webrtc, where ours is a data channel's (RFC 8841), which all take,
and audio where a data channel cannot be: in a further section (RFC 8841 section 6), and with a second component; whip
and whep, where it is audio that we send (RFC 9725 section 4.2) or receive.

Whatever comes after the first offer keeps what was negotiated (RFC 3264 sections 6 and 8): an answer has a section for
each of the offer's, a later offer those of our last description, in the same order, with the same mid, protocol,
formats and attributes. One section is in use; an answer rejects the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import Media

# RFC 4145 section 4.1: what an answer may say to each offer, our choice first.
ANSWER_SETUP = {"active": "passive", "passive": "active", "actpass": "active", "holdconn": "holdconn"}
_DISCARD = 9
_NO_RTCP = ("RS:0", "RR:0")  # RFC 4571 section 4: this sender sends no RTCP
_SECURED = ("application", "UDP/DTLS/SCTP", ["webrtc-datachannel"])  # RFC 8841 section 4.1, whatever the transport
_AUDIO = ("audio", "UDP/TLS/RTP/SAVPF", ["111"])
_OPUS = "rtpmap:111 opus/48000/2"
_MUX = "rtcp-mux"  # RFC 5761: without, RTCP is a second component
_MUX_ONLY = [_MUX, "rtcp-mux-only"]  # RFC 9725 section 4.4.1
_WAYS = {"webrtc": ["sendrecv"], "whip": ["sendonly", "msid:icetcp audio"], "whep": ["recvonly"]}  # audio we offer
_SCTP = ["sctp-port:5000", "max-message-size:65536"]
_REVERSED = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive", "sendrecv": "sendrecv"}
_TERMS = ("ice-options", "ice-pacing")
_CODECS = ("rtpmap", "fmtp")
_BUNDLE = "group"
_FIRST = "0"  # the mid of our first section
# Of our last section what each description says anew; all else stays.
_ANEW = (
    *("ice-ufrag", "ice-pwd", "ice-options", "ice-mismatch", "candidate", "remote-candidates", "end-of-candidates"),
    *("setup", "connection", "mid", "rtcp"),
)


def offer(
    peer: Peer,
    candidates: Sequence[Candidate],
    *,
    media: str = "rtp",
    setup: str = "actpass",
    **change: Any,
) -> SessionDescription:
    """Return a first offer with one media section: RTP in RFC 4571 frames, or a byte stream of no named protocol.

    With a UDP candidate the default of RTP is UDP (RFC 6544 section 4.3), and the section one of UDP.
    """
    peer.section = 0
    kind, proto, formats = ("audio", "TCP/RTP/AVP", ["0"]) if media == "rtp" else ("application", "TCP", ["*"])
    over_udp = media == "rtp" and any(not c.is_tcp for c in candidates)
    if over_udp:
        proto = "RTP/AVP"
    secured = peer.profile != "plain"
    has_data = peer.profile == "webrtc" and change.get("mid", _FIRST) == _FIRST and not _has_rtcp(candidates)
    section = _SECURED if has_data else _AUDIO
    if secured:
        kind, proto, formats = section
    fields: dict[str, Any] = {
        "kind": kind,
        "proto": proto,
        "formats": formats,
        "setup": None if over_udp and not secured else setup,  # DTLS has roles over UDP, too (RFC 5763)
        "bandwidth": _NO_RTCP if not secured and kind == "audio" and not _has_rtcp(candidates) else (),
        "mid": _FIRST,
        "attributes": [*_security(peer), *_said_of(peer, section, candidates)] if secured else [],
        "session_attributes": [_bundle(_FIRST)] if secured and not _has_rtcp(candidates) else [],
    }
    return _build(peer, candidates, fields, change)


def later_offer(
    peer: Peer, candidates: Sequence[Candidate], *, setup: str = "actpass", **change: Any
) -> SessionDescription:
    """Return an offer with the sections of our last description (RFC 3264 section 8), or a first one.

    Where `mid` names a section, with that alone: the caller joins it with the others.
    """
    before, section = peer.described_sections.get(change.get("mid", "")), 0
    if before is None:
        before, section = peer.described, peer.section
    if before is None:
        return offer(peer, candidates, setup=setup, **change)
    mine = before.media[section]
    pairs = [line.attribute for line in mine.lines if line.attribute is not None]
    kept = [name if value is None else f"{name}:{value}" for name, value in pairs if name not in _ANEW]
    fields: dict[str, Any] = {
        **_line(mine),
        "setup": None if mine.setup is None else setup,
        "bandwidth": mine.bandwidth,
        "attributes": kept,
        "session_attributes": [f"{_BUNDLE}:{value}" for value in before.attributes(_BUNDLE)] + _terms(peer, change),
    }
    return _among(peer, _build(peer, candidates, fields, change), before.media)


def answer(peer: Peer, to: SessionDescription, candidates: Sequence[Candidate], **change: Any) -> SessionDescription:
    """Return an answer with a section for each of the offer's (RFC 3264 section 6)."""
    peer.section = section_in_use(to)
    media = to.media[peer.section]
    before = peer.described_sections.get(media.mid or "")
    may_bundle = not _has_rtcp(candidates) and (before is None or before.has(_BUNDLE))  # RFC 9143 section 9.3
    bundle = [_bundle(media.mid)] if may_bundle and _is_bundled(to, media.mid) else []
    fields: dict[str, Any] = {
        **_line(media),
        "setup": None if media.setup is None else _answered(peer, media.setup),
        "bandwidth": _NO_RTCP if set(_NO_RTCP) <= set(media.bandwidth) else (),
        "attributes": [*_security(peer), *_mirrored(media, before, candidates, secured=peer.profile != "plain")],
        "session_attributes": bundle + _terms(peer, change),
    }
    return _among(peer, _build(peer, candidates, fields, change), to.media)


def _terms(peer: Peer, change: dict[str, Any]) -> list[str]:
    """Return what our last description said of ICE as a whole, which stays (RFC 8839 section 4.4.1.1.1)."""
    said = " ".join(change.get("session_attributes", ()))
    before = peer.described
    terms = [(name, value) for name in _TERMS for value in (before.attributes(name) if before is not None else ())]
    return [f"{name}:{value}" for name, value in terms if name not in said]


def section_in_use(description: SessionDescription) -> int:
    """Return which section of an offer ICE is about: the first that is not disabled."""
    enabled = (n for n, media in enumerate(description.media) if media.port or media.has("bundle-only"))
    return next(enabled, 0)


def joined(descriptions: Sequence[SessionDescription]) -> SessionDescription:
    """Return one description with the media sections of all of these, each a stream."""
    return SessionDescription(descriptions[0].lines, [media for each in descriptions for media in each.media])


def _line(media: Media) -> dict[str, Any]:
    return {"kind": media.kind, "proto": media.proto, "formats": media.formats, "mid": media.mid}


def _security(peer: Peer) -> list[str]:
    """Return what a stack that insists on DTLS wants to see (RFC 8829 section 5): never used but for that."""
    return [f"fingerprint:sha-256 {peer.fingerprint}"] if peer.profile != "plain" else []


def _has_rtcp(candidates: Sequence[Candidate]) -> bool:
    """Whether RTCP has a component of its own."""
    return any(candidate.component > 1 for candidate in candidates)


def _said_of(peer: Peer, section: tuple[str, str, list[str]], candidates: Sequence[Candidate]) -> list[str]:
    """Return the attributes of a section of WebRTC for its media."""
    if section is _SECURED:
        return list(_SCTP)
    mux = _MUX_ONLY if peer.profile != "webrtc" else [] if _has_rtcp(candidates) else [_MUX]
    return [_OPUS, *mux, *_WAYS[peer.profile]]


def _mirrored(
    media: Media, before: SessionDescription | None, candidates: Sequence[Candidate], *, secured: bool
) -> list[str]:
    """Return an answer's attributes for what an offered section says of its media; `before`: our last for it."""
    if media.kind == "application":
        return list(_SCTP) if secured else []
    said = [f"{name}:{value}" for name in _CODECS for value in media.attributes(name)]
    if media.has(_MUX) and not _has_rtcp(candidates) and (before is None or before.media[0].has(_MUX)):
        said.append(_MUX)
    offered = next((name for name in _REVERSED if media.has(name)), "sendrecv" if secured else None)
    return said if offered is None else [*said, _REVERSED[offered]]


def _bundle(mid: str | None) -> str:
    return f"{_BUNDLE}:BUNDLE {mid}"


def _is_bundled(offer: SessionDescription, mid: str | None) -> bool:
    """Whether an offer has a section in a BUNDLE group (RFC 9143 section 7.3): an answer without would refuse that."""
    groups = ((value or "").split() for value in offer.attributes(_BUNDLE))
    return mid is not None and any(words[:1] == ["BUNDLE"] and mid in words[1:] for words in groups)


def _among(peer: Peer, description: SessionDescription, sections: Sequence[Media]) -> SessionDescription:
    """Put the section in use where it belongs among the others, which are disabled."""
    if len(sections) > 1:
        (mine,) = description.media
        ours = "".join(map(str, mine.lines))
        texts = [ours if n == peer.section else _disabled(media) for n, media in enumerate(sections)]
        session = "".join(map(str, description.lines))
        description = SessionDescription.parse(session + "".join(texts))
    peer.described = description
    return description


def _disabled(media: Media) -> str:
    lines = [f"m={media.kind} 0 {media.proto} {' '.join(media.formats)}", "c=IN IP4 0.0.0.0"]
    if media.mid is not None:
        lines.append(f"a=mid:{media.mid}")
    return "".join(f"{line}\r\n" for line in lines)


def _answered(peer: Peer, offered: str) -> str:
    """Return our a=setup to an offer's. Where there is DTLS, its roles, once settled, stay (RFC 8842 section 5.5)."""
    if peer.profile != "plain" and offered == "actpass":
        # Else we are DTLS's server: the IUT then has something to send, its ClientHello, in whatever case.
        return peer.settled_setup or "passive"
    chosen = ANSWER_SETUP.get(offered, "passive")
    peer.settled_setup = chosen
    return chosen


def _build(
    peer: Peer, candidates: Sequence[Candidate], fields: dict[str, Any], change: dict[str, Any]
) -> SessionDescription:
    """Build our section. What the script adds to the attributes comes on top of them; all else it replaces."""
    for name in ("session_attributes", "attributes"):
        fields[name] += change.pop(name, ())
    fields = {**fields, **change}
    over_tcp = fields["proto"].upper().startswith("TCP")
    usable = (c for c in candidates if c.component == 1 and (c.tcptype == "passive" if over_tcp else not c.is_tcp))
    place: dict[str, Any] = {
        "address": peer.address,
        "port": next((c.port for c in usable), _DISCARD),
        "connection": "new" if fields["setup"] is not None else None,
    }
    if peer.profile != "plain":  # no transport address of the media line is ours (RFC 8839 section 4.3.2)
        nowhere = "0.0.0.0" if "." in peer.address else "::"  # noqa: S104
        place = {"address": nowhere, "port": _DISCARD, "connection": None}
    said = {"version": next(peer.versions), "ufrag": peer.ufrag, "pwd": peer.pwd, "candidates": candidates}
    peer.described = SessionDescription.build(**{**place, **said, **fields})
    if fields["mid"] is not None:
        peer.described_sections[fields["mid"]] = peer.described
    return peer.described
