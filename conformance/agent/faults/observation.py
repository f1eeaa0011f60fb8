"""Which faults could make a difference to a session: what a healthy agent decides, each fault would have to decide.

An observed session is that of a healthy agent. Each of its decisions is also taken as each fault would take it. As long
as a fault decides alike, a session with it goes on exactly as this one: where it decides alike to the end, executing it
with the fault shows nothing new.
"""

from __future__ import annotations

import copy
import inspect
import secrets
from functools import wraps
from typing import TYPE_CHECKING, Any

from conformance.agent.decisions import Decisions, Topic
from conformance.agent.faults import FAULTS, decisions

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.config import Config

_UNCERTAIN = frozenset({"credentials"})  # what a fault does with these shows later, and not in what it answers
TOPICS = tuple(topic for topic in Decisions.__mro__ if issubclass(topic, Topic) and topic not in (Decisions, Topic))
NAMES = tuple(sorted({name for topic in TOPICS for name in vars(topic) if not name.startswith("_")}))
_NAMES = frozenset(NAMES)
# Decisions that draw from the session's random octets, their last argument: a fault must not use up what others draw.
_DRAWING = frozenset(name for name in NAMES if "random" in inspect.signature(getattr(Decisions, name)).parameters)


def replaced(replacement: type[Topic]) -> frozenset[str]:
    """Return the decisions that a fault's class replaces, itself or by what it has in common with other faults."""
    return frozenset(name for cls in replacement.__mro__ if cls not in TOPICS for name in vars(cls) if name in _NAMES)


def _replacing() -> dict[str, list[str]]:
    """Return, by decision, the faults that replace it."""
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    for fault in FAULTS:
        for name in replaced(fault.replacement):
            found[name].append(fault.name)
    return found


REPLACING = _replacing()


class Observed(Decisions):
    """Lawful decisions. ``consulted``: which were asked for; ``touched``: the faults that would have differed."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.consulted: set[str] = set()
        self.touched: set[str] = set()
        self._faulty = {fault.name: decisions(frozenset({fault.name}))(config) for fault in FAULTS}

    def note(self, name: str, lawful: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Return what is decided, having compared it with what each fault would decide."""
        again = name in self.consulted
        self.consulted.add(name)
        open_ = [fault for fault in REPLACING[name] if fault not in self.touched]
        inputs = {fault: _own(name, arguments) for fault in open_}
        value = lawful(self, *arguments, **named)
        for fault in open_:
            differs = name in _UNCERTAIN or (name == "inbound" and again)
            if not differs:
                differs = self._differs(fault, name, inputs[fault], named, _state(name, arguments, value))
            if differs:
                self.touched.add(fault)
        return value

    def _differs(self, fault: str, name: str, arguments: tuple[Any, ...], named: dict[str, Any], expected: Any) -> bool:
        try:
            value = getattr(self._faulty[fault], name)(*arguments, **named)
        except Exception:
            return True  # so would the session have
        return bool(_state(name, arguments, value) != expected)


def _own(name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments for a fault: of its own where the decision changes them or uses them up."""
    if name == "deframe":
        return (copy.deepcopy(arguments[0]), *arguments[1:])
    if name in _DRAWING:
        return (*arguments[:-1], secrets.token_bytes)
    return arguments


def _state(name: str, arguments: tuple[Any, ...], value: Any) -> Any:
    """Return what two decisions are compared by."""
    if name == "deframe":
        return value, arguments[0].at_boundary, arguments[0].began
    if name == "host_candidates":
        return [local.candidate for local in value]
    if name == "inbound":
        return None
    return tuple(value) if isinstance(value, list) else value


def _watched(name: str) -> Callable[..., Any]:
    lawful = getattr(Decisions, name)

    @wraps(lawful)
    def decide(self: Observed, *arguments: Any, **named: Any) -> Any:
        return self.note(name, lawful, arguments, named)

    return decide


for _name in NAMES:
    setattr(Observed, _name, _watched(_name))
