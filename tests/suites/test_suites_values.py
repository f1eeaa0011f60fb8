"""Small questions to lists of candidates."""

from __future__ import annotations

import random
import string

import pytest

from conformance.suites.values import best_of_equals, is_host, random_bits, unreachable
from conformance.wire.candidate import Candidate, priority, tcp_local_preference


def candidate(direction: int, other: int, component: int = 1) -> Candidate:
    worth = priority(126, tcp_local_preference(direction, other), component)
    return Candidate.parse(f"candidate:1 {component} TCP {worth} 127.0.0.1 9 typ HOST tcptype Active")


def test_of_candidates_that_only_other_pref_tells_apart_the_best_is_taken() -> None:
    found = best_of_equals([candidate(6, 8191), candidate(6, 8190), candidate(4, 8000), candidate(4, 7000, 2)])
    assert sorted((c.component, c.direction_preference, c.other_preference) for c in found) == [
        (1, 4, 8000),
        (1, 6, 8191),
        (2, 4, 7000),
    ]


def test_letter_case_says_nothing() -> None:
    assert is_host(candidate(6, 8191), "active")
    assert not is_host(candidate(6, 8191), "passive")


def test_nobody_sends_to_the_port_of_an_active_candidate() -> None:
    active = "candidate:1 1 TCP 2128609279 {} {} typ host tcptype active"
    assert unreachable(Candidate.parse(active.format("127.0.0.1", 0))) == ""
    assert unreachable(Candidate.parse(active.format("0.0.0.0", 0))) == "is the unspecified address"
    assert unreachable(Candidate.parse(active.replace("active", "passive").format("127.0.0.1", 0))) == "says port 0"


def drawn(alphabet: str, length: int) -> list[str]:
    rng = random.Random(1)
    return ["".join(rng.choices(alphabet, k=length)) for _ in range(5)]


@pytest.mark.parametrize(
    ("alphabet", "length", "bits"),
    [
        ("0123456789abcdef", 22, 88),
        ("0123456789abcdef", 32, 128),
        (f"{string.ascii_letters}{string.digits}+/", 22, 132),
    ],
)
def test_what_a_sample_can_hold_at_most(alphabet, length, bits) -> None:
    assert round(random_bits(drawn(alphabet, length))) == bits
    assert round(random_bits([f"cafe{text}" for text in drawn(alphabet, length)])) == bits
