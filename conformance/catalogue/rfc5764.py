"""RFC 5764 section 5.1.2 as RFC 7983 updates it: telling STUN, DTLS and SRTP apart."""

from __future__ import annotations

from conformance.catalogue.model import excluded, with_predecessors
from conformance.catalogue.model import requirement as r

_SRTP = "concerns SRTP and its keys, which the adapter contract does not reach"

REQUIREMENTS = with_predecessors((
    r("RFC7983-7-01", "MUST+MAY", "frames of no known range are dropped",
      "A frame whose first octet is in no range is dropped and disturbs nothing.", pics="payload:dtls"),
    r("RFC7983-7-s01", "", "first octet 0 to 3 is STUN", "A frame that begins with 0 to 3 is STUN.",
      note="What begins so and is no STUN message may be the application's (RFC 6544, 10.2; RFC 8489, 6.3).",
      repeats="RFC7983-7-s02"),
    r("RFC7983-7-s02", "", "first octet 20 to 63 is DTLS", "A frame that begins with 20 to 63 is DTLS.",
      pics="payload:dtls"),
    r("RFC7983-7-s03", "", "first octet 128 to 191 is RTP or RTCP",
      "A frame that begins with 128 to 191 is RTP or RTCP, and reaches neither STUN nor DTLS.",
      pics="payload:dtls"),
    r("RFC5764-5.1.2-01", "SHOULD", "further packet types can be told apart",
      "Other types on the connection can be told from these three.", pics="payload:dtls",
      untestable="no PICS declares further packet types"),
), {"7": "RFC 5764 section 5.1.2"})  # fmt: skip

EXCLUSIONS = (
    excluded("RFC5764-3", "all", _SRTP),
    excluded("RFC5764-4", "all", _SRTP),
    excluded("RFC5764-5.1", "1", _SRTP),
    excluded("RFC5764-5.1.2", "2-7", "maps SRTP sources to forked DTLS associations, inside the SRTP stack"),
    excluded("RFC5764-5.2", "all", _SRTP),
    excluded("RFC5764-7", "all", _SRTP),
    excluded("RFC5764-8", "all", "defines tokens over UDP and DCCP; over TCP RFC 6544 section 4.5 and RFC 4571 do"),
    excluded("RFC5764-9", "all", _SRTP),
)
