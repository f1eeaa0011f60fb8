"""RFC 3264: offer and answer, as far as media sections go."""

from __future__ import annotations

from conformance.catalogue.model import excluded
from conformance.catalogue.model import requirement as r

_CODECS = "concerns formats, direction and presentation of media, which are the application's"
_PERMISSION = "a permission; both using it and not are lawful"
_ELSEWHERE = "concerns times, capabilities, multicast or the protocol that carries the descriptions"

REQUIREMENTS = (
    r("RFC3264-5.1-05", "MUST NOT", "stream offered with port 0 is not used",
      "A stream that is offered with port 0 is not used.", pics="sides:answerer",
      note="Without bundling, where port 0 may mean something else (RFC 8843)."),
    r("RFC3264-5.1-21", "MUST", "offerer is ready to receive",
      "From its offer on the offerer is ready for media of streams that are sent both ways.", binds="offerer",
      pics="sides:offerer", note="With ICE from the valid pair on (RFC 8445, 12)."),
    r("RFC3264-6-01", "MUST", "origin of the answer is its own", "An answer that differs from the offer has an o= line "
      "of its own.", binds="answerer", pics="sides:answerer sdp:full"),
    r("RFC3264-6-02", "MUST", "media line for each of the offer's",
      "For each m= line of the offer the answer has one, in the same order.", binds="answerer",
      pics="sides:answerer sdp:full"),
    r("RFC3264-6-03", "MUST", "as many media lines", "The answer has exactly as many m= lines as the offer.",
      binds="answerer", pics="sides:answerer sdp:full"),
    r("RFC3264-6-07", "MUST NOT", "nothing is sent for a rejected stream",
      "For a stream that the answer rejects neither side sends anything.",
      note="Judged of checks, keepalives and media, on the side that rejects and on the side that was rejected."),
    r("RFC3264-6-08", "MUST", "stream is rejected by port 0", "A stream is rejected by port 0 in the answer.",
      binds="answerer", pics="sides:answerer sdp:full",
      untestable="which streams the agent rejects is for it to choose, and only port 0 tells that it has"),
    r("RFC3264-6.1-02", "MUST", "media type of the answer", "The media type of each section is that of the offer's.",
      binds="answerer", pics="sides:answerer sdp:full"),
    r("RFC3264-8-04", "MUST+MUST", "origin of a later offer",
      "A later offer has the o= line of the one before, with its version raised by one.", binds="offerer",
      pics="updates sides:offerer sdp:full"),
    r("RFC3264-8-05", "MUST", "same version, same description",
      "A description whose version is not raised is identical to the one before.", pics="updates sdp:full"),
    r("RFC3264-8-06", "MUST", "unchanged offer is taken", "An offer whose version has not changed is taken.",
      binds="answerer", pics="updates sides:answerer"),
    r("RFC3264-8-07", "MUST+MAY+MAY", "unchanged offer is answered", "Such an offer gets a valid answer.",
      binds="answerer", pics="updates sides:answerer"),
    r("RFC3264-8-08", "MUST", "later offer has a section for each of before",
      "A later offer has a media section for each one of the description before.", binds="offerer",
      pics="updates sides:offerer sdp:full"),
    r("RFC3264-8-10", "MUST NOT", "deleted sections stay",
      "A section of a deleted stream stays in later descriptions, with port 0.", pics="updates sdp:full streams:2"),
    r("RFC3264-8.1-01", "MUST", "new sections below", "New media sections stand below the others.", binds="offerer",
      pics="updates streams:2 sides:offerer sdp:full",
      untestable="the adapter contract does not ask the stack to add a stream"),
    r("RFC3264-8.2-02", "MUST", "port 0 is answered by port 0",
      "A stream that is offered with port 0 has port 0 in the answer.", binds="answerer",
      pics="sides:answerer sdp:full", note="Without bundling (RFC 8843)."),
)  # fmt: skip

EXCLUSIONS = (
    excluded("RFC3264-4", "all", _ELSEWHERE),
    excluded("RFC3264-5", "1-8", _ELSEWHERE),
    excluded("RFC3264-5.1", "1-4 6-20", _CODECS),
    excluded("RFC3264-6", "4-5 9", _ELSEWHERE),
    excluded("RFC3264-6", "6", _PERMISSION),
    excluded("RFC3264-6.1", "1 3-31", _CODECS),
    excluded("RFC3264-6.2", "all", _ELSEWHERE),
    excluded("RFC3264-7", "all", _CODECS),
    excluded("RFC3264-8", "1-3", _PERMISSION),
    excluded("RFC3264-8", "9", "repeats 8-08 in other words"),
    excluded("RFC3264-8.2", "1 3", _PERMISSION),
    excluded("RFC3264-8.3", "all", "with ICE a destination changes by a restart only (RFC 8445, 9)"),
    excluded("RFC3264-8.4", "all", "the adapter contract knows no hold"),
    excluded("RFC3264-9", "all", _ELSEWHERE),
    excluded("RFC3264-11", "all", _ELSEWHERE),
)
