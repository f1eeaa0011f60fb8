"""Inputs that are known to break parsers and agents. Every campaign plays them first, before the search by seed.

Each case stands for a mistake that implementations have made: in descriptions and candidates, in STUN messages, in
RFC 4571 framing, and in which connection owns a session, a transaction or a pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzz.dangerous.connections import check, framing, owners, send
from fuzz.dangerous.descriptions import candidates, descriptions, targets
from fuzz.dangerous.messages import answers, checks
from fuzz.generate import plans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Case = dict[str, Any]
Step = dict[str, Any]

_OURS = {"passive": "active", "active": "passive", "so": "so"}  # the tcptype of our candidates


def cases(pics: Mapping[str, Any], shard: int = 0) -> list[Case]:
    """Return the dangerous cases for an IUT. Each shard has all of them, beginning at another place."""
    known = plans(pics)
    fresh = [plan for plan in known if plan["state"] == "fresh" and plan["components"] == 1]
    passive = [plan for plan in fresh if plan["iut"] == "passive"]
    first = (passive or fresh)[0]
    connecting = [plan for plan in fresh if plan["iut"] not in ("passive", first["iut"])][:1]
    traffic = [*_traffic(first), *_in_other_states(known, restarts=bool(pics.get("restart")))]
    groups = [traffic, [*_described(first, connecting, trickles=bool(pics.get("trickle")))]]
    whole = [case for group in (groups if shard % 2 == 0 else groups[::-1]) for case in group]
    place = len(whole) * (_reversed_bits(shard // 2))
    return [*whole[int(place) :], *whole[: int(place)]]


def _reversed_bits(number: int) -> float:
    """Return 0, 1/2, 1/4, 3/4, 1/8 and so on: places that share a range evenly, for any number of shards."""
    share, found = 0.5, 0.0
    while number:
        found += share * (number & 1)
        share, number = share / 2, number >> 1
    return found


def _described(first: dict[str, Any], others: Iterable[dict[str, Any]], *, trickles: bool) -> Iterator[Case]:
    """Return cases of descriptions; `others` are sessions in which the IUT connects to our candidates."""
    for edits in descriptions(_OURS[first["iut"]]):
        yield _case({**first, "sdp": edits}, [send(0, check())])
    for plan in others:
        for line in targets(_OURS[plan["iut"]]):
            yield _case({**plan, "sdp": [["insert", -1, line]]}, [send(0, check())])
    for line in candidates(_OURS[first["iut"]]) if trickles else ():
        yield _case(first, [{"do": "trickle", "line": line}, send(0, check())])


def _traffic(plan: dict[str, Any]) -> Iterator[Case]:
    several = plan["iut"] == "passive"  # it accepts more than one connection
    hear: Step = {"do": "hear", "on": 1}
    steps = [  # simple ones first: what they find explains what the others show
        *([send(1, {"message": message})] for message in checks()),
        *([send(1, check()), hear, send(1, {"message": message})] for message in answers()),
        *framing(),
        *(owners() if several else ()),
    ]
    for some in steps:
        yield _case(plan, some if several else _standing(some))


def _in_other_states(known: Iterable[dict[str, Any]], *, restarts: bool) -> Iterator[Case]:
    """Return cases for passive candidates: after a nomination, before our description, and with restarts."""
    plans_of = {plan["state"]: plan for plan in known if plan["iut"] == "passive" and plan["components"] == 1}
    if "completed" in plans_of:
        for steps in (*owners(), *framing()):
            yield _case(plans_of["completed"], steps)
    if "early" in plans_of:
        quiet, end = send(1, check(), probe=False), {"do": "end", "on": 1, "how": "rst"}
        for steps in ([quiet], [quiet, {**quiet, "on": 2}, end], [quiet, {"do": "accept"}, quiet]):
            yield _case(plans_of["early"], steps)
    if restarts and "fresh" in plans_of:
        again: Step = {"do": "restart"}
        ends = {"do": "end", "on": 1, "how": "rst"}
        for steps in ([again], [again, again], [send(1, check()), again, send(1, check()), ends]):
            yield _case(plans_of["fresh"], [*steps, send(0, check())])


def _case(plan: dict[str, Any], steps: list[Step]) -> Case:
    return {"class": "dangerous", "plan": plan, "steps": steps}


def _standing(steps: list[Step]) -> list[Step]:
    """Return steps on the only connection that an IUT opens; nothing can follow its end."""
    found: list[Step] = []
    for step in steps:
        if step["do"] == "hear":
            continue
        found.append({**step, "on": 0} if "on" in step else step)
        if step["do"] == "end":
            break
    return found
