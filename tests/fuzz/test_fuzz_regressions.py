"""Minimal cases of what the fuzzer once found: not there any more, and there with the bug that they were found by."""

import json
import sys
import time
from pathlib import Path

import pytest

from conformance.iut import stacks
from fuzz.campaign.iut import starter
from fuzz.judging.runner import Runner
from fuzz.layers import read
from fuzz.player.steps import PLAN

TARGET = f"exec:{sys.executable} -m fuzz.targets"


@pytest.fixture(scope="module")
def healthy():
    runner = Runner(starter(stacks.resolve(TARGET)))
    runner.calibrate(PLAN)
    yield runner
    runner.close()


REGRESSIONS = sorted(
    file for file in (Path(__file__).parents[2] / "fuzz" / "regressions").iterdir() if file.suffix in (".json", ".py")
)


@pytest.mark.parametrize("file", REGRESSIONS, ids=lambda file: file.stem)
def test_regressions_stay_mended(file, healthy):
    """What was found once, in code of ours or in the target with a bug, is not there without the bug."""
    case, iut = read(file)
    runner = Runner(starter(stacks.resolve(iut))) if iut != "target" else healthy
    try:
        begun = time.monotonic()
        assert runner.trial(case) == []
        assert time.monotonic() - begun < 30
    finally:
        if runner is not healthy:
            runner.close()


_ATTEMPTS = 5
PLANTED = [
    (file, entry) for file in REGRESSIONS if file.suffix == ".json" if "bug" in (entry := json.loads(file.read_text()))
]


@pytest.mark.parametrize(("file", "entry"), PLANTED, ids=[file.stem for file, _ in PLANTED])
def test_regressions_show_the_bug_that_they_were_found_by(file, entry):
    """Minimal cases of campaigns: minimising or an oracle that is changed must not lose them."""
    runner = Runner(starter(stacks.resolve(f"{TARGET} --bugs {entry['bug']}")))
    runner.quick = True
    try:
        # On a busy machine the target may read two segments at once: then the case has not had its effect.
        seen = (entry["kind"] in [one.kind for one in runner.trial(entry["case"])] for _ in range(_ATTEMPTS))
        assert any(seen)
    finally:
        runner.close()
