"""Every fault held against ordinary sessions: the table of `conformance.run.shown`. `tox -e mutants` runs this.

It takes some two minutes.
"""

from __future__ import annotations

import pytest

from conformance.agent.faults import FAULTS
from conformance.mutants.execution import Bench
from conformance.mutants.ordinary import sessions, shown, undeclared
from conformance.run.recording import SOCKETS
from conformance.run.shown import BY_READING, SHOWN


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with Bench(tmp_path_factory.mktemp("ordinary"), wire=SOCKETS) as bench:
        return shown(bench, FAULTS, sessions())


def test_the_table_has_all_that_ordinary_sessions_show(found) -> None:
    assert undeclared(found) == []


def test_the_table_has_no_sentence_that_no_fault_shows(found) -> None:
    listed = {(opener, one) for opener, table in SHOWN.items() for sentences in table.values() for one in sentences}
    measured = {(opener, one) for opener, sentences in found.items() for one in sentences}
    assert {(opener, one) for opener, one in listed - measured if one not in BY_READING} == set()
