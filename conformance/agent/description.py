"""The peer's offers and answers (RFC 8839, RFC 6544 section 4.5, RFC 8840)."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from conformance.agent.bundles import bundles, carried
from conformance.agent.config import MAX_COMPONENTS, Media, StreamPlan
from conformance.agent.decisions.description import NO_RTCP
from conformance.agent.events import Rejected
from conformance.wire.errors import SdpError
from conformance.wire.frozen import frozen
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from conformance.agent.bundles import Bundle
    from conformance.agent.decisions.description import Description
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import Media as Section

OPTION = "trickle"  # in a=ice-options (RFC 8838, RFC 8840)
END = "end-of-candidates"


@frozen
class PeerStream:
    """A media section of the peer's that uses ICE. ``plan`` is what it asks of us."""

    section: Section
    ufrag: str
    pwd: str
    candidates: tuple[Candidate, ...]
    plan: StreamPlan
    complete: bool = True  # no candidates come later


@frozen
class PeerDescription:
    """The peer's offer or answer. ``streams`` has None for a section that is disabled or does without ICE.

    ``pacing`` is its Ta in seconds, if it proposes one (RFC 8839 section 5.5). ``bundles``: sections that share the
    stream of their first one; ``streams`` has None for the others.
    """

    streams: tuple[PeerStream | None, ...]
    sections: tuple[Section, ...]
    lite: bool
    trickles: bool = False  # it says that it knows RFC 8838
    pacing: float | None = None
    text: str = field(default="", repr=False)
    bundles: tuple[Bundle, ...] = ()

    @property
    def carried_mids(self) -> set[str | None]:
        """Which sections have no candidates of their own, since another one's carry them (RFC 9143)."""
        return {self.sections[number].mid for number in carried(self.bundles)}

    @property
    def terms(self) -> tuple[frozenset[str], float | None, bool]:
        """What stays as it is until ICE restarts: ice-options, ice-pacing and ice-lite (RFC 8839 4.4.1.1.1)."""
        options = {option for section in self.sections for option in section.ice_options}
        return frozenset(options), self.pacing, self.lite

    @property
    def uses_ice(self) -> bool:
        """Whether some stream uses ICE."""
        return any(self.streams)

    def require_ice(self, *, later: bool) -> None:
        """Raise `Rejected` for an offer of which no stream uses ICE; a later one may remove them all."""
        if not (self.uses_ice or (later and all(section.disabled for section in self.sections))):
            raise Rejected("no media section has ice-ufrag and ice-pwd (RFC 8839 section 4.2.5)")

    def is_disabled(self, number: int) -> bool:
        """Whether a section is of port 0 (RFC 3264 sections 6 and 8.2)."""
        return self.sections[number].disabled


def read(text: str, decisions: Description) -> PeerDescription:
    """Take an offer or answer apart. Raises `Rejected` if it is malformed."""
    try:
        sdp = SessionDescription.parse(decisions.read(text))
    except SdpError as error:
        raise Rejected(str(error)) from error
    groups = bundles(sdp.media) if decisions.config.secured else ()
    without = carried(groups)
    streams = tuple(
        None if number in without else _peer_stream(section, number, decisions)
        for number, section in enumerate(sdp.media)
    )
    trickles = all(OPTION in stream.section.ice_options for stream in streams if stream is not None)
    return PeerDescription(streams, tuple(sdp.media), sdp.ice_lite, trickles, _pacing(sdp), text, groups)


def require_fingerprints(peer: PeerDescription) -> None:
    """Raise `Rejected` if a stream of the peer's comes without the DTLS that we insist on (RFC 5763 section 5)."""
    for stream in peer.streams:
        if stream is not None and not (stream.section.has("fingerprint") or stream.section.session.has("fingerprint")):
            raise Rejected("a media section without a=fingerprint")


def _peer_stream(section: Section, number: int, decisions: Description) -> PeerStream | None:
    if section.port == 0 or section.ufrag is None or section.pwd is None or section.has("ice-mismatch"):
        return None
    usable = tuple(c for c in map(decisions.understands, section.candidates) if c is not None)
    packets = any(word in section.proto.upper() for word in ("RTP", "DTLS"))  # DTLS has datagrams, whatever is in them
    media = Media.RTP if packets else Media.BYTES
    complete = OPTION not in section.ice_options or section.has(END) or section.session.has(END)
    default = 1 if complete or set(NO_RTCP) <= set(section.bandwidth) else MAX_COMPONENTS[media]
    components = max((c.component for c in section.candidates), default=default)
    plan = StreamPlan(media, components if complete else max(components, default), section.mid or str(number))
    return PeerStream(section, section.ufrag, section.pwd, usable, plan, complete)


def _pacing(sdp: SessionDescription) -> float | None:
    value = sdp.attribute("ice-pacing") or ""
    return int(value) / 1000 if value.isascii() and value.isdigit() and len(value) < 6 else None
