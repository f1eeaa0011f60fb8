"""Minimises a case that shows something: the session, the steps, frames and cuts, then the fields.

Smaller means closer to valid: what can be restored is restored, what can be left out is left out, values become short.
Each question is a trial with the IUT, so their number is limited.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from fuzz.player.render import has_symbol, refusal, request, success

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Holds = Callable[[dict[str, Any]], bool]

Case = dict[str, Any]

_PLAN = {"state": "fresh", "components": 1, "side": "offerer", "iut": "passive", "media": "rtp"}
_USUAL = {attribute["type"]: attribute for attribute in request()["attributes"]}
_BASES: dict[int, Callable[[], dict[str, Any]]] = {0x0101: success, 0x0111: lambda: refusal(400)}
_FEW = 4
_ROUNDS = 4
_EXTRAS = ("delta", "tail", "patch", "cut", "cookie", "id")


class _Budget:
    """Counts the questions, and remembers the answers."""

    def __init__(self, holds: Holds, most: int) -> None:
        self._holds, self.left = holds, most
        self._known: dict[str, bool] = {}

    def __call__(self, case: Case) -> bool:
        key = repr(case)
        if key not in self._known:
            if self.left <= 0:
                return False
            self.left -= 1
            self._known[key] = self._holds(case)
        return self._known[key]


def minimise(case: Case, holds: Holds, most: int = 80) -> Case:
    """Return the smallest case found that still `holds`, asking at most so often."""
    ask = _Budget(holds, most)
    for _ in range(_ROUNDS):
        before = copy.deepcopy(case)
        for simpler in (_plan, _steps, _frames, _fields):
            case = simpler(case, ask)
        if case == before or ask.left <= 0:
            break
    return case


def shrink_list(items: list[Any], holds: Callable[[list[Any]], bool], least: int = 0) -> list[Any]:
    """Return the fewest items found that still hold: halves, then quarters, then each."""
    size = max(1, len(items) // 2)
    while items and len(items) > least:
        for begin in range(0, len(items), size):
            fewer = items[:begin] + items[begin + size :]
            if len(fewer) >= least and holds(fewer):
                items = fewer
                break
        else:
            if size == 1:
                return items
            size = max(1, size // 2)
            continue
        size = max(1, min(size, len(items) // 2))
    return items


def _with(case: Case, path: tuple[Any, ...], value: Any) -> Case:
    """Return a copy of a case with the value at a path replaced, or removed if it is None."""
    changed = copy.deepcopy(case)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


def _try(case: Case, ask: _Budget, path: tuple[Any, ...], value: Any) -> tuple[Case, bool]:
    changed = _with(case, path, value)
    return (changed, True) if ask(changed) else (case, False)


def _plan(case: Case, ask: _Budget) -> Case:
    for name, value in _PLAN.items():
        if case["plan"].get(name) != value:
            case, _ = _try(case, ask, ("plan", name), value)
    if "addresses" in case["plan"]:
        case, _ = _try(case, ask, ("plan", "addresses"), None)
    if case["plan"].get("sdp"):
        kept = shrink_list(case["plan"]["sdp"], lambda edits: ask(_with(case, ("plan", "sdp"), edits)))
        case = _with(case, ("plan", "sdp"), kept or None)
        for index, operation in enumerate(kept):
            for text in _shorter_text(operation):
                case, done = _try(case, ask, ("plan", "sdp", index, 2), text)
                if done:
                    break
    return case


def _shorter_text(operation: list[Any]) -> Iterator[str]:
    """Yield shorter forms of a line with a long run of one character."""
    text = operation[2] if len(operation) > 2 and isinstance(operation[2], str) else ""
    for size in (8, 33, 64, 100, 257, 1000):
        for word in sorted(set(text)):
            run = word * (size + 1)
            if run in text:
                start = text.index(run)
                end = start + len(text[start:]) - len(text[start:].lstrip(word))
                yield text[:start] + word * size + text[end:]


def _steps(case: Case, ask: _Budget) -> Case:
    kept = shrink_list(case["steps"], lambda steps: ask({**case, "steps": steps}))
    case = {**case, "steps": kept}
    ordered = _in_order(kept)
    if ordered != kept and ask({**case, "steps": ordered}):
        case = {**case, "steps": ordered}
    for index in range(len(kept)):
        case = _step(case, ask, index)
    return case


def _in_order(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return steps whose connections are numbered in the order of their first use."""
    if any("count" in step for step in steps):
        return steps
    own = dict.fromkeys(step["on"] for step in steps if step.get("on"))
    place = {on: number for number, on in enumerate(own, 1)}
    return [{**step, "on": place[step["on"]]} if step.get("on") else step for step in steps]


def _step(case: Case, ask: _Budget, index: int) -> Case:
    step = case["steps"][index]
    for name in ("later", "stop", "cuts", "gap", "component", "candidate"):
        if name not in step:
            continue
        case, done = _try(case, ask, ("steps", index, name), None)
        if not done and name == "cuts":
            case = _cuts(case, ask, index)
    for name in ("count", "times"):
        value = step.get(name, 1) // 2
        while value:
            case, done = _try(case, ask, ("steps", index, name), value)
            value = value // 2 if done else 0
    case = _on(case, ask, index)
    whole = step.get("octets", "")
    for octets in dict.fromkeys((whole[:2], whole[:6], whole[: len(whole) // 4 * 2])):
        if len(octets) < len(whole):
            case, done = _try(case, ask, ("steps", index, "octets"), octets)
            if done:
                break
    return case


def _on(case: Case, ask: _Budget, index: int) -> Case:
    """Put a step on the session's own connection, or on the first of the case's.

    No end: what an IUT owes to a session whose connection was closed is another question.
    """
    for on in (1,) if case["steps"][index]["do"] == "end" else (0, 1):
        if case["steps"][index].get("on", 0) > on:
            case, done = _try(case, ask, ("steps", index, "on"), on)
            if done:
                break
    return case


def _cuts(case: Case, ask: _Budget, index: int) -> Case:
    return _list(case, ask, ("steps", index, "cuts"), 1)


def _frames(case: Case, ask: _Budget) -> Case:
    for index, step in enumerate(case["steps"]):
        if "frames" not in step:
            continue
        case = _list(case, ask, ("steps", index, "frames"))
        for place in range(len(case["steps"][index]["frames"])):
            case = _frame(case, ask, ("steps", index, "frames", place))
    return case


def _frame(case: Case, ask: _Budget, path: tuple[Any, ...]) -> Case:
    if "octets" in _at(case, path):
        case = _shorten(case, ask, (*path, "octets"))
    elif ask.left > _FEW:
        for octets in ("", "00", "80"):
            case, done = _try(case, ask, path, {"octets": octets})
            if done:
                break
    if "length" in _at(case, path):
        case, _ = _try(case, ask, (*path, "length"), None)
    return case


def _shorten(case: Case, ask: _Budget, path: tuple[Any, ...]) -> Case:
    """Make a value short: nothing, an octet, or as few as still do."""
    place: Any = case
    for key in path:
        place = place[key]
    if not isinstance(place, str) or has_symbol(place) or not place:
        return case
    piece, star, count = place.partition("*")
    size = int(count) if star else len(piece) // 2
    unit = piece if star else piece[:2]
    for option in ("", unit, *((f"{piece[:8]}",) if not star and size > 4 else ())):
        if option != place:
            case, done = _try(case, ask, path, option)
            if done:
                return case
    low, high = 1, size
    if not star and size > 1:
        case, done = _try(case, ask, path, f"{unit}*{size}")
        if not done:
            return case
    while low < high and ask.left > 0:
        middle = (low + high) // 2
        case, done = _try(case, ask, path, f"{unit}*{middle}")
        if done:
            high = middle
        else:
            low = middle + 1
    return case


def _fields(case: Case, ask: _Budget) -> Case:
    for index, step in enumerate(case["steps"]):
        frames = [("frames", place) for place in range(len(step.get("frames", ())))]
        for name, place in frames:
            if "message" in step[name][place]:
                case = _message(case, ask, ("steps", index, name, place, "message"))
    return case


def _at(case: Case, path: tuple[Any, ...]) -> Any:
    place: Any = case
    for key in path:
        place = place[key]
    return place


def _message(case: Case, ask: _Budget, path: tuple[Any, ...]) -> Case:
    for valid in (request(), _BASES.get(_at(case, path)["type"], request)()):
        if _at(case, path) != valid:
            case, done = _try(case, ask, path, valid)
            if done:
                return case
    case = _single(case, ask, path)
    for name in _EXTRAS:
        message = _at(case, path)
        if name in message and not (name == "id" and message["type"] & 0x100):
            case, done = _try(case, ask, (*path, name), None)
            if not done and name == "patch":
                case = _list(case, ask, (*path, name), 1)
    if _at(case, path)["type"] not in (0x0001, 0x0101, 0x0111):
        case, _ = _try(case, ask, (*path, "type"), 1)
    return _attributes(case, ask, (*path, "attributes"))


def _single(case: Case, ask: _Budget, path: tuple[Any, ...]) -> Case:
    """Keep only one of the things that are wrong with a message outside its attributes, if that suffices."""
    message = _at(case, path)
    base = _BASES.get(message["type"], request)()
    for name in ("type", *_EXTRAS):
        if name in message and base.get(name) != message[name]:
            case, done = _try(case, ask, path, {**base, name: message[name]})
            if done:
                break
    return case


def _list(case: Case, ask: _Budget, path: tuple[Any, ...], least: int = 0) -> Case:
    """Make a list shorter."""
    kept = shrink_list(_at(case, path), lambda some: ask(_with(case, path, some)), least)
    return _with(case, path, kept)


def _attributes(case: Case, ask: _Budget, path: tuple[Any, ...]) -> Case:
    case = _restore(case, ask, path)
    everything = _at(case, path)
    extra = [place for place, one in enumerate(everything) if one != _USUAL.get(one["type"])]

    def only(kept: list[int]) -> list[Any]:
        return [one for place, one in enumerate(everything) if place not in extra or place in kept]

    kept = shrink_list(extra, lambda some: ask(_with(case, path, only(some))))
    if len(kept) < len(extra):
        case = _with(case, path, only(kept))
    case = _restore(case, ask, path)
    for place, attribute in enumerate(_at(case, path)):
        for name in ("length", "padding", "times"):
            if name in attribute:
                case, done = _try(case, ask, (*path, place, name), None)
                if name == "times" and not done:
                    case = _fewer(case, ask, (*path, place, name))
        if attribute != _USUAL.get(attribute["type"]):
            case = _shorten(case, ask, (*path, place, "value"))
    return case


def _fewer(case: Case, ask: _Budget, path: tuple[Any, ...]) -> Case:
    """Make a number as small as it may be."""
    low, high = 2, _at(case, path)
    while low < high and ask.left > 0:
        middle = (low + high) // 2
        case, done = _try(case, ask, path, middle)
        low, high = (low, middle) if done else (middle + 1, high)
    return case


def _restore(case: Case, ask: _Budget, path: tuple[Any, ...]) -> Case:
    """Restore the attributes of a valid check, with their values, in their places."""
    if _at(case, path[:-1])["type"] & 0x0110:
        return case
    for kind, usual in _USUAL.items():
        attributes = _at(case, path)
        places = [place for place, attribute in enumerate(attributes) if attribute["type"] == kind]
        if not places:
            order = list(_USUAL)
            before = [place for place, a in enumerate(attributes) if a["type"] in order[: order.index(kind)]]
            place = before[-1] + 1 if before else 0
            case, _ = _try(case, ask, path, [*attributes[:place], dict(usual), *attributes[place:]])
        elif attributes[places[0]] != usual:
            case, _ = _try(case, ask, (*path, places[0]), dict(usual))
    return case
