"""The pace of transactions: what is too fast, and what only looks so."""

from __future__ import annotations

import pytest

from conformance.iut.description import Description
from conformance.suites.pace import Pace, least_ta
from conformance.verdict import Inconclusive


def described(*, session="", options="", pacing="") -> Description:
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", session, "m=audio 9 TCP/RTP/AVP 0", options, pacing]
    return Description("offer", "".join(f"{line}\r\n" for line in lines if line))


@pytest.mark.parametrize(
    ("lines", "ta"),
    [
        ({}, 0.020),
        ({"options": "a=ice-options:trickle"}, 0.020),
        ({"options": "a=ice-options:trickle ice2"}, 0.050),
        ({"session": "a=ice-options:ice2"}, 0.050),
        ({"session": "a=ice-pacing:100"}, 0.100),
        ({"pacing": "a=ice-pacing:100"}, 0.100),
        ({"session": "a=ice-pacing:5"}, 0.050),  # we propose nothing, which means 50
        ({"session": "a=ice-pacing:fast"}, 0.020),
    ],
)
def test_the_least_ta_is_what_the_iut_is_bound_to(lines, ta) -> None:
    assert least_ta(described(**lines)) == ta


def test_one_every_ta_is_in_time_whatever_came_late() -> None:
    pace = Pace([], [], 0.050)
    assert not pace.early([0.0, 0.050, 0.100, 0.150])
    assert not pace.early([0.4, 0.401, 0.402, 0.403]), "a stalled process makes up for it: none came before its turn"
    assert not pace.early([0.150, 0.0, 0.100, 0.050]), "in any order"
    assert not pace.early([0.0, 0.046]), "within the resolution of a timer"


def test_what_comes_before_its_turn_is_early() -> None:
    pace = Pace([], [0.0, 0.02], 0.050)
    assert pace.early([0.0, 0.05, 0.06]).startswith("number 3 came 0.060 s")
    with pytest.raises(Inconclusive, match="number 2"):
        pace.require_paced_checks()
