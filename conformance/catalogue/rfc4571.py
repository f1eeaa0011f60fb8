"""RFC 4571: framing RTP and RTCP packets over connections."""

from __future__ import annotations

from conformance.catalogue.model import requirement as r

_SPEC_WRITERS = "binds the writers of other specifications"
_REPLACED = "for a stream that uses ICE, RFC 6544 and RFC 8445 decide how many connections there are and who opens them"
_APPLICATION = "RTP above the frames is the application's; the adapter contract carries opaque octets"

REQUIREMENTS = (
    r("RFC4571-2-01", "MUST", "LENGTH equals the packet", "LENGTH is the number of octets of the packet behind it.",
      binds="sender"),
    r("RFC4571-2-02", "SHOULD", "receivers watch predictable fields",
      "For want of a frame marker, receivers watch header fields whose values are predictable.", binds="receiver",
      untestable="what a receiver does on finding a wrong field is not said"),
    r("RFC4571-2-s01", "", "LENGTH begins the frame",
      "A frame is a 16-bit unsigned LENGTH in network byte order and then the packet; the stream may be cut anywhere.",
      binds="receiver"),
    r("RFC4571-2-s02", "", "null packets are valid", "LENGTH zero is valid and means a null packet.",
      binds="receiver"),
    r("RFC4571-2-s03", "", "no frame marker", "Nothing but the next LENGTH follows a frame.", binds="sender"),
    r("RFC4571-3-01", "MAY", "other memos specify more", "Specifications that use the framing may specify more.",
      binds="spec writers", untestable=_SPEC_WRITERS),
    r("RFC4571-3-02", "MUST", "several RTP sources per direction",
      "A direction that carries RTP supports several synchronization sources.", binds="receiver", pics="payload:raw",
      note="Judged of what the transport does: RTP packets of two sources on one connection both arrive."),
    r("RFC4571-3-03", "MUST", "several RTCP sources per direction",
      "A direction that carries RTCP supports several synchronization sources.", binds="receiver",
      pics="payload:raw components:2",
      note="Judged of what the transport does: RTCP packets of two sources on one connection both arrive."),
    r("RFC4571-4-01", "MUST", "set up by RFC 4145", "Streams of RTP/AVP over TCP are set up by RFC 4145's methods.",
      pics="sdp:full", untestable=_REPLACED),
    r("RFC4571-4-02", "REQUIRED", "offer/answer", "Offer/answer is used.",
      untestable="the adapter contract knows nothing else"),
    r("RFC4571-4-03", "MUST", "procedures of TCP/RTP/AVP", "The procedures that follow are those of TCP/RTP/AVP.",
      untestable="introduces the sentences that follow, which are requirements of their own"),
    r("RFC4571-4-04", "MUST", "new profiles define a token", "A memo on another profile defines a token for it.",
      binds="spec writers", untestable=_SPEC_WRITERS),
    r("RFC4571-4-05", "MUST", "form of the token", "The token of profile xyz is TCP/RTP/xyz.", binds="spec writers",
      untestable=_SPEC_WRITERS),
    r("RFC4571-4-06", "SHOULD", "new profiles keep the procedures", "Such a memo keeps AVP's procedures.",
      binds="spec writers", untestable=_SPEC_WRITERS),
    r("RFC4571-4-07", "MUST", "formats are payload types",
      "The formats of the media line are unique numbers from 0 to 127.", pics="sdp:full profile:plain"),
    r("RFC4571-4-08", "MAY", "traffic both ways", "A connection may carry traffic both ways.",
      untestable="a permission; ICE's checks need both directions anyway"),
    r("RFC4571-4-09", "MUST", "same kind both ways", "Both directions carry the same kind, RTP or RTCP.",
      untestable=_APPLICATION),
    r("RFC4571-4-10", "MUST", "only the streams of the media line",
      "The packets are those of the streams on the media line.", untestable=_REPLACED),
    r("RFC4571-4-11", "MUST", "no RTCP is announced",
      "A sender that sends no RTCP adds b=RS:0 and b=RR:0.", pics="sdp:full profile:plain",
      note="To the media description, says the sentence; at the session level, where they hold for all streams, they "
           "are accepted too."),
    r("RFC4571-4-12", "MUST NOT", "no RTCP flow if both say so",
      "If offer and answer both have the lines, no RTCP connection is created.", pics="sdp:full profile:plain",
      note="With ICE: there is no connection for component 2."),
    r("RFC4571-4-13", "MUST", "two connections otherwise",
      "Otherwise one connection is established for RTP and one for RTCP.",
      pics="components:2 sdp:full profile:plain",
      note="With ICE: one for each component, unless RTP and RTCP share one (a=rtcp-mux)."),
    r("RFC4571-8-s01", "", "any length is handled", "Packets of any length from null to 65,535 octets are handled.",
      binds="receiver"),
)  # fmt: skip
