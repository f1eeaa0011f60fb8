"""Cases come from seed, shard, number and corpus alone, and reach every kind of input."""

import json
from collections import Counter
from random import Random

from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError
from fuzz.describe import words
from fuzz.generate import CLASSES, Generator, plans
from fuzz.mutate import KINDS, STRUCTURED, TYPES
from fuzz.sdp_lines import candidate

PICS = {
    "offers": ["passive", "active", "so"], "connects": ["passive", "active", "so"], "components": 2, "restart": True, "trickle": True,
    "obeys": ["addresses"]}  # fmt: skip


def cases(seed=0, shard=0, count=300, corpus=()):
    generator = Generator(seed, shard, PICS)
    generator.corpus += corpus
    return [generator.case(number, generator.plan(number // 24)) for number in range(count)]


def test_the_same_seed_makes_the_same_cases():
    assert cases() == cases()


def test_a_case_does_not_depend_on_those_before_it():
    generator = Generator(0, 0, PICS)
    assert generator.case(77, generator.plan(3)) == cases()[77]


def test_seeds_and_shards_make_other_cases():
    assert cases(seed=1) != cases()
    assert cases(shard=1) != cases()


def test_cases_are_plain_data():
    made = cases(count=500)
    assert json.loads(json.dumps(made)) == made


def test_every_class_and_every_session_is_reached():
    made = cases(count=4000, corpus=[cases()[0]])
    assert set(CLASSES) - {"sdp", "dangerous", "valid"} == {case["class"] for case in made}
    sessions = Counter((case["plan"]["side"], case["plan"]["iut"], case["plan"]["state"]) for case in made)
    assert {(plan["side"], plan["iut"], plan["state"]) for plan in plans(PICS)} == set(sessions)


def test_descriptions_are_mutated_too():
    generator = Generator(0, 0, PICS)
    made = [generator.sdp_case(session) for session in range(50)]
    assert all(case["plan"]["sdp"] for case in made)
    assert len({json.dumps(case["plan"]["sdp"]) for case in made}) > 40


def test_what_is_varied():
    """Each dimension is there: a key or a step of a case, so that it is logged, replayed and made smaller."""
    made = cases(count=6000)
    steps = [step for case in made for step in case["steps"]]
    assert {step["do"] for step in steps} == {
        "send", "rest", "raw", "hear", "end", "open", "urgent", "flood", "accept", "restart", "trickle"}  # fmt: skip
    described = [case["plan"]["state"] for case in made if any(step["do"] == "accept" for step in case["steps"])]
    assert set(described) == {"early"}  # a second description is not traffic, but a call against the adapter contract
    assert {"cuts", "gap", "stop", "component", "candidate", "probe", "count", "times"} <= {
        key for step in steps for key in step
    }
    assert {step["how"] for step in steps if step["do"] == "end"} == {"half", "rst", "closed"}
    assert any(case["plan"].get("addresses") == 2 for case in made)
    messages = [frame["message"] for step in steps for frame in step.get("frames", ()) if "message" in frame]
    types = {one["type"] for message in messages for one in message["attributes"]}
    assert types >= set(TYPES) | set(STRUCTURED)
    assert {message["type"] for message in messages} >= set(KINDS)
    assert {"cookie", "id", "delta", "tail", "patch", "cut"} <= {key for message in messages for key in message}
    assert {"length", "padding", "times"} <= {key for m in messages for one in m["attributes"] for key in one}


def test_parts_of_frames_arrive_on_several_connections_in_turn():
    made = [[step["do"] for step in case["steps"]] for case in cases(count=3000) if case["class"] == "connection"]
    assert ["send", "send", "rest", "rest", "send", "send"] in made


def test_candidate_lines_follow_the_grammar_or_break_it():
    random = Random(1)
    lines = [candidate(random) for _ in range(400)]
    right = 0
    for line in lines:
        try:
            Candidate.parse(line.format(address="127.0.0.1", port=9, ufrag="x"))
            right += 1
        except SdpError:
            pass
    assert 40 < right < 360
    assert len(set(lines)) > 300


def test_an_iut_gets_only_sessions_that_it_can_do():
    only = plans({"offers": ["passive"], "connects": ["passive"], "sides": ["answerer"]})
    assert {plan["iut"] for plan in only} == {"passive"}
    assert {plan["side"] for plan in only} == {"answerer"}
    assert {plan["components"] for plan in only} == {1}


def test_most_cases_are_told_apart_by_words():
    assert len({words(case) for case in cases(count=600)}) > 200
