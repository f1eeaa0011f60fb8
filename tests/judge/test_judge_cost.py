"""What the judge costs grows with the capture, not with its square: counted in calls, which no other load changes."""

from __future__ import annotations

import sys
from itertools import islice

import pytest
from bench_captures import agents, answered, sessions, silence, write, wrong

from conformance.judge import Known
from conformance.run.judging import judge_file
from conformance.wire.sdp import SessionDescription
from pcaps.golden.scenarios import described
from pcaps.golden.scene import Scene

FEW, MANY = 250, 1000  # packets
LINEAR = 4.3  # a little more than MANY / FEW


def calls(path, kind, packets):
    """Return how many calls it takes to judge so many packets."""
    offer, answer = (SessionDescription.parse(str(sdp)) for sdp in described(Scene("cost")))
    known = Known.of([("offer", offer), ("answer", answer)])
    write(path, islice(kind(Scene("cost")), packets), float("inf"))
    found = 0

    def count(_frame, what, _argument):
        nonlocal found
        found += what == "call"

    sys.setprofile(count)
    try:
        judged = judge_file(path, known)
    finally:
        sys.setprofile(None)
    assert judged.reading.packets == packets
    assert judged.requests > packets / 4
    return found


@pytest.mark.parametrize("kind", [answered, sessions, agents, silence, wrong])
def test_four_times_the_checks_cost_four_times_as_much(tmp_path, kind) -> None:
    few, many = (calls(tmp_path / f"{packets}.pcapng", kind, packets) for packets in (FEW, MANY))
    assert many < LINEAR * few
