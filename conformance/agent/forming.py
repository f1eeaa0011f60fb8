"""Forming check lists, and what checks add to them later (RFC 8445 sections 6.1.2 and 7, RFC 6544 section 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import restart
from conformance.agent.candidates import peer_reflexive_local, peer_reflexive_remote
from conformance.agent.pairs import Pair, may_pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.candidates import Foundations, Local
    from conformance.agent.decisions import Decisions
    from conformance.agent.decisions.outcomes import Outcomes
    from conformance.agent.decisions.pairing import Pairing
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address
    from conformance.wire.candidate import Candidate


def form_pairs(
    locals_: Iterable[Local], remotes: Sequence[Candidate], controlling: bool, decisions: Pairing
) -> list[Pair]:
    """Return the pairs of a check list, best first, pruned (RFC 8445 sections 6.1.2.2 to 6.1.2.4, RFC 6544 6.2)."""
    pairs = [
        Pair(local, remote)
        for local in locals_
        for remote in remotes
        if may_pair(local, remote, decisions.meets, decisions.pairs_components)
    ]
    for pair in pairs:
        pair.reprioritise(controlling)
    pairs.sort(key=lambda pair: pair.priority, reverse=True)
    ours = [pair for pair in pairs if decisions.opens(pair)]  # else the peer's active candidate connects (RFC 6544 6.2)
    if len(ours) < 2:
        return ours
    kept: dict[object, Pair] = {}
    for pair in ours:
        kept.setdefault(decisions.between(pair), pair)
    return list(kept.values())


def form(stream: Stream, controlling: bool, decisions: Pairing) -> None:
    """Form the check list of a stream, of the candidates that are known by now."""
    stream.formed = True
    stream.checks.components, stream.checks.concludes = decisions.components(stream.plan), decisions.concludes()
    if not stream.progress.theirs_open and stream.has_fewer_components and decisions.limits_components():
        stream.limit_components()
    mine = [local for local in stream.locals if local.candidate.component <= stream.checks.components]
    stream.checks.pairs = form_pairs(decisions.checks_from(mine), stream.remotes, controlling, decisions)
    restart.attach(stream, decisions)


# -- pairs of the peer's checks ----------------------------------------------------------------------------


def incoming_pair(
    stream: Stream, connection: Connection, priority: int, controlling: bool, decisions: Decisions
) -> Pair | None:
    """Return the pair of an accepted connection, made if need be; None if the check list has no place for it.

    RFC 8445 sections 7.3.1.3 and 7.3.1.4; the peer's active candidates have no port, so its address is new.
    """
    if connection.pair is not None:
        return connection.pair
    if not decisions.learns_remotes():
        return None
    if len(stream.checks.pairs) >= decisions.config.max_pairs or connection.component > stream.checks.components:
        return None
    known = _known_pair(stream, connection)
    if known is not None:
        known.connection, connection.pair = connection, known
        return known
    local = next((local for local in stream.locals if local.base is connection.base), None)
    if local is None:
        return None  # nobody was told of it yet, or it is one of before a restart
    remote = _known_remote(stream, connection)
    if remote is None:
        remote = peer_reflexive_remote(connection.remote, connection.base, priority, stream.remotes)
        stream.remotes.append(remote)
    pair = Pair(local, remote, connection=connection)
    pair.reprioritise(controlling)
    connection.pair = pair
    stream.checks.insert(pair)
    return pair


def _known_pair(stream: Stream, connection: Connection) -> Pair | None:
    """Return the pair of a UDP flow that the check list holds already."""
    if not connection.is_udp:
        return None
    mine = (pair for pair in stream.checks.pairs if pair.local.base is connection.base)
    return next((pair for pair in mine if pair.remote.endpoint == connection.remote), None)


def _known_remote(stream: Stream, connection: Connection) -> Candidate | None:
    wanted = (connection.remote, connection.component, not connection.is_udp)
    return next((r for r in stream.remotes if (r.endpoint, r.component, r.is_tcp) == wanted), None)


# -- pairs of our checks -----------------------------------------------------------------------------------


def valid_pair(
    stream: Stream,
    pair: Pair,
    mapped: Address,
    priority: int,
    controlling: bool,
    foundations: Foundations,
    decisions: Outcomes,
) -> Pair:
    """Return the valid pair that a success on `pair` makes (RFC 8445 sections 7.2.5.3.1 and 7.2.5.3.2)."""
    if pair.valid is not None:
        return pair.valid
    mapped = decisions.mapped(pair, mapped)
    local: Local | None = pair.local
    if pair.local.candidate.endpoint != mapped:
        local = _known_local(stream, mapped, pair)
    if local is None:
        local = peer_reflexive_local(pair.local, mapped, decisions.learnt_priority(priority), foundations)
        stream.locals.append(local)
    if local is pair.local:
        return pair
    valid = Pair(local, decisions.valid_remote(pair, stream.remotes), connection=pair.connection)
    valid.reprioritise(controlling)
    return valid


def _known_local(stream: Stream, mapped: Address, pair: Pair) -> Local | None:
    wanted = (mapped, pair.component, pair.local.base.is_udp)
    mine = (local for local in stream.locals if local.candidate.component == pair.component)
    return next((x for x in mine if (x.candidate.endpoint, pair.component, x.base.is_udp) == wanted), None)
