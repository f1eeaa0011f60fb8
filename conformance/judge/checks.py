"""Connectivity checks: what a STUN client sends (RFC 6544 section 7.1, RFC 8445 section 7.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from conformance.judge.known import Known
from conformance.judge.model import HELD, Exchange, Observation, broken, hole, rule, unclear
from conformance.judge.talk import Stun, Talk, key_of
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check

_USERNAME, _PRIORITY, _CONTROLLED, _CONTROLLING = 0x0006, 0x0024, 0x8029, 0x802A
_MOST_PRIORITY = 2**31 - 1
_MOST_PREFERENCE = 126
_ENOUGH_IDS = 3
_ALIKE_OCTETS = 8  # of 12: that so many agree by chance in three ids has a probability below 2^-119


@rule("RFC6544-7.1-s03", title="checks are not retransmitted")
def check_is_not_retransmitted(exchange: Exchange) -> Iterator[Observation]:
    """The same request, to the octet, twice on a connection. TCP's own retransmissions do not show here."""
    for talk, client in exchange.sides():
        seen: set[bytes] = set()
        requests = [stun for stun in talk.sent(client=client) if stun.is_check and stun.valid]
        for stun in requests:
            if stun.octets in seen:
                yield broken(
                    talk,
                    stun,
                    f"sent the check {stun.message.transaction_id.hex()} again on the same connection",
                    expected="each check is sent once; TCP delivers it",
                )
            seen.add(stun.octets)
        if requests and talk.connection.lossy_from(client=client):
            yield unclear(f"whether checks were sent again: {hole(talk)}", talk)
        elif requests:
            yield HELD


@rule("RFC8445-7.1.1-01", "RFC6544-7.1-s04", title="a check has PRIORITY and one role attribute")
def check_has_its_attributes(exchange: Exchange) -> Iterator[Observation]:
    """Until the pair is validated; later requests may be for consent alone, which needs neither (RFC 7675)."""
    for talk, stun in exchange.checks():
        if stun.valid and stun.index <= talk.validated_at(exchange.known, client=stun.from_client):
            problem = _lacking(stun)
            if not problem:
                yield HELD
            elif talk.readable_by(client=stun.from_client):
                yield broken(talk, stun, f"sent a check {problem}", expected="PRIORITY and one role")
            else:
                yield unclear(f"whether a request {problem} is for consent alone: {hole(talk)}", talk)


def _lacking(stun: Stun) -> str:
    values = stun.message.values
    controlling, controlled = _CONTROLLING in values, _CONTROLLED in values
    if controlling and controlled:
        return "with ICE-CONTROLLING and ICE-CONTROLLED"
    if not (controlling or controlled):
        return "with neither ICE-CONTROLLING nor ICE-CONTROLLED"
    if _PRIORITY not in values:
        return "without PRIORITY"
    priority = _priority(stun)
    if priority is None:
        return ""  # a rule of its own says so
    return "" if 1 <= priority <= _MOST_PRIORITY else f"with PRIORITY {priority}, not from 1 to 2^31 - 1"


@rule("RFC8445-7.1.1-01", "RFC8445-5.1.2.1-01", title="a check's PRIORITY is that of a peer-reflexive candidate")
def check_has_the_priority_of_a_reflexive_candidate(exchange: Exchange) -> Iterator[Observation]:
    """Its type preference is one of its own, at most 126, its component that of the candidate connected to.

    Requests without USE-CANDIDATE on a validated pair may be for consent alone, which needs no PRIORITY (RFC 7675).
    """
    before: Talk | None = None
    components: set[int] = set()
    for talk, stun in exchange.checks():
        late = stun.index > talk.validated_at(exchange.known, client=stun.from_client)
        priority = _priority(stun) if stun.valid and (not late or stun.message.use_candidate) else None
        if priority is None or not 1 <= priority <= _MOST_PRIORITY or talk.relayed:
            continue
        preference, component = priority >> 24, 256 - (priority & 0xFF)
        party = exchange.known.owner(stun.own)
        taken: frozenset[int] = frozenset() if party is None else party.host_preferences
        if talk is not before:
            before, targets = talk, [c for other in exchange.known.parties for c in other.at(talk.connection.server)]
            components = {candidate.component for candidate in targets}
        if preference > _MOST_PREFERENCE:
            what = f"with type preference {preference}"
            yield broken(talk, stun, f"sent a check {what}", expected="a type preference from 0 to 126", actual=what)
        elif preference in taken and not talk.readable_by(client=stun.from_client):
            yield unclear(f"whether a request with a host's priority is for consent alone: {hole(talk)}", talk)
        elif preference in taken:
            what = f"with type preference {preference}, that of its host candidates"
            yield broken(talk, stun, f"sent a check {what}", expected="that of peer-reflexive candidates", actual=what)
        elif len(components) == 1 and component not in components:
            what = f"with a PRIORITY of component {component}"
            yield broken(talk, stun, f"sent a check {what}", expected=f"component {min(components)}", actual=what)
        elif preference == _MOST_PREFERENCE and not taken:
            yield unclear("whether the highest type preference is that of the agent's host candidates", talk)
        else:
            yield HELD


def _priority(stun: Stun) -> int | None:
    try:
        return stun.message.priority
    except StunError:
        return None


@rule(
    "RFC8445-7.2.2-s01",
    "RFC6544-7.1-s04",
    title="a check's user name: peer's fragment, colon, the agent's own",
)
def check_has_the_user_name(exchange: Exchange) -> Iterator[Observation]:
    """Held against the descriptions; without them only the form can be judged."""
    for talk, stun in exchange.checks():
        if not stun.valid:
            continue
        theirs, colon, own = (stun.username or "").partition(":")
        if stun.username is None and stun.message.has(_USERNAME):
            continue  # it is not text, and another rule reports that
        if not colon:
            actual = "no user name" if stun.username is None else f"the user name {stun.username!r}"
            yield broken(talk, stun, f"sent a check with {actual}", expected="PEER:OWN", actual=actual)
        elif exchange.known.parties:
            yield from _named(exchange.known, talk, stun, theirs, own)


def _named(known: Known, talk: Talk, stun: Stun, theirs: str, own: str) -> Iterator[Observation]:
    left, right = known.owner(theirs), known.owner(own)
    sender = talk.address(client=stun.from_client).ip
    if left is not None and right is not None and left is not right:
        if not left.owns(sender) or right.owns(sender):
            yield HELD
        elif not _is_made_for_the_sender(known, talk, stun):
            what = f"sent a check with its own fragment first: {stun.username}"
            yield broken(talk, stun, what, expected=f"{own}:{theirs}")
    elif known.whole and right is not None:
        yield broken(talk, stun, f"sent a check for {theirs}, which its peer never was", expected="the peer's fragment")
    elif known.whole and left is not None:
        yield broken(talk, stun, f"sent a check as {own}, which it never was", expected="the agent's own fragment")


def _is_made_for_the_sender(known: Known, talk: Talk, stun: Stun) -> bool:
    """Whether this is the other side's check to the letter, sent back as media on a validated connection.

    That a byte stream must be divided then is another requirement (10.1-03), which says nothing about checks.
    """
    validated = talk.validated_at(known, client=stun.from_client) < stun.index
    return validated and stun.integrity(key_of(stun, known)) is Check.VALID


@rule("RFC8445-7.2.2-01", "RFC6544-7.1-s04", title="a check's integrity is right by the peer's password")
def check_has_integrity(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.2.2: short-term credentials, the peer's password."""
    unknown: dict[str, Talk] = {}
    for talk, stun in exchange.checks():
        found = stun.integrity(key_of(stun, exchange.known)) if stun.valid else None
        if found is Check.VALID:
            yield HELD
        elif found is Check.ABSENT:
            yield broken(talk, stun, "sent a check without MESSAGE-INTEGRITY", expected="MESSAGE-INTEGRITY")
        elif found is Check.INVALID:
            yield broken(
                talk, stun, "sent a check whose MESSAGE-INTEGRITY is wrong", expected="the key is the peer's password"
            )
        elif stun.valid:
            unknown.setdefault(stun.theirs, talk)
    for fragment, talk in unknown.items():
        why = "given fits nothing in the capture" if fragment in exchange.known.typed else "is not known"
        yield unclear(f"integrity of checks: the password of {fragment!r} {why}", talk)


@rule("RFC8445-7.2.4-02", "RFC6544-7.1-s04", title="a check has a FINGERPRINT that is right")
def check_has_fingerprint(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.2.2. What is no STUN for its FINGERPRINT is a check if it names the agents of the others."""
    for talk, stun in exchange.checks():
        found = stun.message.fingerprint
        if found is Check.VALID:
            yield HELD
        elif found is Check.ABSENT:
            yield broken(talk, stun, "sent a check without FINGERPRINT", expected="FINGERPRINT as the last attribute")
        elif not talk.may_be_media(stun):
            yield broken(talk, stun, "sent a check whose FINGERPRINT is wrong", expected="the CRC-32 of the message")


@rule("RFC8489-5-05", "RFC6544-7.1-s04", title="each request has a transaction id of its own")
def transaction_ids_are_unique(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8489 section 6. The same request, sent again on a new connection, is not a new transaction."""
    seen: dict[tuple[str, bytes], bytes] = {}
    for talk, stun in exchange.checks():
        if not stun.valid:
            continue
        key = talk.address(client=stun.from_client).ip, stun.message.transaction_id
        if seen.setdefault(key, stun.octets) == stun.octets:
            yield HELD
        else:
            yield broken(
                talk,
                stun,
                f"used the transaction id {stun.message.transaction_id.hex()} for another request",
                expected="a new transaction id for every new transaction",
            )


@rule("RFC8489-5-04", "RFC6544-7.1-s04", title="transaction ids cannot be foretold")
def transaction_ids_are_random(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8489 section 6. Only what is plainly a counter or mostly constant is judged."""
    made: defaultdict[tuple[str, str], dict[bytes, tuple[Talk, Stun]]] = defaultdict(dict)
    for talk, stun in exchange.checks():
        if stun.valid:
            made[_agent(talk, stun)].setdefault(stun.message.transaction_id, (talk, stun))
    for found in made.values():
        if len(found) < _ENOUGH_IDS:
            continue
        pattern = _pattern(list(found))
        where = list(found.values())[-1]
        yield broken(*where, f"makes transaction ids {pattern}", expected="random ids") if pattern else HELD


def _agent(talk: Talk, stun: Stun) -> tuple[str, str]:
    return talk.address(client=stun.from_client).ip, stun.own


def _pattern(identifiers: list[bytes]) -> str:
    alike = sum(len(set(column)) == 1 for column in zip(*identifiers, strict=True))
    if alike >= _ALIKE_OCTETS:
        return f"of which {alike} of 12 octets never change"
    for step in (1, -1):  # either octet order
        numbers = [int.from_bytes(identifier[::step], "big") for identifier in identifiers]
        if len({(later - earlier) % (1 << 96) for earlier, later in pairwise(numbers)}) == 1:
            return "by counting"
    return ""


@rule("RFC8445-16.1-03", "RFC8445-16.1-01", title="a tie-breaker is the same in all checks of a session")
def tie_breaker_is_constant(exchange: Exchange) -> Iterator[Observation]:
    """Of a role, and of a user name fragment: a change of roles may bring another one (RFC 8445 section 7.2.5.1)."""
    first: dict[tuple[str, bool], int] = {}
    for talk, stun in exchange.checks():
        if not stun.valid or not stun.own:
            continue
        try:
            said = (True, stun.message.ice_controlling), (False, stun.message.ice_controlled)
        except StunError:
            continue  # a rule of its own says so
        for controlling, value in said:
            if value is None:
                continue
            before = first.setdefault((stun.own, controlling), value)
            if value == before:
                yield HELD
            else:
                yield broken(
                    talk,
                    stun,
                    f"sent a check with another tie-breaker than before: {value:#x}",
                    expected=f"{before:#x}, as in its first check in this role",
                    actual=f"{value:#x}",
                )
