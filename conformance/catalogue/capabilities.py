"""The PICS proforma: what an adapter declares of its stack, and the conditions that cases put on it.

A condition is a tuple of atoms that must all hold: "offers:passive" (the value is, or contains, passive), "restart"
(true), "components:2" (a count of at least 2), "!offers:so" (not so), "tcp_srflx|nat_assisted" (either).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Capability:
    """One key of the PICS. ``kind`` is "set" (a list), "choice", "flag" or "count"."""

    key: str
    kind: str
    values: tuple[str, ...]
    default: object
    meaning: str


PROFORMA: Mapping[str, Capability] = {
    capability.key: capability
    for capability in (
        Capability("agent", "set", ("full", "lite"), ["full"], "modes of ICE"),
        Capability("sides", "set", ("offerer", "answerer"), ["offerer", "answerer"], "sides it can take"),
        Capability("offers", "set", ("active", "passive", "so"), [], "tcptypes in its descriptions"),
        Capability("connects", "set", ("active", "passive", "so"), [], "tcptypes it acts as"),
        Capability("transports", "set", ("tcp", "udp"), ["tcp"], "transports of its candidates"),
        Capability("families", "set", ("4", "6"), ["4"], "address families"),
        Capability("obeys", "set", ("addresses", "tcptypes", "transports", "role"), [], "wishes of open that hold"),
        Capability("role", "choice", ("stack", "adapter"), "stack", "who determines the role (RFC 8445 6.1.1)"),
        Capability("components", "count", (), 1, "most components of a stream"),
        Capability("streams", "count", (), 1, "most media sections of a description"),
        Capability("restart", "flag", (), False, "ICE restarts"),
        Capability("updates", "flag", (), False, "later offers and answers without a restart"),
        Capability("trickle", "flag", (), False, "candidates after the description"),
        Capability("half_trickle", "flag", (), False, "trickles by itself only to a peer that says trickle"),
        Capability("ice2", "flag", (), False, "says ice2: it follows RFC 8445, not RFC 5245 alone"),
        Capability("consent", "flag", (), False, "consent freshness (RFC 7675)"),
        Capability("tcp_srflx", "flag", (), False, "server reflexive candidates by STUN over TCP"),
        Capability("turn_over_tcp", "flag", (), False, "TURN client over TCP (RFC 8656), whatever it allocates"),
        Capability("tcp_relay", "flag", (), False, "relayed candidates by TURN TCP allocations (RFC 6062)"),
        Capability("nat_assisted", "flag", (), False, "NAT-assisted candidates by NAT-PMP, PCP or UPnP"),
        Capability("port_mapping", "set", ("pcp", "natpmp"), [], "how it asks the gateways that open names"),
        Capability("sdp", "choice", ("full", "candidates"), "full", "what of the SDP is the stack's own"),
        Capability("profile", "choice", ("plain", "webrtc", "whip", "whep"), "plain", "kind of description it takes"),
        Capability("payload", "choice", ("raw", "dtls"), "raw", "what send puts on the selected connection"),
        Capability("reports", "set", ("state", "selected", "data"), [], "notifications it sends"),
        Capability("decides", "count", (), 40, "seconds that it may take to nominate"),
        Capability("answers", "count", (), 15, "seconds that it may take to answer a call"),
        Capability("sessions", "count", (), 1, "most sessions at once"),
    )
}

_IMPLIED = {"turn_over_tcp": "tcp_relay"}  # a TCP allocation is asked for over TCP: older pics say only that


def validate(pics: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a declaration, one line each.

    An unknown key is wrong: a misspelt one would rule cases out in silence. Keys that begin with "x-" are free.
    """
    problems = []
    for key in pics:
        if key not in PROFORMA and not key.startswith("x-"):
            near = difflib.get_close_matches(key, PROFORMA, 1, 0)
            problems.append(f"pics have no key {key!r}; the nearest is {near[0]!r}")
    for key, capability in PROFORMA.items():
        if key in pics:
            problem = _problem(capability, pics[key])
            if problem:
                problems.append(f"pics {key}: {problem}")
    for key, stronger in _IMPLIED.items():
        if pics.get(key) is False and pics.get(stronger) is True:
            problems.append(f"pics {key}: false, although {stronger} is true, which it is part of")
    obeyed = pics.get("obeys", [])
    if isinstance(obeyed, list) and "role" in obeyed and pics.get("role") != "adapter":
        problems.append("pics obeys: a caller can obey role only where the role is its own to set (role: adapter)")
    if pics.get("port_mapping") and not pics.get("nat_assisted", PROFORMA["nat_assisted"].default):
        problems.append("pics port_mapping: it asks gateways for mappings, but nat_assisted is not true")
    return problems


def _problem(capability: Capability, value: object) -> str:
    if capability.kind == "flag":
        return "" if isinstance(value, bool) else f"{value!r} is neither true nor false"
    if capability.kind == "count":
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        return "" if whole else f"{value!r} is no number from 1"
    allowed = f"one of {', '.join(capability.values)}"
    if capability.kind == "choice":
        return "" if value in capability.values else f"{value!r} is not {allowed}"
    if not isinstance(value, list):
        return f"{value!r} is no list"
    if not value and capability.default:
        return f"it is empty, and an agent has {allowed}"
    strange = [item for item in value if str(item) not in capability.values]
    return f"{strange[0]!r} is not {allowed}" if strange else ""


def check_conditions(atoms: Iterable[str]) -> None:
    """Raise `ValueError` for an atom that no declaration could ever decide."""
    every = list(atoms)
    for atom in (single for alternatives in every for single in alternatives.split("|")):
        key, colon, value = atom.removeprefix("!").partition(":")
        capability = PROFORMA.get(key)
        if capability is None:
            raise ValueError(f"condition {atom!r}: pics have no key {key!r}")
        decidable = value.isdigit() if capability.kind == "count" else value in capability.values
        if bool(colon) is (capability.kind == "flag") or (colon and not decidable):
            raise ValueError(f"condition {atom!r}: {key} is a {capability.kind} of {', '.join(capability.values)}")
    for alternatives in every:
        if "|" in alternatives and "!" in alternatives:
            raise ValueError(f"condition {alternatives!r}: alternatives are what the IUT has")


def keys(atom: str) -> list[str]:
    """Return the keys of the pics that an atom asks for."""
    return [single.removeprefix("!").partition(":")[0] for single in atom.split("|")]


def unmet(atoms: Iterable[str], pics: Mapping[str, object]) -> list[str]:
    """Return, in words, the conditions that a declaration does not meet."""
    return [_reason(atom) for atom in atoms if not any(_holds(single, pics) for single in atom.split("|"))]


def declared(key: str, pics: Mapping[str, object]) -> object:
    """Return what a declaration says of a key, or where it leaves it out, what that means."""
    return pics.get(key, pics.get(_IMPLIED.get(key, ""), PROFORMA[key].default))


def _holds(atom: str, pics: Mapping[str, object]) -> bool:
    key, _, value = atom.removeprefix("!").partition(":")
    said = declared(key, pics)
    if PROFORMA[key].kind == "count":
        found = isinstance(said, int) and said >= int(value)
    elif isinstance(said, list):
        found = value in [str(item) for item in said]
    else:
        found = said == value if value else bool(said)
    return found is not atom.startswith("!")


def _reason(atom: str) -> str:
    single, *others = atom.split("|")
    if others:
        return f"the IUT's pics lack {' or '.join(_words(one) for one in (single, *others))}"
    return f"the IUT's pics {'have' if atom.startswith('!') else 'lack'} {_words(atom)}"


def _words(atom: str) -> str:
    return atom.removeprefix("!").replace(":", " ")
