"""What the tests of the judge share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judged import OFFER, Judged

from conformance.judge import Known
from conformance.run.judging import judge_file
from pcaps.golden.scenarios import described
from pcaps.golden.scene import Scene


@pytest.fixture
def judged(tmp_path):
    """Return the judgements, by rule, of what a function writes."""

    def run(write, known: Known | None = None, **change):
        scene = Scene("judged")
        own = write(scene)
        offer, answer = own or described(scene)
        known = Known.of([("offer", offer), ("answer", answer)]) if known is None else known
        path = tmp_path / "capture"
        path.write_bytes(scene.octets)
        return {j.rule.name: j for j in judge_file(path, replace(known, **change)).judgements}

    return run


@pytest.fixture
def said(tmp_path):
    """Return what `icetcp judge` says of what a function writes, with the descriptions of a usual session."""

    def run(write, *more: str, change=lambda octets: octets) -> Judged:
        scene = Scene("field")
        write(scene)
        return Judged(tmp_path, change(scene.octets), OFFER, *more)

    return run
