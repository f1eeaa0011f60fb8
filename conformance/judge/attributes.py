"""Values of attributes in connectivity checks: their sizes and their encoding (RFC 8489 section 14, RFC 8445 16.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.judge.model import HELD, Exchange, Observation, broken, rule
from conformance.wire.errors import StunError
from conformance.wire.stun import View

_USERNAME, _PRIORITY, _USE_CANDIDATE, _ICE_CONTROLLED, _ICE_CONTROLLING = 0x0006, 0x0024, 0x0025, 0x8029, 0x802A
_MOST_USER_NAME = 513  # two fragments of 256 and a colon; RFC 5389 has less than 513, RFC 8489 less than 509


@rule("RFC8489-14.3-01", title="USERNAME is UTF-8 and not too long")
def user_name_is_text(exchange: Exchange) -> Iterator[Observation]:
    """As long as two user name fragments and a colon may be."""
    for talk, stun in exchange.checks():
        found = stun.message.values.get(_USERNAME)
        if found is None or not stun.valid:
            continue
        if stun.username is not None and len(found) <= _MOST_USER_NAME:
            yield HELD
            continue
        problem = _problem(stun.message, lambda message: message.username) or f"USERNAME has {len(found)} octets"
        yield broken(talk, stun, f"sent a check in which {problem}", expected="UTF-8 of at most 513 octets")


@rule("RFC8445-16.1-s02", title="PRIORITY has 32 bits")
def priority_has_32_bits(exchange: Exchange) -> Iterator[Observation]:
    """In every check that has it."""
    yield from _sized(exchange, (_PRIORITY,), 4, lambda message: message.priority)


@rule("RFC8445-16.1-s03", title="a role attribute has 64 bits")
def tie_breaker_has_64_bits(exchange: Exchange) -> Iterator[Observation]:
    """ICE-CONTROLLING or ICE-CONTROLLED, in every check that has one."""
    kinds = (_ICE_CONTROLLING, _ICE_CONTROLLED)
    yield from _sized(exchange, kinds, 8, lambda m: (m.ice_controlling, m.ice_controlled))


@rule("RFC8445-16.1-s01", title="USE-CANDIDATE is empty")
def use_candidate_is_empty(exchange: Exchange) -> Iterator[Observation]:
    """In every check that has it."""
    for talk, stun in exchange.checks():
        found = stun.message.values.get(_USE_CANDIDATE)
        if found is None or not stun.valid:
            continue
        if found:
            what = f"sent a check whose USE-CANDIDATE has {len(found)} octets"
            yield broken(talk, stun, what, expected="no value")
        else:
            yield HELD


def _sized(
    exchange: Exchange, kinds: tuple[int, ...], octets: int, value: Callable[[View], object]
) -> Iterator[Observation]:
    for talk, stun in exchange.checks():
        values = stun.message.values
        sizes = [len(values[kind]) for kind in kinds if kind in values]
        if not stun.valid or not sizes:
            continue
        if sizes.count(octets) == len(sizes):
            yield HELD
        else:
            problem = _problem(stun.message, value)
            yield broken(talk, stun, f"sent a check in which {problem}", expected=f"{octets} octets")


def _problem(message: View, value: Callable[[View], object]) -> str:
    try:
        value(message)
    except StunError as problem:
        return problem.what
    return ""
