"""Simultaneous-open candidates: whose connection it is when either side may have opened it.

A base listens and connects from one port (RFC 6544 appendix B), and so does the peer's. Whoever comes first has its SYN
accepted, or the SYNs cross; in any case one connection stands for the 5-tuple, and no second one can be had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.connections import Phase
from conformance.agent.pairs import PairState

if TYPE_CHECKING:
    from conformance.agent.candidates import Local
    from conformance.agent.checklist import CheckList
    from conformance.agent.connections import Connection, Connections

SO = "so"


def take_over(checks: CheckList, connection: Connection, connections: Connections) -> None:
    """Make an accepted connection that of the pair of S-O candidates with its 5-tuple, if there is one.

    Our own attempt, if one is under way, can come to nothing and is given up (RFC 6544 section 7.1: a connection is
    opened if none yet exists).
    """
    if connection.base.tcptype != SO or connection.pair is not None:
        return
    pair = next(
        (p for p in checks.pairs if _is_of(p.local, connection) and p.remote.endpoint == connection.remote), None
    )
    if pair is None or (pair.connection is not None and pair.connection.is_open):
        return
    attempt, pair.connection, connection.pair = pair.connection, connection, pair
    if attempt is not None and attempt.phase is Phase.CONNECTING:
        connections.close(attempt)
    if pair.state in (PairState.IN_PROGRESS, PairState.FAILED):
        checks.trigger(pair)  # the attempt may have failed just because this connection was there first


def _is_of(local: Local, connection: Connection) -> bool:
    return local.base is connection.base and local.candidate.type == "host"
