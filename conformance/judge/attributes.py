"""Values of attributes in connectivity checks: their sizes and their encoding (RFC 8489 section 14, RFC 8445 16.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.judge.model import HELD, Exchange, Observation, broken, rule
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.stun import Message

_MOST_USER_NAME = 513  # two fragments of 256 and a colon; RFC 5389 has less than 513, RFC 8489 less than 509


@rule("RFC8489-14.3-01", title="USERNAME is UTF-8 and not too long")
def user_name_is_text(exchange: Exchange) -> Iterator[Observation]:
    """As long as two user name fragments and a colon may be."""
    for talk, stun in exchange.checks():
        found = stun.message.first(Attribute.USERNAME)
        if found is None or not stun.valid:
            continue
        problem = _problem(stun.message, lambda message: message.username)
        if not problem and len(found.value) > _MOST_USER_NAME:
            problem = f"USERNAME has {len(found.value)} octets"
        if problem:
            yield broken(talk, stun, f"sent a check in which {problem}", expected="UTF-8 of at most 513 octets")
        else:
            yield HELD


@rule("RFC8445-16.1-s02", title="PRIORITY has 32 bits")
def priority_has_32_bits(exchange: Exchange) -> Iterator[Observation]:
    """In every check that has it."""
    yield from _sized(exchange, (Attribute.PRIORITY,), lambda message: message.priority, "4 octets")


@rule("RFC8445-16.1-s03", title="a role attribute has 64 bits")
def tie_breaker_has_64_bits(exchange: Exchange) -> Iterator[Observation]:
    """ICE-CONTROLLING or ICE-CONTROLLED, in every check that has one."""
    kinds = (Attribute.ICE_CONTROLLING, Attribute.ICE_CONTROLLED)
    yield from _sized(exchange, kinds, lambda m: (m.ice_controlling, m.ice_controlled), "8 octets")


@rule("RFC8445-16.1-s01", title="USE-CANDIDATE is empty")
def use_candidate_is_empty(exchange: Exchange) -> Iterator[Observation]:
    """In every check that has it."""
    for talk, stun in exchange.checks():
        found = stun.message.first(Attribute.USE_CANDIDATE)
        if found is None or not stun.valid:
            continue
        if found.value:
            what = f"sent a check whose USE-CANDIDATE has {len(found.value)} octets"
            yield broken(talk, stun, what, expected="no value")
        else:
            yield HELD


def _sized(
    exchange: Exchange, kinds: tuple[Attribute, ...], value: Callable[[Message], object], size: str
) -> Iterator[Observation]:
    for talk, stun in exchange.checks():
        if stun.valid and any(map(stun.message.has, kinds)):
            problem = _problem(stun.message, value)
            yield broken(talk, stun, f"sent a check in which {problem}", expected=size) if problem else HELD


def _problem(message: Message, value: Callable[[Message], object]) -> str:
    try:
        value(message)
    except StunError as problem:
        return problem.what
    return ""
