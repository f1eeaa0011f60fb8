"""Several cases in flight at once: which may be, what they are together, and that nothing is missed or blamed on others by it."""

import json
import sys

import pytest

from conformance.iut import stacks
from fuzz.campaign.flight import WIDTH, Tally, flies, flight, landed, results
from fuzz.campaign.iut import starter
from fuzz.campaign.log import Past
from fuzz.campaign.order import Order
from fuzz.campaign.shard import Shard
from fuzz.campaign.spec import Spec
from fuzz.campaign.suspicions import Suspicions
from fuzz.generate import CASES, PER_BLOCK
from fuzz.judging import oracle
from fuzz.judging.runner import Runner
from fuzz.judging.symptom import Symptom
from fuzz.mutate import whole
from fuzz.player.render import request, success
from fuzz.player.steps import PLAN

TARGET = f"exec:{sys.executable} -m fuzz.targets"
CHECK = {"message": request()}
UNKNOWN = {"message": request({"type": 0x7001, "value": ""})}


def case(*frames, on=0, plan=None, **more):
    step = {"do": "send", "on": on, "frames": list(frames), "probe": True, **more}
    return {"class": "request", "plan": {**PLAN, **(plan or {})}, "steps": [step]}


@pytest.fixture(scope="module")
def healthy():
    runner = Runner(starter(stacks.resolve(TARGET)))
    runner.calibrate(PLAN)
    yield runner
    runner.close()


@pytest.mark.parametrize(
    "one",
    [
        case(CHECK),
        case(CHECK, on=1),
        case(UNKNOWN, CHECK, probe="silent"),
        case({"octets": whole("80*40")}),
        case({"message": {**request(), "id": "00*12"}}),
        case({"message": request({"type": 0x25, "value": ""})}),  # not ours to say
        case(CHECK, on=2, component=2),
    ],
)
def test_what_leaves_the_others_alone_flies(one):
    assert flies(one)


@pytest.mark.parametrize(
    "one",
    [
        case(CHECK, plan={"state": "early"}),
        case(CHECK, cuts=[1]),
        case(CHECK, stop=3),
        case(CHECK, probe=False),
        case(),
        case({"message": request(), "length": 3}),
        case({"frames": [CHECK]}),
        case({"message": success()}),
        case({"message": {**request(), "id": "$last"}}),
        case({"message": request({"type": "$antirole", "value": "00*8"})}),
        case({"message": request({"type": 0x802A, "value": "00*8"})}),
        case({"message": request({"type": 0x25, "value": ""})}, plan={"side": "answerer"}),
        case({"message": {**request(), "type": 0x0111}}),
        case({"message": request({"type": 0x8022, "value": "41*60000"})}),
        case({"message": request({"type": 0x9000, "value": "41*8", "times": 1000})}),
        {**case(CHECK), "steps": [{"do": "restart"}]},
        {**case(CHECK), "steps": case(CHECK)["steps"] * 2},
    ],
)
def test_what_may_change_things_for_others_does_not(one):
    assert not flies(one)


def test_a_flight_is_a_case_and_each_gets_its_own_answers(healthy):
    stun = {**request(), "type": 0x0011}  # an indication, which is not answered
    cases = [
        case(UNKNOWN),
        case(CHECK, on=1),
        case(CHECK),
        case(UNKNOWN, on=1, probe="silent"),
        case({"message": stun}),
    ]
    joint = flight(cases)
    assert [step["on"] for step in joint["steps"]] == [0, 1, 2]
    assert joint["steps"][0]["frames"] == [UNKNOWN, CHECK, {"message": stun}]
    assert flight(cases[:1]) is cases[0]
    session = healthy.session(PLAN)
    session.player.foresee(joint["steps"])
    assert len(session.player._made) == 3
    assert session.play(joint) == []
    assert session.player._made == {}
    assert landed(session.outcome)
    assert [
        number for number, *_ in ((connection.number, connection) for connection, _, _ in session.outcome.probes)
    ] == [0, 1, 2]
    assert results(cases, session.outcome) == ["420", "ok", "ok", "420", ""]
    assert results([case(CHECK, on=3)] * 3, session.outcome)[2] == ""  # a connection that there was none of
    session.close()


def test_what_comes_back_is_waited_for_before_another_kind_of_step(healthy):
    """A connection is not ended, nor a part sent, while what was sent ahead is still on its way."""
    steps = [*flight([case(CHECK, on=1), case(CHECK, on=1)])["steps"], {"do": "end", "on": 1, "how": "rst"}]
    session = healthy.session(PLAN)
    assert session.play({"steps": steps}) == []
    assert [answered for *_, answered in session.outcome.probes] == [True, True]
    long = case({"message": request({"type": 0x8022, "value": "41*70000"})}, on=1, later=True)["steps"]  # LENGTH wraps
    assert session.play({"steps": long}) == []
    assert session.outcome.probes == []
    session.close()


def test_who_says_nothing_is_asked_once_more(healthy):
    session = healthy.session(PLAN)
    odd = {"message": {**request(), "type": 0x0011}}
    assert session.play({"steps": case(odd, on=1, probe="silent", later=True)["steps"]}) == []
    ((connection, _, answered),) = session.outcome.probes
    assert answered
    assert len(connection.answers) == 1
    assert session.player.silent == 1
    session.close()


def test_no_answer_is_waited_for_to_what_no_agent_can_take_apart(healthy):
    """A frame of more than 65535 octets, whose LENGTH begins again at 0: it says nothing of the IUT's manners."""
    long = {"message": request({"type": 0x8022, "value": "41*70000"})}
    session = healthy.session(PLAN)
    assert session.play(case(long, on=1, probe="silent")) == []
    assert (session.player.eager, session.player.silent, session.outcome.probes) == (0, 0, [])
    session.close()


def shard(tmp_path, *bugs, **more):
    iut = f"{TARGET} --passive" + (f" --bugs {','.join(bugs)}" if bugs else "")
    spec = Spec(iut=iut, out=str(tmp_path), **{"cases": 300, "classes": ["request"], **more})
    return Shard(spec, lambda _: None, lambda: False)


@pytest.mark.parametrize("connections", ["standing", "new", "mixed"])
def test_flights_land_and_every_case_is_logged_once(connections, tmp_path):
    one = shard(tmp_path, connections=connections)
    status = one.run()
    assert (status.problem, status.found, status.unconfirmed) == ("", [], {})
    assert one.parts.flights.flown > 10
    assert one.parts.flights.failed == 0
    entries = [json.loads(line) for line in (tmp_path / "log-0.jsonl").read_text().splitlines()]
    numbers = [entry[0] for entry in entries if isinstance(entry, list)]
    assert sorted(numbers) == [number for number in range(300) if number % PER_BLOCK < CASES]
    assert numbers != sorted(numbers)  # flights first, or last


@pytest.mark.parametrize(
    ("bug", "kind"), [("unknown-accepted", "answered"), ("length-odd", "death"), ("indication-answered", "answered")]
)
def test_what_a_flight_brings_up_is_put_down_to_the_case_that_did_it(bug, kind, tmp_path):
    status = shard(tmp_path, bug, connections="standing").run()
    found = [one for one in status.found if one["kind"] == kind]
    assert found, status
    for one in found:
        (step,) = one["case"]["steps"]
        assert len(step["frames"]) == 1
        assert "later" not in step


def test_an_agent_whose_flights_all_fail_is_asked_one_case_at_a_time(tmp_path, monkeypatch):
    """Else each case would be played twice."""
    one = shard(tmp_path, "unknown-accepted", connections="standing", cases=400)
    monkeypatch.setattr(Suspicions, "suspect", lambda *_: False)
    one.run()
    assert one.parts.flights.failed > 1
    tally = Tally()
    for _ in range(3):
        tally.flown += 1
        tally.failed += 1
    assert not tally.worthwhile
    tally.flown += 1
    assert tally.worthwhile


class Few:
    """As much of the parts of a shard as an order needs."""

    comparison = lines = None

    def __init__(self, cases, session, avoided=()):
        self.cases, self.session, self.left = cases, session, list(range(len(cases)))
        self.flights, self.runner, self.buckets, self.blocks = Tally(), self, self, self
        self.separate, self._avoided = False, avoided

    def make(self, number, plan):
        return self.cases[number]

    def avoids(self, joint):
        return len(joint["steps"][0]["frames"]) in self._avoided


def turns(few):
    order, found = Order(few, PLAN), []
    while (turn := order.turn()) is not None:
        found.append([number for _, number in turn[0]])
    return found


def test_the_order_of_a_block():
    alone = case(CHECK, cuts=[1])
    some = [case(CHECK), alone, case(CHECK), alone, case(CHECK)]
    assert turns(Few(some, session=0)) == [[0, 2, 4], [1], [3]]
    assert turns(Few(some, session=1)) == [[1], [3], [0, 2, 4]]
    many = turns(Few([case(CHECK)] * (WIDTH + 3), session=2))
    assert [len(turn) for turn in many] == [WIDTH, 3]
    assert sorted(turns(Few(some, session=0, avoided=[3]))) == [[0], [1], [2], [3], [4]]
    separate = Few(some, session=0)
    separate.separate = True
    assert turns(separate) == [[0], [1], [2], [3], [4]]


def test_what_is_left_of_a_block_is_played_after_a_resume(tmp_path):
    log = tmp_path / "log"
    first = list(range(PER_BLOCK, PER_BLOCK + CASES))
    played = [first[0], first[3], first[9]]
    log.write_text("".join(f'[{number},1,"request","ok",1.00]\n' for number in [*range(CASES), *played]))
    past = Past(log)
    assert past.left == [number for number in first if number not in played]
    assert past.cases == PER_BLOCK + len(played)
    log.write_text("".join(f'[{number},1,"request","ok",1.00]\n' for number in range(CASES + 1)))
    assert (Past(log).left, Past(log).cases) == ([], CASES + 1)  # the descriptions are next
    assert (Past(tmp_path / "none").left, Past(tmp_path / "none").cases) == ([], 0)


def test_a_symptom_that_no_case_shows_alone_is_the_flights_own(tmp_path, monkeypatch):
    one = shard(tmp_path, connections="new", cases=CASES)
    looked_into, odd = [], Symptom("deaf", "connection", "of several connections only")
    monkeypatch.setattr(
        Suspicions, "suspect", lambda _, symptom, played, *__: bool(looked_into.append((symptom, played)))
    )
    judge = oracle.judge
    judged = []

    def partial(outcome, view):
        judged.append(len(outcome.probes))
        return judge(outcome, view) + ([odd] if len(outcome.probes) > 1 and len(looked_into) == 0 else [])

    monkeypatch.setattr(oracle, "judge", partial)
    one.run()
    together = next(number for number in judged if number > 1)
    assert {symptom for symptom, _ in looked_into} == {odd}
    (_, played), *_ = looked_into
    assert sum("later" in step for step in played[-1]["steps"]) == together
    assert judged.count(1) >= together
