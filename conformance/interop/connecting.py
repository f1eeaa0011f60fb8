"""Who owed a connection: its SYN, its acceptance, or the first check on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.interop.pairing import openings
from conformance.interop.reasons import ANSWERED_WITHIN, Reason, omission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.interop.evidence import Evidence
    from pcaps.connections import Connection

_OPENED_WITHIN = 5.0  # seconds for a first SYN


def connected(evidence: Evidence) -> Reason | None:
    """Whether a connection stands on which the opener has said something."""
    if any(talk.checked for talk in evidence.talks):
        return None
    if not evidence.connections:
        return _never_opened(evidence)
    established = [c for c in evidence.connections if any(event.what == "syn-ack" for event in c.events)]
    if not established:
        return _never_accepted(evidence)
    return _never_checked(evidence, established)


def _never_opened(evidence: Evidence) -> Reason:
    if evidence.facts.waited < _OPENED_WITHIN:
        return Reason(f"no SYN within {evidence.facts.waited:.1f} s, after which the session ended", open_=True)
    owing = {opening.side: opening.remote for opening in openings(evidence.described)}
    found = [
        omission(
            evidence,
            side,
            "RFC6544-7.1-s01",
            f"has an active or S-O candidate for {remote.address} port {remote.port} and sent no SYN to it for "
            f"{evidence.facts.waited:.0f} s",
        )
        for side, remote in owing.items()
    ]
    breaches = tuple(breach for one in found for breach in one.breaches)
    return Reason("; ".join(one.text for one in found), breaches)


def _never_accepted(evidence: Evidence) -> Reason:
    for connection in evidence.connections:
        opener, side = evidence.side_at(connection.client.ip), evidence.side_at(connection.server.ip)
        party = next((party for party in evidence.known.parties if party.name == side), None)
        if evidence.cell.nat and side == evidence.cell.nat_side:
            continue
        if party is None or not party.at(connection.server):
            continue
        refused = any(event.what == "rst" and not event.from_client for event in connection.events)
        how = "refused" if refused else "never answered"
        text = f"{how} the SYN of {evidence.name(opener)} to its candidate {connection.server}"
        return omission(evidence, side, "RFC6544-7.2-01", text, connection.first_ns)
    if evidence.cell.nat:
        return Reason(f"both lawful: no SYN passes the NAT {evidence.cell.nat}")
    return Reason("SYNs went only to addresses that are nobody's candidate", open_=True)


def _never_checked(evidence: Evidence, established: Sequence[Connection]) -> Reason:
    connection = established[0]
    opener, acceptor = evidence.side_at(connection.client.ip), evidence.side_at(connection.server.ip)
    ended = next((event for event in connection.events if event.what in ("fin", "rst")), None)
    after = 0.0 if ended is None else (ended.time_ns - connection.first_ns) / 1e6
    if ended is not None and not ended.from_client and after < ANSWERED_WITHIN * 1000:
        text = f"closed the connection that it had accepted after {after:.0f} ms, before anything was sent on it"
        return omission(evidence, acceptor, "RFC6544-7.2-02", text, ended.time_ns)
    quiet = after / 1000 if ended is not None else (evidence.until_ns - connection.first_ns) / 1e9
    how = "closed it" if ended is not None and ended.from_client else f"was silent for {quiet:.0f} s"
    if evidence.facts.waited < ANSWERED_WITHIN:
        return Reason("a connection stands, and the session ended before a check was due", open_=True)
    return omission(
        evidence, opener, "RFC6544-7.1-s01", f"opened a connection, sent no check on it and {how}", connection.first_ns
    )
