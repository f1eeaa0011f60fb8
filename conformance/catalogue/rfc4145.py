"""RFC 4145: TCP streams in SDP: setup and connection."""

from __future__ import annotations

from conformance.catalogue.model import excluded
from conformance.catalogue.model import requirement as r

_ICE = "for a stream that uses ICE, RFC 6544 and RFC 8445 decide who connects to whom and when"
_PLAIN = "In m-sections of DTLS-SRTP a=setup directs DTLS and a=connection is not used: judged of plain profiles."

REQUIREMENTS = (
    r("RFC4145-4.1-01", "SHOULD", "active side opens the connection",
      "The active endpoint connects to the port of the other's media line.", untestable=_ICE),
    r("RFC4145-4.1-02", "MUST NOT", "nobody connects to the active side's port",
      "Nobody connects to the port on the active endpoint's media line.", pics="connects:active",
      note="With ICE: to the port of an active candidate (RFC 6544, 3).",
      repeats="RFC6544-6.2-s01 RFC6544-6.2-01"),
    r("RFC4145-4.1-03", "SHOULD", "port 9 with setup active", "With setup:active the media line has port 9.",
      pics="sdp:full profile:plain offers:active", note=_PLAIN),
    r("RFC4145-4.1-04", "MUST NOT", "no port 0 unless refused",
      "The media line has port 0 only when the stream is refused.", pics="sdp:full", note="Without bundling."),
    r("RFC4145-4.1-05", "SHOULD", "passive side accepts on the media line's port",
      "The passive endpoint accepts connections on the port of its media line.",
      pics="offers:passive sdp:full profile:plain",
      note="With ICE this port is a passive candidate's where the default is passive."),
    r("RFC4145-4.1-s01", "", "setup of the answer fits the offer's",
      "To active the answer is passive or holdconn, to passive active or holdconn, to actpass any but actpass, to "
      "holdconn holdconn.", binds="answerer", pics="sides:answerer sdp:full",
      note="An answer that rejects the stream need not fit."),
    r("RFC4145-5.1-01", "SHOULD", "offer has a=connection", "A TCP media line in an offer comes with a=connection.",
      binds="offerer", pics="sides:offerer sdp:full profile:plain", note=_PLAIN),
    r("RFC4145-5.1-02", "MUST", "existing connection goes on by connection:existing",
      "A later offer that goes on with the connection says existing.", binds="offerer",
      pics="sides:offerer sdp:full profile:plain updates", note=_PLAIN),
    r("RFC4145-5.1-03", "MUST", "new connection by connection:new",
      "An offer that wants a new connection says new; a first offer does, or says nothing.", binds="offerer",
      pics="sides:offerer sdp:full profile:plain", note=_PLAIN),
    r("RFC4145-5.1-04", "SHOULD", "answered new: new connection", "When the answer says new, a new one is made.",
      untestable=_ICE),
    r("RFC4145-5.1-05", "SHOULD", "answered existing: the connection goes on",
      "When the answer says existing, the connection goes on.", pics="updates sdp:full profile:plain", note=_PLAIN),
    r("RFC4145-5.2-01", "MUST", "new is answered by new", "To an offer with new the answer says new, or nothing.",
      binds="answerer", pics="sides:answerer sdp:full profile:plain", note=_PLAIN),
    r("RFC4145-5.2-02", "SHOULD", "result new: connection as setup says",
      "When the result is new, a connection is made as setup says.", untestable=_ICE),
    r("RFC4145-5.2-03", "SHOULD", "result new: old connection is closed",
      "When the result is new, the connection of before is closed.",
      untestable="in a restart RFC 6544 section 9.2 forbids it, and without one ICE makes no new connection"),
    r("RFC4145-5.2-04", "SHOULD", "result existing: the connection goes on",
      "When the result is existing, both go on with the connection.", pics="updates sdp:full profile:plain",
      note=_PLAIN, repeats="RFC4145-5.1-05"),
    r("RFC4145-5.2-s01", "", "first offer with existing is answered by new",
      "An offer with existing where there is no connection is answered by new.", binds="answerer",
      pics="sides:answerer sdp:full profile:plain", note=_PLAIN),
)  # fmt: skip

EXCLUSIONS = (
    excluded("RFC4145-3", "all", "binds the formats of TCP media lines, which are the application's"),
    excluded("RFC4145-6", "all", _ICE),
    excluded("RFC4145-9", "all", "binds the signalling protocol"),
    excluded("RFC4145-10", "all", "binds registrations"),
)
