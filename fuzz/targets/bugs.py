"""The bugs that the target can be given: name, class, what it takes to see it."""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """One planted bug. ``group`` is the part of the protocol, ``effect`` what happens when it is hit."""

    name: str
    group: str
    effect: str
    trigger: str


BUGS = (
    Bug("split-length", "framing", "deaf", "the two octets of LENGTH in two segments"),
    Bug("eof-in-body", "framing", "spin", "FIN inside a frame's payload"),
    Bug("coalesced-lost", "framing", "deaf", "more than three frames in one read: the rest is dropped"),
    Bug("null-frame-closes", "framing", "closes", "a null frame"),
    Bug("length-wraps", "framing", "SIGSEGV", "LENGTH of 0xFFFE or 0xFFFF"),
    Bug("big-frame-stalls", "framing", "deaf", "a frame of more than 8192 octets"),
    Bug("reset-in-read", "framing", "SIGABRT", "RST while a frame is incomplete"),
    Bug("shared-buffer", "framing", "deaf", "an end inside a frame: another connection's octets complete it"),
    Bug("half-open-leak", "resources", "descriptors", "a connection that ends after a single octet is kept"),
    Bug("software-leak", "resources", "memory", "a check with SOFTWARE"),
    Bug("silent-thread", "resources", "threads", "a connection that ends without an octet leaves a thread"),
    Bug("slow-reader", "resources", "hang", "a peer that does not read: the agent waits for it"),
    Bug("short-header", "header", "SIGSEGV", "fewer than 20 octets that begin with a zero octet"),
    Bug("length-beyond", "header", "SIGBUS", "a header length beyond the frame"),
    Bug("length-odd", "header", "exception, exit", "a header length that is not a multiple of four"),
    Bug("type-zero", "header", "SIGABRT", "type 0x0000"),
    Bug("attribute-past-end", "attributes", "SIGSEGV, sanitizer's report", "an attribute longer than the message"),
    Bug("trailing-octets", "attributes", "hang", "1 to 3 octets after the last attribute"),
    Bug("short-error-code", "attributes", "SIGSEGV", "ERROR-CODE under 4 octets in a response"),
    Bug("priority-size", "attributes", "exception", "PRIORITY not of 4 octets"),
    Bug("truncated-integrity", "attributes", "accepted", "MESSAGE-INTEGRITY cut short, compared as far as it goes"),
    Bug("after-integrity", "attributes", "420", "an unknown required attribute after MESSAGE-INTEGRITY"),
    Bug("long-username", "attributes", "SIGABRT, stack smashing", "USERNAME of more than 513 octets"),
    Bug("many-attributes", "attributes", "SIGILL", "more than 40 attributes"),
    Bug("unknown-accepted", "attributes", "accepted", "an unknown required attribute"),
    Bug("no-integrity", "attributes", "accepted", "no MESSAGE-INTEGRITY"),
    Bug("mapped-family", "attributes", "Go panic", "XOR-MAPPED-ADDRESS of an unknown family in a response"),
    Bug("fingerprint-unchecked", "attributes", "accepted", "a wrong FINGERPRINT"),
    Bug("unlisted-types", "attributes", "uninitialised octets", "two unknown required attributes"),
    Bug("indication-answered", "state", "answered", "a Binding indication"),
    Bug("response-echo", "state", "answered", "a response that matches no request"),
    Bug("conflict-ignored", "state", "accepted", "a role conflict that the peer must lose"),
    Bug("early-check", "state", "SIGSEGV", "a check before the peer's description"),
    Bug("second-description", "state", "Rust panic", "a description when there is one"),
    Bug("role-error-loop", "state", "hang", "487 as the answer to a check"),
    Bug("stale-media", "state", "media never sent", "media of one octet: the buffer's rest goes with it"),
    Bug("wrong-component", "state", "media of another component", "media on the second component"),
    Bug("long-foundation", "description", "SIGSEGV", "a foundation of more than 32 characters"),
    Bug("port-parse", "description", "exception, exit", "a candidate's port that is not a number"),
)
NAMES = frozenset(bug.name for bug in BUGS)
