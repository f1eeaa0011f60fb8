"""Several cases in flight at once: they share one round trip, and the IUT serves one while another is sent.

Cases on the first connection of the session are sent one after the other on it, each other case on a connection of its
own. Only cases that cannot influence each other are combined: whole frames, nothing about roles or nominations, no ids
of other messages. A flight is itself a case, so that minimising it leads to the case that is to blame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuzz.judging.answers import answers_of, class_of
from fuzz.player.reading import frames
from fuzz.player.render import has_symbol, octets

if TYPE_CHECKING:
    from fuzz.player.connection import Connection
    from fuzz.player.outcome import Outcome

Case = dict[str, Any]

WIDTH = 8
_WORTH = 4  # flights for each one that shows something: with fewer, cases are sent one at a time
_OCTETS = 8192  # of a case: several flights must fit into the buffers of a connection
_PLAIN = {"do", "on", "component", "frames", "probe"}
_TELLING = {"$antirole", 0x8029, 0x802A}  # attributes that may influence the other cases
_NOMINATES = 0x0025


def flies(case: Case) -> bool:
    """Whether a case can be in flight together with others."""
    steps = case["steps"]
    if len(steps) != 1 or not _PLAIN.issuperset(steps[0]) or case["plan"]["state"] == "early":
        return False
    step = steps[0]
    if step["do"] != "send" or not step.get("probe") or not step["frames"]:
        return False
    return _leaves_alone(step["frames"], case["plan"]["side"] == "answerer")


def _leaves_alone(some: list[dict[str, Any]], controlling: bool) -> bool:
    """Whether frames cannot influence the other cases; ``controlling``: we are, so that we can nominate."""
    size = 0
    for frame in some:
        if len(frame) > 1 or "frames" in frame:  # of another length than it says, or nested
            return False
        if "octets" in frame:
            size += len(octets(frame["octets"]))
            continue
        message = frame["message"]
        if message["type"] & 0x0110 == 0x0110 or message.get("id", "")[:1] == "$":
            return False
        for one in message["attributes"]:
            if one["type"] in _TELLING or one["value"] == "$mapped" or (controlling and one["type"] == _NOMINATES):
                return False
            size += (4 + len(octets(one["value"]))) * one.get("times", 1) if not has_symbol(one["value"]) else 40
    return size <= _OCTETS


def flight(cases: list[Case]) -> Case:
    """Return the one case that these cases are together."""
    if len(cases) == 1:
        return cases[0]
    first = [frame for case in cases if case["steps"][0]["on"] == 0 for frame in case["steps"][0]["frames"]]
    steps = [{"do": "send", "on": 0, "frames": first, "probe": True, "later": True}] if first else []
    own = [case["steps"][0] for case in cases if case["steps"][0]["on"] > 0]
    steps += [{**step, "on": on, "later": True} for on, step in enumerate(own, 1)]
    return {"class": cases[0]["class"], "plan": cases[0]["plan"], "steps": steps}


def landed(outcome: Outcome) -> bool:
    """Whether every check was answered and every connection is still open."""
    return all(answered for _, _, answered in outcome.probes) and not any(
        connection.closed for connection in outcome.connections
    )


def results(cases: list[Case], outcome: Outcome) -> list[str]:
    """Return the class of what came back for each."""
    connections = {connection.number: connection for connection in outcome.connections}
    ours = {check[8:20] for check in outcome.checks}
    first = connections.get(0)
    payloads = iter(frames(bytes(first.sent))[0] if first is not None else ())
    found, on = [], 0
    for case in cases:
        step = case["steps"][0]
        if step["on"] == 0:
            own = [payload for _, payload in zip(step["frames"], payloads, strict=False)]
            found.append(_class(own, first) if first is not None else "")
        else:
            on += 1
            found.append(answers_of(connections[on], ours) if on in connections else "")
    return found


def _class(payloads: list[bytes], connection: Connection) -> str:
    """Return the class of the answers to some of the messages on a connection."""
    known = {payload[8:20] for payload in payloads}
    return class_of(
        (connection.answers[identity][0] for identity in known if identity in connection.answers), connection
    )


@dataclass(slots=True)
class Tally:
    """How many flights there were, and how many showed something."""

    flown: int = 0
    failed: int = 0

    @property
    def worthwhile(self) -> bool:
        """Whether flights save time, although the cases of some must be played again."""
        return _WORTH * self.failed <= self.flown + 2 * _WORTH
