"""What is skipped because a fault could not change it comes out as on the healthy agent."""

from __future__ import annotations

import random

import pytest

from conformance.agent.faults import FAULTS
from conformance.agent.faults.observation import replaced
from conformance.mutants.execution import Bench
from conformance.mutants.matrix import KillMatrix, usual_variants
from conformance.run.discovery import discover
from conformance.run.recording import SOCKETS
from conformance.verdict import Verdict

SAMPLE, SAMPLE_OF_TEXTS = 100, 60
OF_TEXTS = {f.name for f in FAULTS if replaced(f.replacement) <= {"written", "offered", "written_answer"}}
OF_SERVERS = ("servers-left-after-3-seconds", "servers-left-after-10-seconds")
SECTIONS = ("RFC6544-4.5", "RFC6544-6.2", "RFC6544-7.1", "RFC6544-8", "RFC6544-10.1", "RFC4571-2")


@pytest.mark.timeout(300)
def test_a_sample_of_the_skipped_comes_out_as_on_the_healthy_agent(tmp_path) -> None:
    chosen = random.Random(1)
    cases = [case for case in usual_variants(discover().every) if case.id.startswith(SECTIONS)]
    cases = chosen.sample(cases, 40)
    by_id = {case.id: case for case in cases}
    matrix = KillMatrix()
    with Bench(tmp_path, wire=SOCKETS) as bench:
        bench.execute([(case, "") for case in cases], matrix, jobs=16)
        judged = [case for case, seen in matrix.observed.items() if matrix.results[""][case].verdict is Verdict.PASS]
        skipped = [(case, f.name) for case in judged for f in FAULTS if not matrix.could_change(f.name, case)]
        assert len(skipped) > len(judged) * len(FAULTS) / 3, "observation leaves little out"
        late = {name for name in OF_SERVERS for case in judged if matrix.could_change(name, case)}
        assert not late, "no server is asked here, so it does not matter how long one is kept"
        texts = [(case, fault) for case, fault in skipped if fault in OF_TEXTS]
        assert len(texts) > len(judged) * len(OF_TEXTS) / 2, "hardly a case reads all of a description"
        sample = list(dict.fromkeys(chosen.sample(skipped, SAMPLE) + chosen.sample(texts, SAMPLE_OF_TEXTS)))
        bench.execute([(by_id[case], fault) for case, fault in sample], matrix, jobs=16)
    assert {pair: matrix.results[pair[1]][pair[0]].verdict for pair in sample} == dict.fromkeys(sample, Verdict.PASS)
