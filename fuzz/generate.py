"""Cases from a seed: a pure function of seed, shard, number, and the corpus so far.

A case is plain data: {"class": the kind of input, "plan": the session, "steps": [...]}. How often each class met each
kind of session is the coverage of the model.
"""

from __future__ import annotations

import copy
from random import Random
from typing import TYPE_CHECKING, Any

from fuzz.dictionary import Dictionary
from fuzz.mutate import LONG, MUTATORS, SIZES, whole
from fuzz.player.render import refusal, request, success
from fuzz.schedule import ending, schedule
from fuzz.sdp_lines import candidate, edit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Case = dict[str, Any]
Step = dict[str, Any]

RTP = "800000010000000100000001"
DTLS = "16fefd0000000000000000000c010000000000000000000000"
# Records that share a connection with STUN (RFC 7983), whole and cut: RTP with a CSRC count, an extension, missing
# padding; RTCP; a DTLS alert, a ClientHello that breaks off; ChannelData, also one that says too much; QUIC; ZRTP.
RECORDS = (
    RTP, RTP + "ff*160", "8f000001000000010000000100", "90000001000000010000000100010004",
    "a00000010000000100000001ff", "80c8000600000001" + "00*20", "81cbffff00000001", DTLS,
    "15fefd00000000000000000002022a",
    "16feff000000000000ffff00010100", "14fefd0000000000000000000101", "40000004deadbeef", "4000ffff00", "4fff0000",
    "c3000000010800", "1000000150485a524f", "01", "7f",
)  # fmt: skip
_LAST = request()["attributes"][-1:]
LOOKALIKE = "000100002112a442"
PER_BLOCK = 48
SERVED: Step = {"do": "send", "on": 0, "frames": [], "probe": True}  # when it is answered, what came before is served
DESCRIPTIONS = 2  # of these, mutations of the description, each in a session of its own
CASES = PER_BLOCK - DESCRIPTIONS  # the others, which share sessions


def plans(pics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the sessions that an IUT can be put into."""
    sides = pics.get("sides") or ["offerer", "answerer"]
    connects = pics.get("connects") or []
    kinds = [kind for kind in ("passive", "active") if kind in connects or kind in (pics.get("offers") or [])]
    kinds += ["so"] if "so" in connects else []  # it connects to ours, as an active one does
    found = []
    for state in ("fresh", "checked", "completed", "early"):
        for side in sides:
            for kind in kinds:
                if state == "early" and (side == "answerer" or kind != "passive"):
                    continue
                for components in (1, 2) if pics.get("components", 1) > 1 and kind == "passive" else (1,):
                    found.append(_plan(side, kind, components, state))
    if pics.get("profile") == "webrtc":
        return [{**plan, "profile": "webrtc"} for plan in found]
    return found


def _plan(side: str, kind: str, components: int, state: str) -> dict[str, Any]:
    return {"side": side, "iut": kind, "media": "rtp", "components": components, "state": state}


class Generator:
    """Makes the cases of a shard. ``corpus`` grows when a case shows something new.

    ``only``: the classes of input to make, if not all; ``connections``: "standing", every case on the session's first
    connection; "new", each on one of its own; "mixed". ``words``: dictionary entries in addition to the built-in ones.
    """

    def __init__(
        self,
        seed: int,
        shard: int,
        pics: Mapping[str, Any],
        only: Sequence[str] = (),
        connections: str = "mixed",
        words: Sequence[bytes] = (),
    ) -> None:
        self.seed, self.shard, self.connections = seed, shard, connections
        self.dictionary = Dictionary(words)
        self.mutators = (*MUTATORS, self.dictionary.mutate, *[self.dictionary.mutate] * (3 if words else 0))
        self.evolves = not only or "corpus" in only
        self.describes = not only or "sdp" in only
        self.dangerous = not only or "dangerous" in only
        self.searches = [*only] != ["dangerous"]
        self._makers = [one for one in _CLASSES if not only or one[0] in only] or list(_CLASSES)
        self._total = sum(share for _, share, _ in self._makers)
        self.corpus: list[Case] = []  # each with at least one step
        self.restarts, self.trickles = bool(pics.get("restart")), bool(pics.get("trickle"))
        self.addresses = 2 if "addresses" in (pics.get("obeys") or ()) else 1
        self.plans = plans(pics)
        self._weights = [6 if p["state"] == "fresh" and p["iut"] == "passive" else 1 for p in self.plans]
        self._random = Random()

    def _source(self, number: int, purpose: int) -> Random:
        self._random.seed(((self.seed << 16 | self.shard) << 48 | number) << 8 | purpose)
        return self._random

    def plan(self, session: int) -> dict[str, Any]:
        """Return the plan of a session, by its number."""
        random = self._source(session, 1)
        plan = dict(random.choices(self.plans, self._weights)[0])
        if random.random() < 0.1 and "profile" not in plan:
            plan["media"] = "bytes"
        if random.random() < 0.15 and plan["iut"] == "passive" and self.addresses > 1:
            plan["addresses"] = self.addresses
        return plan

    def sdp_case(self, number: int) -> Case:
        """Return a case with a mutated description, which needs a session of its own."""
        random = self._source(number, 2)
        plan = dict(random.choice([plan for plan in self.plans if plan["state"] == "fresh"]))
        plan["sdp"] = [edit(random, self.dictionary) for _ in range(random.choice((1, 1, 1, 2, 4)))]
        return {"class": "sdp", "plan": plan, "steps": [_send(random, 0, [{"message": request()}])]}

    def case(self, number: int, plan: dict[str, Any], attempt: int = 0) -> Case:
        """Return a case."""
        random = self._source(number, 3 + attempt)
        draw = random.random()
        if draw < 0.15 and self.corpus and self.evolves:
            return {"class": "corpus", "plan": plan, "steps": self._place(self._evolve(random), plan)}
        name, make = self._choose(random)
        return {"class": name, "plan": plan, "steps": self._place(make(random, self), plan)}

    def _choose(self, random: Random) -> tuple[str, Callable[[Random, Generator], list[Step]]]:
        draw = random.random() * self._total
        for name, share, make in self._makers:
            draw -= share
            if draw < 0:
                return name, make
        return self._makers[0][0], self._makers[0][2]

    def _place(self, steps: list[Step], plan: dict[str, Any]) -> list[Step]:
        """Assign steps to connections."""
        if self.connections != "mixed":
            own = self.connections == "new"
            for step in steps:
                if "on" in step:
                    step["on"] = (step["on"] or 1) if own else 0
        return _fit(steps, plan, self.restarts)

    def _evolve(self, random: Random) -> list[Step]:
        """Mutate a case of the corpus."""
        steps: list[Step] = copy.deepcopy(random.choice(self.corpus)["steps"])
        for step in steps:
            for frame in step.get("frames", ()):
                if "message" in frame and random.random() < 0.7:
                    random.choice(self.mutators)(random, frame["message"])
            if step["do"] == "send" and not step.get("cuts") and random.random() < 0.15:
                schedule(random, step)
        last = steps[-1]
        if last["do"] == "send" and last["on"] and random.random() < 0.05:
            last.pop("probe", None)
            last["stop"] = random.randrange(1, 120)
            steps += [ending(random, last["on"]), *served()]
        if random.random() < 0.15:
            other = copy.deepcopy(random.choice(self.corpus)["steps"])
            steps = (steps + other)[:8]
        return steps


def _fit(steps: list[Step], plan: dict[str, Any], restarts: bool) -> list[Step]:
    """Make steps possible in a session: an IUT that connects does so once, and there are only the plan's components.

    A second description without a restart is not traffic: the adapter contract does not allow the call.
    """
    if plan["iut"] != "passive" or plan["state"] == "early":  # no further check will come
        steps = [step for step in steps if step["do"] != "hear"]
    for step in steps:
        if plan["iut"] != "passive" and "on" in step:
            step["on"] = 0
            step.pop("count", None)
            step.pop("candidate", None)
        if step["do"] == "accept" and plan["state"] != "early":
            step["do"] = "restart" if restarts else "wait"
            step.update({} if restarts else {"ms": 1})
        if step.get("component", 1) > plan["components"]:
            step["component"] = plan["components"]
    if plan["state"] == "early" or (plan["iut"] != "passive" and any(step["do"] == "end" for step in steps)):
        steps = [step for step in steps if step != SERVED]  # nothing must be answered, or its only connection has ended
    return steps


def _send(random: Random, on: int, frames: list[dict[str, Any]], probe: bool = True) -> Step:
    step: Step = {"do": "send", "on": on, "frames": frames}
    if probe:
        step["probe"] = True
    return step


# -- kinds of input ----------------------------------------------------------------------------------------------------


def _mutant(random: Random, generator: Generator, base: dict[str, Any]) -> dict[str, Any]:
    for _ in range(random.choice((1, 1, 1, 1, 2, 2, 3))):
        random.choice(generator.mutators)(random, base)
    return {"message": base}


def requests(random: Random, generator: Generator) -> list[Step]:
    """A mutated check on the standing connection or on one of its own."""
    on = 0 if random.random() < 0.7 else 1
    mutant = _mutant(random, generator, request())
    step = _send(random, on, [mutant])
    if _speaks(mutant["message"]):
        step["probe"] = "silent"
    return [step]


def _speaks(message: dict[str, Any]) -> bool:
    """Whether every agent answers, perhaps with an error: framing, header and fingerprint are unchanged."""
    attributes = message["attributes"]
    if len(message) > 2 or message["type"] != 1 or attributes[-1:] != _LAST:
        return False
    if any(one["type"] == 0x8028 for one in attributes[:-1]):
        return False
    return not any("length" in one or "padding" in one for one in attributes)


def responses(random: Random, generator: Generator) -> list[Step]:
    """A mutated response to the IUT's check, or an indication."""
    draw = random.random()
    if draw < 0.35:
        base = success()
    elif draw < 0.8:
        base = refusal(random.choice((300, 400, 401, 420, 438, 487, 487, 500, 600, 699)))
    else:
        base = request()
        base["type"] = 0x0011
    frame = _mutant(random, generator, base) if random.random() < 0.85 else {"message": base}
    if random.random() < 0.75:
        return [_send(random, 0, [frame])]
    heard = {"do": "hear", "on": 1}
    return [_send(random, 1, [{"message": request()}]), heard, _send(random, 1, [frame])]


def frames(random: Random, generator: Generator) -> list[Step]:
    """Frames that are empty, long, nested, not STUN, or have a wrong LENGTH."""
    draw = random.random()
    on = 0 if random.random() < 0.5 else 1
    component = 2 if random.random() < 0.3 else 1
    some: list[dict[str, Any]]
    if draw < 0.15:
        some = [{"octets": ""} for _ in range(random.choice((1, 1, 2, 10)))]
    elif draw < 0.3:
        some = [{"octets": whole(random.choice((*RECORDS, LOOKALIKE, "00*4", "80", "ff*20")))} for _ in range(3)]
    elif draw < 0.42:
        some = [{"octets": f"{random.choice(('80', '00', '41'))}*{random.choice(SIZES + LONG + LONG + [65535])}"}]
    elif draw < 0.55:
        some = [{"message": request()} for _ in range(random.choice((2, 3, 4, 5, 10, 40)))]
    elif draw < 0.62:
        some = [{"frames": [{"message": request()}, {"octets": RTP}]}]
    elif draw < 0.72:
        octets = generator.dictionary.octets(random) if random.random() < 0.4 else ""
        some = [{"octets": octets or random.randbytes(random.choice(SIZES)).hex()}]
    elif draw < 0.78:
        some = [{"octets": LOOKALIKE + random.randbytes(random.choice((0, 11, 12, 13, 40))).hex()}]
    else:
        length = random.choice((0, 1, 2, 19, 20, 1000, 0x7FFF, 0x8000, 0xFFFC, 0xFFFE, 0xFFFF))
        tail = [] if random.random() < 0.5 else [ending(random, 1)]
        return [_send(random, 1, [{"message": request(), "length": length}], probe=False), *tail]
    step = {**_send(random, on, some), "component": component}
    if random.random() < 0.1:
        schedule(random, step)
    return [step] if component == 1 else [{**step, "on": 2}]


def segments(random: Random, generator: Generator) -> list[Step]:
    """Valid checks in unusual segments, or cut off by the end of the connection."""
    if random.random() < 0.5:
        some = [{"message": request()} for _ in range(random.choice((1, 1, 2)))]
        if random.random() < 0.3:
            some[0] = _mutant(random, generator, request())
        step = _send(random, 1, some)
        schedule(random, step)
        return [step]
    if random.random() < 0.5:
        octets = "00700001005c2112a442" + "41" * 100
        part = random.choice((1, 1, 2, 3, 10, 22, 50, 80))
        steps: list[Step] = [{"do": "raw", "on": 1, "octets": octets[: 2 * part]}]
    else:
        steps = [_part(random, generator, 1)]
        if random.random() < 0.15:
            steps += [{"do": "urgent", "on": 1, "octets": "00"}, {"do": "rest", "on": 1}]
    taken_in = served() if random.random() < 0.4 else []  # or the end may overtake what it follows
    return [*steps, *taken_in, ending(random, 1), *served()]


def _part(random: Random, generator: Generator, on: int) -> Step:
    """Return a step that sends one or two frames in part."""
    some = [{"message": request()} for _ in range(random.choice((1, 1, 2)))]
    if random.random() < 0.5:
        media: dict[str, Any] = {"octets": whole(random.choice(RECORDS))}
        some[-1] = _mutant(random, generator, request()) if random.random() < 0.7 else media
    stop = (
        random.choice((1, 1, 2, 3, 12, 22, 30, -1, -2, -4, -9, -30))
        if random.random() < 0.6
        else random.randrange(1, 190)
    )
    return {**_send(random, on, some, probe=False), "stop": stop}


def served() -> list[Step]:
    """Return steps that show that the IUT has served what came before, and that the standing connection is open.

    Twice: an event loop may come to the standing connection before the other one.
    """
    return [dict(SERVED), dict(SERVED)]


def interleaved(random: Random, generator: Generator) -> list[Step]:
    """Return frames that arrive in parts on several connections in turn, each to another candidate."""
    numbers = list(range(1, random.choice((3, 3, 4, 6))))
    first = [{**_part(random, generator, on), "candidate": on} for on in numbers]
    random.shuffle(numbers)
    rest: list[Step] = [{"do": "rest", "on": on, "probe": True} for on in numbers]
    if random.random() < 0.2:
        rest[0] = ending(random, numbers[0])
    return [*first, *rest, *served()]


def connections(random: Random, generator: Generator) -> list[Step]:
    """Several connections: silent, ended at once, or interleaved."""
    draw = random.random()
    if draw < 0.2:
        count = random.choice((1, 2, 5, 20))
        return [{"do": "open", "on": 1, "count": count}]
    if draw < 0.35:
        return [{"do": "open", "on": 1}, ending(random, 1), *served()]
    if draw < 0.65:
        return interleaved(random, generator)
    steps = []
    for on in range(1, random.choice((3, 4, 6))):
        message = _mutant(random, generator, request()) if random.random() < 0.5 else {"message": request()}
        steps.append(_send(random, on, [message], probe=random.random() < 0.7))
    if random.random() < 0.3:
        steps.append(ending(random, 1))
    return steps


def states(random: Random, generator: Generator) -> list[Step]:
    """Steps at the wrong time: nominations, role conflicts, descriptions and restarts in the middle of a session."""
    valid = _send(random, 0, [{"message": request()}])
    draw = random.random()
    if draw < 0.3:
        return [_send(random, 0, [{"message": request({"type": 0x25, "value": ""})}]), valid]
    if draw < 0.5:
        message = request()
        message["attributes"][2] = {"type": "$antirole", "value": random.choice(("00*8", "ff*8"))}
        return [_send(random, 0, [{"message": message}])]
    if draw < 0.65:
        return [{"do": "accept"}, valid]  # `_fit` keeps it where it is the first description
    if draw < 0.8 and generator.restarts:
        return [{"do": "restart"}, valid]
    if draw < 0.82 and generator.trickles:
        return [{"do": "trickle", "line": candidate(random)} for _ in range(random.choice((1, 1, 2)))] + [valid]
    if draw < 0.93:
        return [{"do": "urgent", "on": 1, "octets": random.choice(("00", "ff"))}]
    frame = {"message": request()} if random.random() < 0.7 else {"octets": f"80*{random.choice((4, 1000))}"}
    return [{"do": "flood", "on": 1, "times": random.choice((200, 2000, 6000)), "frame": frame}]


_CLASSES: tuple[tuple[str, float, Callable[[Random, Generator], list[Step]]], ...] = (
    ("request", 0.52, requests),
    ("response", 0.14, responses),
    ("frame", 0.14, frames),
    ("segment", 0.09, segments),
    ("connection", 0.05, connections),
    ("state", 0.06, states),
)
CONNECTIONS = ("mixed", "standing", "new")
CLASSES = (*(name for name, _, _ in _CLASSES), "sdp", "corpus", "dangerous", "valid")
