"""From a symptom to a finding: by asking an IUT again, which may be slow, or in two minds."""

import math
import time
from random import Random
from types import SimpleNamespace

import pytest

from fuzz.campaign.investigation import Investigator, join
from fuzz.findings import Buckets
from fuzz.generate import SERVED
from fuzz.judging.runner import Runner
from fuzz.judging.symptom import Symptom
from fuzz.minimise import minimise
from fuzz.player.render import request
from fuzz.player.steps import PLAN

DEATH = Symptom("death", "SIGSEGV", "")


def case(*steps):
    return {"class": "request", "plan": dict(PLAN), "steps": list(steps)}


def send(*frames, **more):
    return {"do": "send", "on": 1, "frames": list(frames), "probe": True, **more}


class Asked:
    """An IUT that shows a symptom as often as `comes` says; whether in haste is kept."""

    def __init__(self, symptom, comes, leaks=None):
        self.symptom, self._comes, self._leaks = symptom, comes, leaks
        self.quick, self.until = False, math.inf
        self.haste, self.repeats = [], []
        self.iut = SimpleNamespace(last_words=list)

    def trial(self, one):
        self.haste.append(self.quick)
        return [self.symptom] if self._comes(one) else []

    def leak(self, one, repeat=12):
        self.haste.append(self.quick)
        self.repeats.append(repeat)
        return [self.symptom] if self._leaks(one, repeat) else []


def test_cases_join_without_sharing_connections():
    joined = join([case(send({"octets": "01"})), case(send({"octets": "02"}), {"do": "end", "on": 1, "how": "rst"})])
    assert [step["on"] for step in joined["steps"]] == [1, 1, 0, 2, 2]
    assert [step["do"] for step in joined["steps"]] == ["send", "end", "send", "send", "end"]
    assert joined["steps"][2] == SERVED  # what one case sent is served before the next one's


@pytest.mark.parametrize("steady", [True, False])
def test_a_smaller_case_that_does_it_by_chance_is_none(steady):
    """What the death needs stays, whether the whole case brings it each time or now and then."""
    random = Random(5)

    def dies(one):
        needed = any(step["do"] == "hear" for step in one["steps"])
        sent = any(step["do"] == "send" for step in one["steps"])
        return sent and random.random() < ((1.0 if steady else 0.7) if needed else (0.5 if steady else 0.0))

    whole = case(send({"message": request()}), {"do": "hear", "on": 1}, send({"message": {**request(), "type": 0x111}}))
    found = Investigator(Asked(DEATH, dies)).investigate(DEATH, [whole])
    assert any(step["do"] == "hear" for step in found.case["steps"])
    assert len(found.case["steps"]) == 2
    assert found.rate == "3/3" or not steady


def test_a_death_that_seldom_comes_is_no_less_a_finding():
    """It came in the campaign, and once more; whatever else might bring that about on a busy machine, not a death."""
    answers = iter([True, *[False] * 200])
    found = Investigator(Asked(DEATH, lambda one: next(answers))).investigate(DEATH, [case(send({"octets": "80"}))])
    assert found.rate == "1/11"
    deaf = Symptom("deaf", "connection", "")
    answers = iter([True, *[False] * 200])
    assert (
        Investigator(Asked(deaf, lambda one: next(answers))).investigate(deaf, [case(send({"octets": "80"}))]) is None
    )


def test_what_is_not_answered_has_to_be_waited_for_in_full_once():
    hang = Symptom("hang", "process", "")
    asked = Asked(hang, lambda one: bool(one["steps"]))
    found = Investigator(asked).investigate(hang, [case(send({"octets": "80"}))])
    assert found.rate == "3/3"
    assert asked.haste[0] is False  # does it come again?
    assert all(asked.haste[1:-3])
    assert asked.haste[-3:] == [False, True, True]
    assert asked.quick is False


@pytest.mark.parametrize("seconds", [0.0, 0.4])
def test_a_death_whose_last_words_take_a_while_is_not_hurried(seconds, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr("fuzz.campaign.investigation.time", SimpleNamespace(monotonic=lambda: next(clock) * seconds))
    asked = Asked(DEATH, lambda one: bool(one["steps"]))
    assert Investigator(asked).investigate(DEATH, [case(send({"octets": "80"}))]) is not None
    assert any(asked.haste) == (seconds == 0.0)


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_counted_needs_few_repetitions_until_the_smallest_case_shows_it_in_full(whole):
    threads = Symptom("leak", "threads", "")
    asked = Asked(
        threads, None, lambda one, repeat: any(s["do"] == "open" for s in one["steps"]) and (whole or repeat < 12)
    )
    session = [case(send({"octets": "80"})), case({"do": "open", "on": 1}), case(send({"message": request()}))]
    found = Investigator(asked).leaking(threads, [session])
    assert set(asked.repeats[:-1]) == {4}
    assert asked.repeats[-1] == 12
    assert asked.haste[-1] is False
    if whole:
        assert [step["do"] for step in found.case["steps"]] == ["open"]
        assert found.repeat == 12
    else:
        assert found is None


def test_memory_is_looked_at_in_full_each_time():
    memory = Symptom("leak", "memory", "")
    asked = Asked(memory, None, lambda one, repeat: bool(one["steps"]))
    assert Investigator(asked).leaking(memory, [[case({"do": "open", "on": 1})]]) is not None
    assert set(asked.repeats) == {12}


def test_a_heap_that_grows_with_everything_is_no_leak():
    """It takes a case, or a few together, to tell that from an allocator that has not given anything back yet."""
    memory = Symptom("leak", "memory", "")
    for needed, finds in ((9, False), (2, True)):
        asked = Asked(
            memory, None, lambda one, repeat, needed=needed: sum(s["do"] == "open" for s in one["steps"]) >= needed
        )
        found = Investigator(asked).leaking(memory, [[case({"do": "open", "on": 1}) for _ in range(12)]])
        assert (found is not None) == finds


def test_what_is_known_to_be_deaf_to_something_is_not_told_so_again():
    deaf = Symptom("deaf", "connection", "")
    buckets = Buckets()
    one = case(send({"octets": "80*9000"}))

    def big(asked):
        sizes = [frame["octets"].partition("*")[2] for step in asked["steps"] for frame in step["frames"]]
        return any(int(size or 0) > 8192 for size in sizes)

    buckets.add(Investigator(Asked(deaf, big)).investigate(deaf, [one]))
    assert buckets.avoids(one)
    assert not buckets.avoids(case(send({"octets": "80"})))


@pytest.mark.parametrize("known", [True, False])
def test_a_smaller_case_does_not_become_one_that_was_found_before(known):
    """Both crash alike: nothing but the case tells them apart, and the shorter one would swallow the other."""

    def dies(one):
        frames = [frame for step in one["steps"] for frame in step.get("frames", ())]
        return any(frame.get("length", 0) > 0xFFFD or frame.get("octets", "")[:2] == "00" for frame in frames)

    buckets = Buckets()
    if known:
        buckets.add(Investigator(Asked(DEATH, dies)).investigate(DEATH, [case(send({"octets": "00*7"}))]))
        assert [one.words for one in buckets.all.values()] == [["short header"]]
    other = case(send({"message": request(), "length": 0xFFFF}))
    found = Investigator(Asked(DEATH, dies), buckets.slips).investigate(DEATH, [other])
    assert found.words == (["LENGTH 64K"] if known else ["short header"])
    assert buckets.add(found)


def test_who_is_too_slow_to_be_measured_is_left_in_time():
    """Repeating a session's cases may take minutes; a campaign of one minute must end."""
    memory = Symptom("leak", "memory", "")
    asked = Asked(memory, None, lambda one, repeat: False)
    session = [case({"do": "open", "on": 1})]
    limits = []
    asked._leaks = lambda one, repeat: limits.append(asked.until - time.monotonic())
    assert Investigator(asked).leaking(memory, [session, [], session]) is None
    assert all(0 < limit <= 40 for limit in limits)
    assert len(limits) == 2
    assert asked.until == math.inf


def test_repetitions_end_when_their_time_is_over():
    runner = Runner.__new__(Runner)
    runner.until, once = math.inf, []
    runner._once = lambda one: not once.append(one)
    assert runner._often({}, 3)
    runner.until = 0.0
    assert not runner._often({}, 3)
    assert len(once) == 3


def test_the_end_of_the_case_s_own_connection_stays_its_own():
    found = minimise(case({"do": "send", "on": 2, "frames": [], "stop": 1}, {"do": "end", "on": 2, "how": "rst"}),
                     lambda one: any(step["do"] == "end" for step in one["steps"]))  # fmt: skip
    assert found["steps"] == [{"do": "end", "on": 1, "how": "rst"}]


def test_the_connections_of_the_smallest_case_are_numbered_as_they_come():
    steps = [{"do": "open", "on": 7}, {"do": "open", "on": 4}, {"do": "end", "on": 7, "how": "rst"}]

    def holds(one):
        opened = [step["on"] for step in one["steps"] if step["do"] == "open"]
        return len(set(opened) - {0}) == 2 and one["steps"][-1] == {"do": "end", "on": opened[0], "how": "rst"}

    assert [step["on"] for step in minimise(case(*steps), holds)["steps"]] == [1, 2, 1]
