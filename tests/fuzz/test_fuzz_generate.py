"""Cases come from seed, shard, number and corpus alone, and reach every kind of input."""

import json
from collections import Counter

from fuzz.describe import words
from fuzz.generate import CLASSES, Generator, plans

PICS = {"offers": ["passive", "active"], "connects": ["passive", "active"], "components": 2, "restart": True}


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
    assert set(CLASSES) - {"sdp", "valid"} == {case["class"] for case in made}
    sessions = Counter((case["plan"]["side"], case["plan"]["iut"], case["plan"]["state"]) for case in made)
    assert {(plan["side"], plan["iut"], plan["state"]) for plan in plans(PICS)} == set(sessions)


def test_descriptions_are_mutated_too():
    generator = Generator(0, 0, PICS)
    made = [generator.sdp_case(stage) for stage in range(50)]
    assert all(case["plan"]["sdp"] for case in made)
    assert len({json.dumps(case["plan"]["sdp"]) for case in made}) > 40


def test_an_iut_gets_only_sessions_that_it_can_do():
    only = plans({"offers": ["passive"], "connects": ["passive"], "sides": ["answerer"]})
    assert {plan["iut"] for plan in only} == {"passive"}
    assert {plan["side"] for plan in only} == {"answerer"}
    assert {plan["components"] for plan in only} == {1}


def test_most_cases_are_told_apart_by_words():
    assert len({words(case) for case in cases(count=600)}) > 200
