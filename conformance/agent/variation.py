"""What may lawfully differ, for finding out whether the suite's oracles are as lenient as the RFCs.

A variation is asked for session by session, as the extra `x-variation` of `open`: an object with any of the names
below. Whatever it says, the agent stays within what it must do; what it should do it may leave. The decisions that it
replaces are in `conformance.agent.varied`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


def _between(low: float, high: float, default: float, what: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "what": what})


def _flag(what: str) -> Any:
    return field(default=False, metadata={"what": what})


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What differs. Numbers have their range in the field's metadata; times are seconds."""

    seed: int = _between(0, 2**32 - 1, 0, "of every order that is shuffled and every text that is made up")
    # the description (RFC 8866, RFC 8839)
    ufrag: int = _between(4, 32, 8, "characters of the user name fragment, of an agent that says ice2 (RFC 8839 5.4)")
    pwd: int = _between(22, 256, 32, "characters of the password")
    foundation: int = _between(1, 32, 1, "characters of a foundation")
    reverse_candidates: bool = _flag("candidates in the opposite order")
    shuffle_attributes: bool = _flag("a= lines of each level, candidates among them, in any order")
    shared_credentials: bool = _flag("all streams have the same credentials (RFC 8839 section 5.4)")
    overridden_credentials: bool = _flag(
        "ice-ufrag and ice-pwd at the session level, which those of each section replace"
    )
    session_credentials: bool = _flag("ice-ufrag and ice-pwd at the session level, where there is one stream")
    session_setup: bool = _flag("setup and connection at the session level (RFC 4145), where there is one stream")
    more_lines: bool = _flag("lines that every description may have: i=, u=, e=, p=, b=AS")
    line_feeds: bool = _flag("lines end with LF alone (RFC 8866 section 5)")
    second_section: bool = _flag("offers of one stream have a second section, disabled (RFC 3264 section 5.1)")
    unknown_attributes: int = _between(0, 5, 0, "attributes that nobody knows, at both levels")
    lower_transport: bool = _flag("the transport token in small letters")
    capital_types: bool = _flag("candidate type and the direction in capitals")
    extensions: int = _between(0, 3, 0, "extension attributes behind tcptype")
    long_addresses: bool = _flag("IPv6 addresses unabridged and in capitals")
    other_transports: bool = _flag("candidates of transports that nobody knows, among the others")
    ipv6_first: bool = _flag("IPv6 addresses before all IPv4 ones, where there are both")
    escapes: bool = _flag("SOFTWARE with control characters: escape sequences and line ends")
    more_options: bool = _flag("ice-options of other RFCs and of nobody's (RFC 8839 section 5.6)")
    no_pacing: bool = _flag("ice-pacing left out: the default holds")
    early_hosts: bool = _flag("where candidates trickle: host candidates already in the description (RFC 8838 4)")
    no_end: bool = _flag("where candidates trickle: nothing says that there are no more (RFC 8838 section 13)")
    # candidates
    listeners: int = _between(1, 2, 1, "listening sockets, so passive candidates, on each address")
    type_preference: int = _between(0, 126, 126, "of host candidates")
    directions: int = _between(0, 5, 0, "which permutation of direction preferences")
    other: int = _between(0, 8191, 8191, "the best other-pref")
    natpmp_first: bool = _flag("gateways are asked by NAT-PMP before PCP")
    # messages
    software: int = _between(0, 128, 22, "characters of SOFTWARE; 0: none")
    more_attributes: int = _between(0, 4, 0, "comprehension-optional attributes that nobody knows")
    shuffle_message: bool = _flag("attributes of a message in any order")
    bare_errors: bool = _flag("error codes without a reason phrase (RFC 8489 section 14.8)")
    indication: bool = _flag("a Binding indication on each connection that is selected")
    # connections
    attempts: int = _between(2, 5, 5, "connection attempts to one address at a time (RFC 6544 section 12)")
    segments: int = _between(0, 40, 0, "octets of each of a frame's first ten writes; 0: frames are written whole")
    null_frames: int = _between(0, 2, 0, "null frames; 1: behind each frame, 2: before it as well")
    portion: int = _between(1, 65535, 16384, "octets of a byte stream in a frame")
    early_data: bool = _flag("data on a valid pair, before it is selected (RFC 8445 section 12.1)")
    early_dtls: bool = _flag("DTLS on a valid pair, before it is selected (RFC 8445 section 12.1)")
    data_from_any: bool = _flag("data taken on any candidate, checked or not (RFC 5245 section 11.2)")
    # times
    delay: float = _between(0.0, 0.2, 0.0, "before anything is sent, opened or closed")
    pacing: float = _between(0.05, 0.2, 0.05, "Ta; of a peer that says nothing it is 50 ms (RFC 8839 section 5.5)")
    settling: float = _between(0.0, 0.6, 0.1, "from the first valid pair to a nomination")
    decision: float = _between(0.0, 1.0, 0.5, "so long a nomination waits for better pairs")
    grace: float = _between(0.0, 3.0, 3.0, "until what was not selected is freed")

    def random(self, purpose: str) -> random.Random:
        """Return the numbers of one purpose: the same in every run."""
        return random.Random(f"{self.seed}:{purpose}")


USUAL = Variation()
NAMES = {item.name: item for item in fields(Variation)}


def read(value: object) -> Variation:
    """Return what an adapter was asked for. Raises `ValueError` for what is no variation."""
    if value is None:
        return USUAL
    if not isinstance(value, Mapping):
        raise ValueError("it is no object")
    for name, given in value.items():
        if name not in NAMES:
            raise ValueError(f"there is nothing called {name!r} to vary")
        _check(name, given)
    return Variation(**value)


def _check(name: str, given: object) -> None:
    default, metadata = NAMES[name].default, NAMES[name].metadata
    if isinstance(default, bool):
        if not isinstance(given, bool):
            raise ValueError(f"{name} is neither true nor false")
        return
    number = int if isinstance(default, int) else (int, float)
    if isinstance(given, bool) or not isinstance(given, number) or not metadata["low"] <= given <= metadata["high"]:
        raise ValueError(f"{name} is no number from {metadata['low']} to {metadata['high']}")
