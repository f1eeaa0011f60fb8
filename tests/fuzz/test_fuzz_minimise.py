"""Smaller cases: nearer to valid, and still what they were."""

import copy

import pytest

from fuzz.describe import words
from fuzz.findings import Buckets, Finding, load
from fuzz.judging.symptom import Symptom
from fuzz.minimise import minimise, shrink_list
from fuzz.player.render import Env, message, request

PLAN = {"side": "answerer", "iut": "passive", "media": "bytes", "components": 2, "state": "completed"}


def case(*steps):
    return {"class": "request", "plan": dict(PLAN), "steps": list(steps)}


def send(*frames, **more):
    return {"do": "send", "on": 1, "frames": list(frames), "probe": True, **more}


def octets(spec):
    env = Env("tstr", "p", True)
    env.learn("iutu", "q")
    return message(spec, env)


def messages(some):
    return [frame["message"] for step in some["steps"] for frame in step.get("frames", ()) if "message" in frame]


def test_lists_shrink_to_what_matters():
    assert shrink_list(list(range(100)), lambda some: {3, 77} <= set(some)) == [3, 77]
    assert shrink_list([1, 2, 3], lambda some: True) == []
    assert shrink_list([1, 2, 3], lambda some: True, least=1) in ([1], [2], [3])


def test_a_long_username_is_found_in_a_heap_of_noise():
    noisy = request({"type": 0x9000, "value": "41*40"}, {"type": 6, "value": "41*763"})
    noisy.update(tail="00*4", patch=[[3, "00"]], cookie=9)
    valid = send({"message": request()}, {"octets": "80"})
    found = minimise(
        case(
            valid, send({"octets": "00"}, {"message": noisy}, cuts=[1, 5], gap=2), {"do": "end", "on": 1, "how": "rst"}
        ),
        lambda some: any(b"A" * 514 in octets(one) for one in messages(some)),
        400,
    )
    assert found["plan"] == {**PLAN, "state": "fresh", "components": 1, "side": "offerer", "media": "rtp"}
    (step,) = found["steps"]
    assert "cuts" not in step
    (one,) = messages(found)
    assert set(one) == {"type", "attributes"}
    long = [attribute for attribute in one["attributes"] if attribute["value"] == "41*514"]
    assert len(long) == 1
    assert words(found) == {"USERNAME long"} | words(found) & {"USERNAME twice"}


def test_what_is_missing_is_restored_unless_that_is_the_point():
    broken = request()
    del broken["attributes"][0:2]
    found = minimise(case(send({"message": broken})), lambda some: all(
        6 not in [a["type"] for a in one["attributes"]] for one in messages(some)) and bool(messages(some)))  # fmt: skip
    assert words(found) == {"no USERNAME"}


def test_only_one_thing_is_wrong_in_the_end():
    odd = request({"type": 8, "value": "00"})
    odd.update(type=0, id="ff*12")
    found = minimise(case(send({"message": odd})), lambda some: any(one["type"] == 0 for one in messages(some)))
    assert words(found) == {"type 0"}


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        ({"message": {**request(), "cut": 60}}, "delta beyond"),
        ({"message": {**request(), "delta": 8}}, "delta beyond"),
        ({"message": request(), "length": 60}, "delta beyond"),
        ({"message": {**request(), "cut": 19}}, "short header"),
        ({"message": {**request(), "cut": 0}}, "cut"),
        ({"message": request(), "length": 1}, "short header"),
        ({"octets": "0001"}, "short header"),
        ({"octets": "8001"}, "frame of <20"),
        ({"octets": "00*20"}, "frame of <8K from 0"),
        ({"message": request(), "length": 0}, "LENGTH 0"),
        ({"message": request(), "length": 300}, "LENGTH <8K"),
    ],
)
def test_a_message_that_ends_too_soon_is_one_thing_however_it_does(frame, word):
    assert words(case(send(frame))) == {word}


def test_which_attributes_are_many_does_not_matter():
    some = [{"type": 0x9000, "value": "", "times": 38}, {"type": 0x8022, "value": "", "times": 2}]
    assert words(case(send({"message": request(*some)}))) == {"many attributes"}
    few = [{"type": 0x8022, "value": "41", "times": 2}]
    assert words(case(send({"message": request(*few)}))) == {"SOFTWARE twice", "with SOFTWARE"}


def test_the_budget_is_kept():
    asked = []

    def holds(some):
        asked.append(some)
        return False

    original = case(*[send({"message": request()}) for _ in range(20)])
    assert minimise(copy.deepcopy(original), holds, 15) == original
    assert len(asked) == 15


def finding(kind="death", cause="SIGSEGV", found=("type 0",)):
    return Finding(kind, cause, "text", list(found), case(send({"message": {**request(), "type": 0}})))


def test_one_bucket_per_cause():
    buckets = Buckets()
    assert buckets.add(finding())
    assert not buckets.add(finding())
    assert buckets.add(finding(found=["early"]))
    stack = "status 1: Python KeyError in a.py:b"
    assert buckets.add(finding(cause=stack))
    assert not buckets.add(finding(cause=stack, found=["other", "words"]))


def test_known_findings_are_recognised_and_avoided():
    buckets = Buckets()
    buckets.add(finding())
    zero = case(send({"message": {**request(), "type": 0, "tail": "00"}}))
    assert buckets.known(Symptom("death", "SIGSEGV", ""), zero) is not None
    assert buckets.known(Symptom("death", "SIGBUS", ""), zero) is None
    assert buckets.known(Symptom("death", "SIGSEGV", ""), case(send({"message": request()}))) is None
    assert buckets.avoids(zero)
    assert not buckets.avoids(case(send({"message": request()})))


def test_another_way_to_a_known_finding_is_known_when_it_was_gone_once():
    buckets = Buckets()
    buckets.add(finding())
    way = case(send({"message": {**request(), "cut": 40}}))
    more = case(send({"message": {**request(), "cut": 40}}, cuts=[1]))
    assert not buckets.avoids(way)
    again = finding()
    again.original = way
    assert not buckets.add(again)
    assert buckets.avoids(more)
    assert buckets.known(Symptom("death", "SIGSEGV", ""), more) is not None
    assert not buckets.avoids(case(send({"message": request()})))  # nothing unusual is no way


def test_a_finding_is_read_as_it_was_written(tmp_path):
    import json

    (tmp_path / "finding.json").write_text(json.dumps({"iut": "x", **finding().data()}))
    assert load(tmp_path) == finding()


def test_a_death_by_cut_frames_does_not_hide_all_cases_with_cut_frames():
    """Half of all framing is cut or ended: only what is special about a case is avoided."""
    part = case(
        {"do": "send", "on": 1, "frames": [{"message": request()}], "stop": 5}, {"do": "end", "on": 1, "how": "rst"}
    )
    buckets = Buckets()
    buckets.add(Finding("death", "SIGSEGV", "", sorted(words(part)), part))
    assert not buckets.avoids(part)
    assert buckets.known(Symptom("death", "SIGSEGV", ""), part)  # it is not investigated again
    short = case({"do": "send", "on": 1, "frames": [{"octets": "0001"}]})
    buckets.add(Finding("death", "SIGBUS", "", sorted(words(short)), short))
    assert buckets.avoids(short)
