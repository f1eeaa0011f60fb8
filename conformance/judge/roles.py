"""Roles of the agents: kept for the session, changed where a role conflict asks for it (RFC 8445 6.1.1, 7.2.5.1)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

from conformance.judge.known import Known
from conformance.judge.model import HELD, Exchange, Observation, broken, rule, unclear
from conformance.judge.talk import Stun, Talk, key_of
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check

_ROLE_CONFLICT = 487
_SETTLED_NS = 1_000_000_000  # checks that were under way when the 487 came are over by then
_CONTROLLING, _CONTROLLED = Attribute.ICE_CONTROLLING, Attribute.ICE_CONTROLLED
_NAMES = {_CONTROLLING: "controlling", _CONTROLLED: "controlled"}


@dataclass(slots=True)
class _Agent:
    """One agent in one session: its own checks, those that came, and the errors 487 that came, all by time."""

    sent: list[tuple[Talk, Stun, Attribute]] = field(default_factory=list)
    came: list[tuple[int, Attribute]] = field(default_factory=list)
    conflicts: list[tuple[int, Talk, Stun, Attribute]] = field(default_factory=list)  # with the role of the check


def _role(stun: Stun) -> Attribute | None:
    """Return the role that a check states; None: none, or both, or one that its USE-CANDIDATE contradicts."""
    values = stun.message.values
    controlling, controlled = _CONTROLLING in values, _CONTROLLED in values
    if controlling is controlled or (controlled and stun.message.use_candidate):
        return None
    return _CONTROLLING if controlling else _CONTROLLED


def _time(seen: tuple[int, Attribute]) -> int:
    return seen[0]


def _agents(exchange: Exchange) -> dict[str, _Agent]:
    """Return the judged agents by the user name of their checks, which a restart changes, whatever their addresses."""
    if "roles" not in exchange.found:
        exchange.found["roles"] = _gathered(exchange)
    return cast("dict[str, _Agent]", exchange.found["roles"])


def _gathered(exchange: Exchange) -> dict[str, _Agent]:
    found: defaultdict[str, _Agent] = defaultdict(_Agent)
    for talk in exchange.talks:
        judged = {side: exchange.known.judges(talk.address(client=side)) for side in (True, False)}
        for stun in talk.stun:
            role = _role(stun) if stun.is_check and stun.valid and stun.username else None
            if role is None or stun.username is None or not _is_right(stun, stun, exchange.known):
                continue
            if judged[stun.from_client]:
                found[stun.username].sent.append((talk, stun, role))
            if judged[not stun.from_client]:
                found[f"{stun.own}:{stun.theirs}"].came.append((stun.event.time_ns, role))
        for error in talk.stun:
            if error.is_response and error.valid and _is_conflict(error):
                _conflict(exchange, talk, error, found)
    for agent in found.values():
        agent.sent.sort(key=lambda entry: entry[1].event.time_ns)
    return found


def _conflict(exchange: Exchange, talk: Talk, error: Stun, found: dict[str, _Agent]) -> None:
    asker = talk.address(client=not error.from_client)
    for request in talk.requests_for(error) if exchange.known.judges(asker) else ():
        role = _role(request)
        if role is not None and request.username and _is_right(error, request, exchange.known):
            found[request.username].conflicts.append((error.event.time_ns, talk, error, role))


def _is_right(stun: Stun, request: Stun, known: Known) -> bool:
    """Whether nothing is known against a message's integrity."""
    return stun.integrity(key_of(request, known)) is not Check.INVALID


def _is_conflict(error: Stun) -> bool:
    try:
        code = error.message.error_code
    except StunError:
        return False
    return code is not None and code.code == _ROLE_CONFLICT


@rule("RFC8445-6.1.1-s01", "RFC8445-7.3.1.1-03", "RFC8445-7.2.5.1-01", title="a role changes by a conflict only")
def role_changes_by_a_conflict_only(exchange: Exchange) -> Iterator[Observation]:
    """Within a session: what tells an agent to change its role is a check with the same role, or an error 487."""
    for agent in _agents(exchange).values():
        changes = [(earlier, later) for earlier, later in pairwise(agent.sent) if earlier[2] is not later[2]]
        if not changes:
            if agent.sent:
                yield HELD
            continue
        places = {talk.address(client=check.from_client).ip for talk, check, _ in agent.sent}
        first_came = {role: time_ns for time_ns, role in sorted(agent.came, key=_time, reverse=True)}
        first_refused = min((time_ns for time_ns, *_ in agent.conflicts), default=math.inf)
        for (_, before, had), (talk, check, has) in changes:
            now = check.event.time_ns
            told = first_came.get(had, math.inf) <= now
            refused = first_refused <= now
            if told or refused:
                yield HELD
            elif doubt := _doubt(exchange, places):
                yield unclear(
                    f"whether a role conflict made {talk.address(client=check.from_client).ip} {_NAMES[has]}: {doubt}",
                    talk,
                )
            else:
                yield broken(
                    talk,
                    check,
                    f"became {_NAMES[has]} though nothing told it to",
                    expected=f"{_NAMES[had]}, as in its check {before.message.transaction_id.hex()}",
                    actual=f"{_NAMES[has]}, without a check of the same role or an error 487 before",
                )


def _doubt(exchange: Exchange, places: set[str]) -> str:
    """Return what keeps one from knowing all that the agent was told."""
    if exchange.partial or exchange.untimed:
        return "not all of the exchange is known in its order"
    if exchange.strangers:
        return "connections began before the capture"
    near = [talk for talk in exchange.talks if places & {talk.connection.client.ip, talk.connection.server.ip}]
    if not all(other.whole() and other.legible(client=True) and other.legible(client=False) for other in near):
        return "not all that was said can be read"
    if any(party.lite for party in exchange.known.parties):
        return "a description says that its agent is lite, which settles both roles (RFC 8445 section 6.1.1)"
    if not any(party.media and not party.speaks_udp for party in exchange.known.parties):
        return "it may have come over UDP, which is not judged here"
    return ""


@rule("RFC8445-7.2.5.1-01", title="a controlled agent takes control after 487")
def control_is_taken_after_487(exchange: Exchange) -> Iterator[Observation]:
    """Judged on its checks from a second later on."""
    yield from _after_487(exchange, Attribute.ICE_CONTROLLED)


@rule("RFC8445-7.2.5.1-02", title="a controlling agent gives up control after 487")
def control_is_given_up_after_487(exchange: Exchange) -> Iterator[Observation]:
    """Judged on its checks from a second later on."""
    yield from _after_487(exchange, Attribute.ICE_CONTROLLING)


def _after_487(exchange: Exchange, had: Attribute) -> Iterator[Observation]:
    for agent in _agents(exchange).values():
        for time_ns, _, _, role in agent.conflicts:
            later = next((e for e in agent.sent if e[1].event.time_ns > time_ns + _SETTLED_NS), None)
            if role is not had or later is None:
                continue
            talk, check, has = later
            now = check.event.time_ns
            again = any(time_ns < when <= now and theirs is not had for when, theirs in agent.came)
            if has is not had:
                yield HELD
            elif again or exchange.untimed or any(time_ns < other[0] <= now for other in agent.conflicts):
                yield unclear("whether the role changed after 487 and then once more by another conflict", talk)
            else:
                yield broken(
                    talk,
                    check,
                    f"was told by 487 that it cannot be {_NAMES[had]}, and still was",
                    expected=f"not {_NAMES[had]} any more",
                    actual=f"{_NAMES[has]} {(now - time_ns) / 1e9:.1f} s later",
                )
