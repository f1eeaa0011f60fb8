"""The lite mode: no checks of one's own, the peer's nomination decides, or nobody's where both agents are lite.

RFC 8445 sections 5.2, 6.1.1, 7.3.2 and 8.2, RFC 6544 sections 4.3, 4.4, 6 and 6.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import forming
from conformance.agent.pairs import Pair, PairEvent, PairState, may_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.candidates import Base
    from conformance.agent.decisions import Decisions
    from conformance.agent.decisions.connections import Closing
    from conformance.agent.messages import IncomingCheck
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream
    from conformance.wire.sdp import Media as Section


def take_nomination(stream: Stream, connection: Connection, check: IncomingCheck, decisions: Decisions) -> None:
    """Nominate the pair on which the full peer's nomination came (RFC 8445 section 7.3.2)."""
    if not check.use_candidate:
        return
    pair = forming.incoming_pair(stream, connection, check.priority, False, decisions)
    if pair is not None and pair.component not in stream.checks.nominated:
        settle(stream, pair, connection)


def settle(stream: Stream, pair: Pair, connection: Connection) -> None:
    """Make a pair the valid and nominated one of its component, without a check."""
    pair.connection, connection.pair = connection, pair
    stream.checks.succeeded(pair, pair)
    stream.checks.nominate(pair)


def trust(connection: Connection) -> None:
    """Let data flow without any check."""
    connection.authenticated = connection.spoke_stun = True


# -- two lite agents ---------------------------------------------------------------------------------------


def begin(stream: Stream, controlling: bool) -> None:
    """Take each component's best pair whose connection is ours to open (RFC 8445 section 8.2, RFC 4145).

    Where there is UDP, its pair is the best on either side, and there is nothing to open.
    """
    for component in range(1, stream.checks.components + 1):
        pairs = [
            Pair(local, remote)
            for local in stream.locals
            for remote in stream.remotes
            if local.tcptype in ("active", "") and remote.component == component and may_pair(local, remote)
        ]
        for pair in pairs:
            pair.reprioritise(controlling)
        best = max(pairs, key=lambda pair: pair.priority, default=None)
        if best is not None:
            best.note(PairEvent.UNFROZEN)
            stream.checks.insert(best)


def proceed(stream: Stream, may_start: Callable[[Pair], bool], connect: Callable[[Pair], Connection]) -> None:
    """Open the connections of the pairs taken, as many as may be under way at once (RFC 6544 section 12)."""
    for pair in list(stream.checks.pairs):
        if pair.state is not PairState.WAITING or not may_start(pair):
            continue
        pair.note(PairEvent.BEGUN)
        pair.connection = connect(pair)
        if pair.connection.is_udp:
            trust(pair.connection)
            settle(stream, pair, pair.connection)


def arrived(stream: Stream, connection: Connection, decisions: Decisions) -> None:
    """Take a connection from a lite peer's address as that of its component, if it is the first.

    Nothing authenticates it but the address (RFC 6544 section 6.1); any passive candidate may be met.
    """
    known = connection.remote.ip in {remote.address for remote in stream.remotes}
    if not known or connection.component in stream.checks.nominated:
        return
    pair = forming.incoming_pair(stream, connection, 1, False, decisions)
    if pair is not None:
        trust(connection)
        settle(stream, pair, connection)


def mismatched(stream: Stream, section: Section, decisions: Closing) -> list[Connection]:
    """Return the connections to close because a lite peer's new offer names others (RFC 6544 section 6.1)."""
    stream.named = decisions.named_ends(stream, section)
    mine = stream.selected.values()
    return [c for c in mine if decisions.mismatches(c, named=not unnamed(stream, c.base))]


def unnamed(stream: Stream, base: Base) -> bool:
    """Whether a lite peer's new offer names another local candidate of the component than this base's."""
    mine = (base.ip, str(base.port))
    return stream.named.get(str(base.component), mine) != mine
