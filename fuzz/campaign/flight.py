"""Several cases in flight at once: one round trip serves them all, and the IUT is busy with one while another is sent.

Those that are about the session's first connection go out one behind the other, each of the rest on a connection of
its own. Only cases that leave the others alone fly: whole frames, nothing about roles or nominations, no ids of others.
A flight is a case like any other, so that what it brings to light is made smaller, step by step and frame by frame,
down to the case that did it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuzz.judging.answers import answers_of, class_of
from fuzz.player.reading import frames
from fuzz.player.render import octets

if TYPE_CHECKING:
    from fuzz.player.connection import Connection
    from fuzz.player.outcome import Outcome

Case = dict[str, Any]

WIDTH = 8
_WORTH = 4  # flights for one that must be looked into
_OCTETS = 8192  # of a case: what is in flight fits into the buffers of a connection several times over
_PLAIN = {"do", "on", "component", "frames", "probe"}
_TELLING = {"$antirole", 0x8029, 0x802A}  # attributes that may change what holds for the cases beside it
_NOMINATES = 0x0025


def flies(case: Case) -> bool:
    """Whether a case can be in flight beside others."""
    steps = case["steps"]
    if len(steps) != 1 or not _PLAIN.issuperset(steps[0]) or case["plan"]["state"] == "early":
        return False
    step = steps[0]
    if step["do"] != "send" or not step.get("probe") or not step["frames"]:
        return False
    return _leaves_alone(step["frames"], case["plan"]["side"] == "answerer")


def _leaves_alone(some: list[dict[str, Any]], controlling: bool) -> bool:
    """Whether frames change nothing for those beside them; ``controlling``: we are, so that we can nominate."""
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
            size += (4 + len(octets(one["value"]))) * one.get("times", 1) if one["value"][:1] != "$" else 40
    return size <= _OCTETS


def flight(cases: list[Case]) -> Case:
    """Return the case that all of these are together; one alone is what it is."""
    if len(cases) == 1:
        return cases[0]
    first = [frame for case in cases if case["steps"][0]["on"] == 0 for frame in case["steps"][0]["frames"]]
    steps = [{"do": "send", "on": 0, "frames": first, "probe": True, "later": True}] if first else []
    own = [case["steps"][0] for case in cases if case["steps"][0]["on"] > 0]
    steps += [{**step, "on": on, "later": True} for on, step in enumerate(own, 1)]
    return {"class": cases[0]["class"], "plan": cases[0]["plan"], "steps": steps}


def landed(outcome: Outcome) -> bool:
    """Whether every check was answered, and every connection lives."""
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
    """How many flights there were, and how many had to be looked into."""

    flown: int = 0
    failed: int = 0

    @property
    def worthwhile(self) -> bool:
        """Whether flights gain time: what must be played once more does not."""
        return _WORTH * self.failed <= self.flown + 2 * _WORTH
