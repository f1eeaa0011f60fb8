"""What a page shows of a case's exchange: a drawing per connection, and each message with its fields and its octets.

It is made while the captures are read, from the reading that the rules have judged, and handed on as JSON: the page
draws only those cases that somebody looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from conformance.verdict import Verdict
from conformance.wire.attributes import Attribute, spelling
from pcaps.fields import fields, octets_of
from pcaps.flows import Flow
from pcaps.ladder import event_text
from reports.html.sequence import Exchange, Lane, Message, Step, drawing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from conformance.verdict import Breach
    from conformance.wire.attributes import Address
    from pcaps.connections import Connection, Event

_FIRST, _LAST = 120, 40  # events of a connection that are drawn
_SIDE = "side"  # what is called so whose name is not known
_MOST_OCTETS = 512  # of a message; the capture has the others
_BLAMED = {
    "check_has_integrity": (Attribute.MESSAGE_INTEGRITY, Attribute.MESSAGE_INTEGRITY_SHA256),
    "success_has_integrity": (Attribute.MESSAGE_INTEGRITY, Attribute.MESSAGE_INTEGRITY_SHA256),
    "check_has_fingerprint": (Attribute.FINGERPRINT,),
    "success_has_fingerprint": (Attribute.FINGERPRINT,),
    "check_has_the_user_name": (Attribute.USERNAME,),
    "response_has_no_user_name": (Attribute.USERNAME,),
    "user_name_is_text": (Attribute.USERNAME,),
    "priority_has_32_bits": (Attribute.PRIORITY,),
    "check_has_the_priority_of_a_reflexive_candidate": (Attribute.PRIORITY,),
    "tie_breaker_has_64_bits": (Attribute.ICE_CONTROLLING, Attribute.ICE_CONTROLLED),
    "role_changes_by_a_conflict_only": (Attribute.ICE_CONTROLLING, Attribute.ICE_CONTROLLED),
    "control_is_taken_after_487": (Attribute.ICE_CONTROLLED,),
    "control_is_given_up_after_487": (Attribute.ICE_CONTROLLING,),
    "use_candidate_is_empty": (Attribute.USE_CANDIDATE,),
    "only_the_controlling_agent_nominates": (Attribute.USE_CANDIDATE,),
    "nomination_follows_a_success": (Attribute.USE_CANDIDATE,),
    "success_has_the_mapped_address": (Attribute.XOR_MAPPED_ADDRESS,),
    "mapped_address_is_well_formed": (Attribute.XOR_MAPPED_ADDRESS,),
    "error_has_a_code": (Attribute.ERROR_CODE,),
    "unknown_attributes_are_listed": (Attribute.UNKNOWN_ATTRIBUTES,),
    "unknown_attributes_are_in_a_420": (Attribute.UNKNOWN_ATTRIBUTES, Attribute.ERROR_CODE),
}
_NAMED_FIELDS = {
    "length_equals_the_message": ("LENGTH",),
    "transaction_ids_are_unique": ("transaction id",),
    "transaction_ids_are_random": ("transaction id",),
    "response_answers_a_request": ("transaction id",),
    "message_header_is_well_formed": ("type", "message length"),
}


def drawn(
    connections: Iterable[Connection | Flow],
    testers: Collection[str] | Mapping[str, str],
    broken: Sequence[Breach] = (),
    said: str = "",
) -> bytes:
    """Return an exchange as JSON.

    `testers` are addresses of the tester or, by address, what each side is called. `broken` are rules that are broken
    in it, `said` is the case's verdict with its reason.
    """
    listed = [connection for connection in connections if connection.events]
    start = min((connection.events[0].time_ns for connection in listed), default=0)
    exchange = Exchange()
    for connection in listed:
        lane = _lane(connection, start, testers, broken, exchange.messages)
        _fail(lane, connection, said)
        exchange.drawings.append(drawing(lane))
    return msgspec.json.encode(exchange)


def _lane(
    connection: Connection | Flow,
    start: int,
    testers: Collection[str] | Mapping[str, str],
    broken: Sequence[Breach],
    messages: list[Message],
) -> Lane:
    client, server = connection.client, connection.server
    mirrored = server.ip in testers and client.ip not in testers
    left, right = (server, client) if mirrored else (client, server)
    kind = "UDP" if isinstance(connection, Flow) else "TCP"
    opener = _name(client, testers, server).rpartition(" ")[0]
    if opener == _SIDE:
        opener = str(client)
    elif not isinstance(testers, Mapping):  # else it has a name of its own
        opener = f"the {opener}"
    lane = Lane(_name(left, testers, right), _name(right, testers, left), f"{kind}, opened by {opener}")
    for event in _shown(connection.events, lane.notes):
        sender = str(client if event.from_client else server)
        blamed = [breach for breach in broken if breach.time_ns == event.time_ns and breach.agent == sender]
        lane.steps.append(_step(event, start, mirrored, blamed, messages))
    lane.notes += _ending(connection)
    return lane


def _fail(lane: Lane, connection: Connection | Flow, said: str) -> None:
    """Say below a connection that it was the one on which the case ended, unless a step of it says more."""
    verdict, _, reason = said.partition(": ")
    if verdict not in (Verdict.FAIL, Verdict.INCONC) or any(step.offending for step in lane.steps):
        return
    one, other = str(connection.client), str(connection.server)
    ways = [f"{a} {arrow} {b}" for a, b in ((one, other), (other, one)) for arrow in ("->", "<-")]
    if any(way in reason for way in ways):
        lane.offending = f"{verdict}: {reason}"


def _shown(events: Sequence[Event], notes: list[str]) -> list[Event]:
    left_out = len(events) - _FIRST - _LAST
    if left_out <= 0:
        return list(events)
    notes.append(
        f"{left_out} events between the first {_FIRST} and the last {_LAST} are not drawn; the capture has them"
    )
    return [*events[:_FIRST], *events[-_LAST:]]


def _ending(connection: Connection | Flow) -> list[str]:
    notes = ["octets are missing from the capture"] if connection.lossy else []
    if isinstance(connection, Flow):
        return notes
    for client in (True, False):
        if count := connection.unfinished(client=client):
            who = connection.client if client else connection.server
            notes.append(f"at the end {count} octets of a frame from {who} that never became whole")
    return notes


def _step(event: Event, start: int, mirrored: bool, blamed: Sequence[Breach], messages: list[Message]) -> Step:
    label, detail = event_text(event)
    step = Step((event.time_ns - start) / 1e6, event.from_client is not mirrored, label, detail)
    if blamed:
        step.offending = "; ".join(dict.fromkeys(breach.reason for breach in blamed))
    if event.what in ("frame", "unframed", "datagram"):
        step.size = len(event.payload)
        step.segments, step.ends = event.segments, event.ends
        step.joined = event.order > 0
        step.link = len(messages)
        messages.append(_message(event, label, [breach.rule.partition("/judge_")[2] for breach in blamed]))
    return step


def _message(event: Event, label: str, rules: Sequence[str]) -> Message:
    found = [list(entry) for entry in fields(event)]
    names = {spelling(kind) for rule in rules for kind in _BLAMED.get(rule, ())}
    names |= {name for rule in rules for name in _NAMED_FIELDS.get(rule, ())}
    for entry in found:
        entry[4] = entry[4] or entry[2] in names
    octets = octets_of(event)
    return Message(label, octets[:_MOST_OCTETS].hex(), len(octets), found, bool(rules) and not any(e[4] for e in found))


def _name(address: Address, testers: Collection[str] | Mapping[str, str], other: Address) -> str:
    """Return an address with whose it is; an address that both sides share tells nothing."""
    if isinstance(testers, Mapping):
        return f"{testers.get(address.ip, _SIDE)} {address}"
    if not testers or (address.ip == other.ip):
        return f"{_SIDE} {address}"
    return f"{'tester' if address.ip in testers else 'IUT'} {address}"
