"""Which connections two ICE-TCP agents can have through their NATs, and which of them they select: what is expected.

The agents have active, passive and S-O host candidates and, from a STUN server, the server reflexive ones of the
passive and the S-O ports (RFC 6544 section 5.2). Nothing here looks at how the agent or the NAT is written:

- An active candidate connects from a new port, so its SYN arrives unannounced. It reaches a passive candidate where
  there is no NAT before it, or a NAT with endpoint-independent filtering; the mapping of the passive port has spoken to
  the server only, which satisfies no other filter.
- S-O candidates connect from the very port that the server saw. With endpoint-independent mapping that is the port the
  peer was told, and the SYN of the port's own that went to the peer satisfies the filter before it: by address, or by
  address and port if the peer's mapping is as the peer was told as well. With any other mapping the SYN comes from a
  port that nobody was told: the peer sees a peer reflexive candidate, if the filter passes it.
- A NAT that has a session between two endpoints takes no second one between the same two under another name. Such a
  session ends with a RST: then the SYN that was dropped for its sake passes when TCP repeats it.
- Where one SYN is refused with RST before the other one has left, the NAT behind which it was sent has forgotten the
  connection when the other one comes. SYNs that cross are never unsolicited.
- Of the pairs that become valid the controlling agent nominates the one of the highest priority (RFC 8445 section
  8.1.1), with RFC 6544's type and direction preferences (section 4.2).

How soon is another matter. Pairs of one foundation are checked one after the other (RFC 8445 section 6.1.4.2), and S-O
candidates share theirs with active ones: where filters drop S-O SYNs silently, the passive candidate behind them is
tried when the S-O attempt has been given up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.nattable.path.holding import Timing
from conformance.nattable.path.nat import Dependence, Unsolicited
from conformance.wire.candidate import priority, tcp_local_preference

if TYPE_CHECKING:
    from conformance.nattable.path.nat import Behaviour
    from conformance.wire.candidate import Candidate

FAILS, RELAY = "fails", "relay"
_INDEPENDENT = Dependence.INDEPENDENT
# Type preferences (RFC 8445 section 5.1.2.2) and direction preferences of host and of server reflexive candidates (RFC
# 6544 section 4.2). A peer reflexive candidate has the direction preference of the host candidate it was found from.
_TYPES = {"host": 126, "prflx": 110, "srflx": 100}
_DIRECTIONS = {"active": 6, "passive": 4, "so": 2}
_REFLEXIVE_DIRECTIONS = {"so": 6, "active": 4, "passive": 2}


@dataclass(frozen=True, slots=True)
class Row:
    """One combination. A behaviour of None: no NAT there.

    ``relay``: the server is a TURN server as well. ``simultaneous``: the agents have S-O candidates.
    """

    offerer: Behaviour | None
    answerer: Behaviour | None
    timing: Timing = Timing.CROSSING
    relay: bool = False
    simultaneous: bool = True

    @property
    def name(self) -> str:
        """What the row is called; different rows have different names."""
        return ", ".join([f"{name_of(self.offerer)} | {name_of(self.answerer)}", *self.circumstances])

    @property
    def circumstances(self) -> list[str]:
        """What is not as usual."""
        wanted = [
            (self.timing is not Timing.CROSSING, str(self.timing)),
            (not self.simultaneous, "no S-O"),
            (self.relay, "turn"),
        ]
        return [text for holds, text in wanted if holds]


@dataclass(frozen=True, slots=True)
class Expected:
    """What comes of a row: ``by`` which candidates (`kind_of`) it is crossed, and why.

    ``possible`` are all that cross, best first: where the network loses and delays, a worse one may be valid first.
    ``if_lost`` is what can come of it besides if the network loses a SYN or a RST. ``meets``: the two kernels meet in a
    simultaneous open.
    """

    by: str
    reason: str
    possible: tuple[str, ...] = ()
    if_lost: tuple[str, ...] = ()
    meets: bool = False


@dataclass(frozen=True, slots=True)
class _Connection:
    """A connection that can be had, and the priorities of the offerer's candidate and the answerer's.

    ``once``: its SYN must not be lost, for when TCP repeats it the filter no longer knows of its target's own SYN.
    """

    kind: str
    reason: str
    once: bool = False
    offerers: int = field(default=0, compare=False)
    answerers: int = field(default=0, compare=False)

    @property
    def pair_priority(self) -> int:
        """The priority of its valid pair, the offerer being controlling (RFC 8445 section 6.1.2.3)."""
        g, d = self.offerers, self.answerers
        return (min(g, d) << 32) + 2 * max(g, d) + (g > d)


def expect(row: Row) -> Expected:
    """Return what RFC 6544 and RFC 5382 together make of a row."""
    found = sorted(_connections(row), key=lambda connection: -connection.pair_priority)
    if found:
        crossing = row.timing is Timing.CROSSING and _keeps_name(row.offerer) and _keeps_name(row.answerer)
        meets = crossing and found[0].kind in ("host-so", "srflx-so")
        possible = tuple(dict.fromkeys(connection.kind for connection in found))
        if_lost = (FAILS,) if all(connection.once for connection in found) else ()
        return Expected(found[0].kind, found[0].reason, possible, if_lost, meets)
    if_lost = ("srflx-so",) if row.timing is Timing.OFFERER_FIRST else ()  # the RST
    if row.relay:
        reason = f"nothing crosses directly ({_why_not(row)}), both can reach the relay"
        return Expected(RELAY, reason, (RELAY,), if_lost)
    return Expected(FAILS, _why_not(row), (), if_lost)


def kind_of(local: Candidate, remote: Candidate) -> str:
    """Return what a selected pair says of how the path was crossed, the same from both ends.

    Of a connection that an active candidate opened: its passive end. Of S-O candidates: the one less foreseen.
    """
    types = {local.type, remote.type}
    if RELAY in types:
        return RELAY
    if local.tcptype == "so":
        return "prflx-so" if "prflx" in types else "srflx-so" if "srflx" in types else "host-so"
    return f"{(local if local.tcptype == 'passive' else remote).type}-passive"


def name_of(behaviour: Behaviour | None) -> str:
    """Return what a NAT is called, or its absence."""
    return "no NAT" if behaviour is None else str(behaviour)


def _worth(kind: str, tcptype: str) -> int:
    directions = _REFLEXIVE_DIRECTIONS if kind == "srflx" else _DIRECTIONS
    return priority(_TYPES[kind], tcp_local_preference(directions[tcptype], 8191), 1)


# -- what crosses ------------------------------------------------------------------------------------------------


def _connections(row: Row) -> list[_Connection]:
    found = []
    for opener, opened, offers in ((row.offerer, row.answerer, True), (row.answerer, row.offerer, False)):
        who, whom = ("offerer", "answerer") if offers else ("answerer", "offerer")
        if _is_open(opened):
            target = "host" if opened is None else "srflx"
            reason = f"the {whom} has {'no NAT' if opened is None else 'a filter that admits everybody'}"
            worths = _worth("prflx", "active"), _worth(target, "passive")
            found.append(_Connection(f"{target}-passive", reason, False, *(worths if offers else worths[::-1])))
        crossing = row.simultaneous and row.timing is Timing.CROSSING
        if crossing and (why := _so_crosses(opener, opened)):
            types = _so_type(opener), _so_type(opened, told=True)
            kind = next(f"{t}-so" for t in ("prflx", "srflx", "host") if t in types)
            worths = _worth(types[0], "so"), _worth(types[1], "so")
            reason = f"the {who}'s S-O SYN passes: {why}"
            once = _passes_once(opener, opened)
            found.append(_Connection(kind, reason, once, *(worths if offers else worths[::-1])))
    if row.timing is Timing.OFFERER_FIRST and _so_survives(row):
        worth = _worth("srflx", "so")
        found.append(_Connection("srflx-so", "the answerer's S-O SYN meets one that waits for it", False, worth, worth))
    return found


def _is_open(behaviour: Behaviour | None) -> bool:
    return behaviour is None or behaviour.filtering is _INDEPENDENT


def _keeps_name(behaviour: Behaviour | None) -> bool:
    """Whether connections to the peer come from where the server saw the port."""
    return behaviour is None or behaviour.mapping is _INDEPENDENT


def _so_type(behaviour: Behaviour | None, *, told: bool = False) -> str:
    """Return the type of an S-O candidate; `told`: it is called where the peer was told, else it calls."""
    if behaviour is None:
        return "host"
    return "srflx" if told or _keeps_name(behaviour) else "prflx"


def _so_crosses(opener: Behaviour | None, opened: Behaviour | None) -> str:
    """Say why an S-O SYN reaches the S-O candidate it is sent to, whose own SYN is on its way too; "": it does not."""
    if opened is None:
        return "there is no NAT before its target"
    if not _keeps_name(opened):
        # The filter of the told mapping knows the server alone; and the target's own connection has another name.
        if not _is_open(opened):
            return ""
        if not _keeps_name(opener):
            return "the filter before its target admits everybody"
        return "its repetition comes when a RST has ended the target's own" if _resets(opener, opened) else ""
    if _keeps_name(opener):
        return "the SYNs meet, each from where the other was told"
    if opened.filtering is Dependence.ADDRESS_AND_PORT:
        return ""
    admits = "everybody" if _is_open(opened) else "the address that its target has called"
    return f"the filter before its target admits {admits}"


def _passes_once(opener: Behaviour | None, opened: Behaviour | None) -> bool:
    """Whether a filter admits an S-O SYN for the sake of its target's own, which is refused with RST meanwhile."""
    if opener is None or opened is None or _is_open(opener) or _is_open(opened) or _keeps_name(opener):
        return False
    return opener.unsolicited is Unsolicited.RESET and opened.reset_ends


def _resets(opener: Behaviour | None, opened: Behaviour) -> bool:
    """Whether a RST refuses the SYN of an S-O candidate that keeps no name, and its NAT takes that for the end."""
    closed = opener is not None and opener.filtering is Dependence.ADDRESS_AND_PORT
    return opener is not None and closed and opener.unsolicited is Unsolicited.RESET and opened.reset_ends


def _so_survives(row: Row) -> bool:
    """Whether the second S-O SYN gets through where the first one found a filter closed and both names are kept."""
    if row.offerer is None or row.answerer is None or not (_keeps_name(row.offerer) and _keeps_name(row.answerer)):
        raise ValueError("which SYN comes first is told of two NATs with endpoint-independent mapping only")
    refused = row.answerer.unsolicited is Unsolicited.RESET and not _is_open(row.answerer)
    return not refused or not row.offerer.reset_ends or _is_open(row.offerer)


def _why_not(row: Row) -> str:
    if row.timing is Timing.OFFERER_FIRST:
        return "the first SYN is refused with RST, so the offerer's NAT has forgotten it when the second comes"
    if not row.simultaneous:
        return "both filters stop SYNs from ports that nobody has called, and no S-O candidates call"
    keeping = [_keeps_name(row.offerer), _keeps_name(row.answerer)]
    if not any(keeping):
        return "both filters know the port of a peer that comes from another one"
    who, whom = ("offerer", "answerer") if keeping[1] else ("answerer", "offerer")
    unknown = f"the {who} comes from a port that the {whom}'s filter does not know"
    return f"{unknown}, and is called at one that admits nobody"
