"""Which faults could make a difference to a session: what a healthy agent decides, each fault would have to decide.

An observed session is that of a healthy agent. Each of its decisions is also taken as each fault would take it. As long
as a fault decides alike, a session with it goes on exactly as this one: where it decides alike to the end, executing it
with the fault shows nothing new. A fault that only writes another text of a description changes nothing but what the
peer reads there: `Observed.observation` has these texts, so that it can be told whether the peer reads the same.
"""

from __future__ import annotations

import copy
import inspect
import math
from functools import wraps
from typing import TYPE_CHECKING, Any

from conformance.agent.decisions import Decisions, Topic
from conformance.agent.faults import FAULTS, decisions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.agent.config import Config

_SURELY = 0.5  # of a delay: a session that ended by then did so before the delay, however busy the machine
TOPICS = tuple(topic for topic in Decisions.__mro__ if issubclass(topic, Topic) and topic not in (Decisions, Topic))
NAMES = tuple(sorted({name for topic in TOPICS for name in vars(topic) if not name.startswith("_")}))
_NAMES = frozenset(NAMES)
# Decisions that draw from the session's random octets, their last argument: a fault draws what was drawn.
_DRAWING = frozenset(name for name in NAMES if "random" in inspect.signature(getattr(Decisions, name)).parameters)
# Decisions how long something is waited for, from now on: they make no difference before that time has passed.
_DELAYS = frozenset({"patience", "patience_for_checks", "consent_interval"})


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
# Decisions how the whole text of a description is written: of any, and then of an offer or answer that is handed out.
_HANDED_OUT = ("offered", "written_answer")
_TEXTS = frozenset({"written", *_HANDED_OUT})


class Observed(Decisions):
    """Lawful decisions. ``consulted``: which were asked for; `touched`: the faults that would have differed.

    `clock` tells the time in seconds; the core of the agent has none. Without one every delay counts as passed.
    """

    clock: Callable[[], float] = staticmethod(lambda: math.inf)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.consulted: set[str] = set()
        self._touched: set[str] = set()
        self._texts: dict[str, str] = {}  # by fault: what it has written of the description that is being written
        self._handed_out: list[tuple[str, dict[str, str]]] = []  # each description, with what faults hand out instead
        self._due: dict[str, float] = {}  # by fault: when the first of its delays would have differed
        self._faulty = {fault.name: decisions(frozenset({fault.name}))(config) for fault in FAULTS}

    @property
    def touched(self) -> set[str]:
        """The faults that would have differed by now."""
        return self._otherwise_touched | {fault for _, others in self._handed_out for fault in others}

    @property
    def _otherwise_touched(self) -> set[str]:
        """Those that would have differed in more than the texts of descriptions."""
        now = self.clock()
        return self._touched | {fault for fault, due in self._due.items() if due <= now}

    @property
    def observation(self) -> dict[str, object]:
        """What a session has shown, for JSON.

        ``touched``: the faults that would have differed in anything but the texts of descriptions; `texts`: each
        description that was handed out, with what each other fault would have handed out instead, where this differs.
        """
        touched = self._otherwise_touched
        texts = [
            (text, {fault: other for fault, other in others.items() if fault not in touched})
            for text, others in self._handed_out
        ]
        return {"touched": sorted(touched), "texts": texts}

    def note(self, name: str, lawful: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Return what is decided, having compared it with what each fault would decide."""
        again = name in self.consulted
        self.consulted.add(name)
        open_ = [fault for fault in REPLACING[name] if fault not in self._touched]
        inputs = {fault: _own(name, arguments) for fault in open_}
        drawn: list[bytes] = []
        if name in _DRAWING:
            arguments = (*arguments[:-1], _Noted(arguments[-1], drawn))
        value = refusal = None
        try:
            value = lawful(self, *arguments, **named)
        except Exception as error:
            refusal = error
        expected = _state(name, arguments, value) if refusal is None else type(refusal)
        for fault in open_:
            if name in _DRAWING:
                inputs[fault] = (*arguments[:-1], _Drawn(drawn))
            if (name == "inbound" and again) or self._differs(fault, name, inputs[fault], named, expected):
                self._touched.add(fault)
        if refusal is not None:
            raise refusal
        return value

    def note_text(self, name: str, lawful: Callable[..., str], text: str) -> str:
        """Return how a description is written, having written it as each fault would."""
        value = lawful(self, text)
        for fault in {*REPLACING[name], *self._texts} - self._touched:
            other = self._texts.pop(fault, text)
            if fault in REPLACING[name]:
                try:
                    other = getattr(self._faulty[fault], name)(other)
                except Exception:
                    self._touched.add(fault)
                    continue
            if not other or other.count("\nm=") != value.count("\nm="):
                self._touched.add(fault)  # the agent counts the sections of what it has offered
            elif other != value:
                self._texts[fault] = other
        if name in _HANDED_OUT:
            self._handed_out.append((value, self._texts))
            self._texts = {}
        return value

    def _differs(self, fault: str, name: str, arguments: tuple[Any, ...], named: dict[str, Any], expected: Any) -> bool:
        try:
            value = getattr(self._faulty[fault], name)(*arguments, **named)
        except Exception as error:
            return type(error) is not expected  # otherwise both refuse alike
        if name in _DELAYS and value != expected:
            due = self.clock() + _SURELY * min(value, expected)
            self._due[fault] = min(due, self._due.get(fault, due))
            return False
        return bool(_state(name, arguments, value) != expected)


class _Noted:
    """Random octets, each draw of which is noted."""

    def __init__(self, random: Callable[[int], bytes], drawn: list[bytes]) -> None:
        self._random, self._drawn = random, drawn

    def __call__(self, count: int) -> bytes:
        octets = self._random(count)
        self._drawn.append(octets)
        return octets


class _Drawn:
    """The same octets again. What was not drawn cannot be drawn again: `ValueError`."""

    def __init__(self, drawn: Sequence[bytes]) -> None:
        self._left = iter(drawn)

    def __call__(self, count: int) -> bytes:
        octets = next(self._left, b"")
        if len(octets) != count:
            raise ValueError(f"{count} octets were not drawn")
        return octets


def _own(name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments for a fault: of its own where the decision changes them."""
    if name == "deframe":
        return (copy.deepcopy(arguments[0]), *arguments[1:])
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

    @wraps(lawful)
    def write(self: Observed, text: str) -> str:
        self.consulted.add(name)
        return self.note_text(name, lawful, text)

    return write if name in _TEXTS else decide


for _name in NAMES:
    setattr(Observed, _name, _watched(_name))
