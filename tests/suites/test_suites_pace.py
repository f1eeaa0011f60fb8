"""The pace of transactions: what is too fast, and what only looks so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.iut.description import Description
from conformance.suites.pace import Pace, least_ta, until_calm
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


class Opening:
    """A peer whose IUT opens a connection at each of these times, in seconds behind our description.

    `each`: so many in a row to one of our candidates.
    """

    def __init__(self, *times: float, each: int = 1) -> None:
        self.each = each
        self.described_at, self.now, self.left = 100.0, 100.0, [100.0 + time for time in times]
        self.pixit = SimpleNamespace(connect=5.0)
        self.connections: list[SimpleNamespace] = []

    def wait_until(self, reached, within: float) -> bool:
        end = self.now + within
        while not reached() and self.left and self.left[0] <= end:
            self.now = self.left.pop(0)
            candidate = len(self.connections) // self.each
            self.connections.append(SimpleNamespace(opened_at=self.now, local_address=candidate))
        self.now = self.now if reached() else end
        return bool(reached())


def test_a_pause_on_a_busy_machine_is_no_end() -> None:
    busy = Opening(0.4, 0.8, 2.2, 3.0, 9.5)
    until_calm(busy, 5, calm=1.0)
    assert len(busy.connections) == 5, "its pauses grow, none is far longer than those before"
    calm = Opening(0.1, 0.15, 0.2, 1.25)
    until_calm(calm, 5, calm=1.0)
    assert (len(calm.connections), round(calm.now - 100.0, 3)) == (3, 1.2)
    enough = Opening(0.1, 0.2, 0.3)
    until_calm(enough, 2, calm=1.0)
    assert len(enough.connections) == 2


def test_several_connections_to_one_candidate_are_one() -> None:
    """Chromium opens two to each: counted one by one they were enough at half of the candidates."""
    double = Opening(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, each=2)
    until_calm(double, 3, calm=1.0)
    assert len(double.connections) == 5, "the third candidate is met"
