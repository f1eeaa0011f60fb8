"""Nomination (RFC 6544 section 8)."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from conformance.judge.model import HELD, Exchange, Observation, broken, hole, rule, unclear
from conformance.judge.talk import Stun, Talk
from conformance.wire.attributes import Address, Attribute


@rule("RFC8445-7.1.2-02", "RFC6544-7.1-s04", title="USE-CANDIDATE comes from the controlling agent only")
def only_the_controlling_agent_nominates(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.2.2."""
    for talk, stun in exchange.checks():
        if not stun.valid or not stun.message.use_candidate:
            continue
        if stun.message.has(Attribute.ICE_CONTROLLED) and not stun.message.has(Attribute.ICE_CONTROLLING):
            yield broken(
                talk,
                stun,
                "sent USE-CANDIDATE together with ICE-CONTROLLED",
                expected="no USE-CANDIDATE of a controlled agent",
            )
        else:
            yield HELD


@rule("RFC6544-8-01", title="a pair is nominated after a check of it succeeded")
def nomination_follows_a_success(exchange: Exchange) -> Iterator[Observation]:
    """With TCP candidates nomination is regular, whatever an agent of RFC 5245 may do over UDP alone.

    A success on an earlier connection of the pair counts too: the connection was lost and opened again (section 11.1).
    So does one that the agent had while it was controlled: roles may switch.
    """
    earned = _Earned(exchange)
    for talk, stun in exchange.checks():
        if not stun.valid or not stun.message.use_candidate:
            continue
        if earned.before(talk, stun):
            yield HELD
        elif doubt := earned.doubt(talk, stun):
            yield doubt
        else:
            yield broken(
                talk,
                stun,
                "nominated the pair before any check of it had succeeded",
                expected="a check without USE-CANDIDATE, its success, then a check with it",
                actual="USE-CANDIDATE without an earlier success of the agent on this pair in the capture",
            )


class _Earned:
    """The first successes of an exchange, and why the capture may not show all of them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._here: dict[tuple[object, ...], int] = {}  # index of the first success on a connection
        self._first: dict[tuple[object, ...], int] = {}  # time of the first success of a pair
        for talk in exchange.talks:
            for client in (True, False):
                found = talk.successes(exchange.known, client=client)
                pair = talk.pair
                for request, response in found:
                    key = (*pair, client, request.username)  # a restart changes the user name
                    here = (id(talk), client, request.username)
                    if here not in self._here or response.index < self._here[here]:
                        self._here[here] = response.index
                    time_ns = response.event.time_ns
                    if key not in self._first or time_ns < self._first[key]:
                        self._first[key] = time_ns

    def before(self, talk: Talk, stun: Stun) -> bool:
        """Whether a check of the same session had succeeded before this one, on this connection or an earlier one."""
        here = self._here.get((id(talk), stun.from_client, stun.username))
        first = self._first.get((*talk.pair, stun.from_client, stun.username))
        return (here is not None and here < stun.index) or (first is not None and first < stun.event.time_ns)

    def doubt(self, talk: Talk, stun: Stun) -> Observation | None:
        """Return what keeps one from knowing that none had."""
        client, server = talk.pair
        gap = self._gaps.get((client, server)) or self._gaps.get((server, client))
        if gap is not None:
            return unclear(f"whether a check had succeeded before the nomination: {hole(gap)}", gap)
        if (client, server) in self._strangers:
            return unclear("whether a check had succeeded on a connection that began before the capture", talk)
        if self._exchange.partial:
            return unclear("whether a check had succeeded on an earlier connection of the pair, let go of before", talk)
        if self._exchange.untimed and (*talk.pair, stun.from_client, stun.username) in self._first:
            return unclear("whether a check had succeeded before: the capture's clock was set back", talk)
        return None

    @functools.cached_property
    def _gaps(self) -> dict[tuple[object, object], Talk]:
        """Connections of which the capture lacks something, by their pairs; the success may lie there."""
        found: dict[tuple[object, object], Talk] = {}
        for talk in self._exchange.talks:
            if not (talk.whole() and talk.legible(client=True) and talk.legible(client=False)):
                found.setdefault(talk.pair, talk)
                if not talk.connection.began:  # who opened it is not known
                    found.setdefault((talk.connection.client, talk.connection.server.ip), talk)
        return found

    @functools.cached_property
    def _strangers(self) -> set[tuple[str, Address]]:
        """Pairs of connections that already existed when the capture began."""
        known = {frozenset((talk.connection.client, talk.connection.server)) for talk in self._exchange.talks}
        both = [ends for ends in self._exchange.strangers if frozenset(ends) not in known]
        return {pair for one, other in both for pair in ((one.ip, other), (other.ip, one))}
