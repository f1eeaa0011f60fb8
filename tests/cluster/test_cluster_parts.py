"""The parts of the engine that need no cluster: pieces, archives, the journal, the guard."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import zipfile

import pytest
from conftest import runs, until  # type: ignore[import-not-found]

from conformance.cluster import archive, identity
from conformance.cluster.connection import ClusterError, is_local
from conformance.cluster.guarded import Guarded
from conformance.cluster.journal import Journal
from conformance.cluster.piece import Outcome, Piece, piece_of

PIECE = Piece(name="faults/1", program=("some.module", "{folder}"), icetcp="0.1+a", spec={"seed": 1}, files={"a": b"x"})


def made(tmp_path, piece=PIECE, text="some") -> Outcome:
    folder = tmp_path / "made"
    folder.mkdir(exist_ok=True)
    (folder / "result.txt").write_text(text)
    packed = archive.pack(folder)
    return Outcome(piece=piece.name, digest=piece.digest, status=0, worker="w", seconds=1.0, archive=packed)


def test_a_piece_is_the_same_on_the_other_side():
    assert piece_of(json.loads(json.dumps({**PIECE.data(), "files": {}}))) == dataclasses.replace(PIECE, files={})
    assert piece_of({**PIECE.data(), "of a later icetcp": 1}) == PIECE


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"seed": 2}},
        {"icetcp": "0.1+b"},
        {"files": {"a": b"y"}},
        {"program": ("other",)},
        {"stacks": {"a": "1"}},
    ],
)
def test_other_work_has_another_digest(change):
    assert dataclasses.replace(PIECE, **change).digest != PIECE.digest


def test_where_a_piece_is_left_does_not_make_it_another():
    assert dataclasses.replace(PIECE, share="file:///tmp/x", topic="abc").digest == PIECE.digest


def test_an_outcome_counts_once_and_is_there_after_a_resume(tmp_path):
    journal = Journal(tmp_path, resume=False)
    assert journal.add(made(tmp_path))
    assert not journal.add(made(tmp_path, text="another attempt"))
    journal.close()
    again = Journal(tmp_path, resume=True)
    assert again.done(PIECE).worker == "w"
    assert (again.folder(PIECE.name) / "result.txt").read_text() == "some"
    assert again.done(dataclasses.replace(PIECE, spec={"seed": 2})) is None
    again.close()
    Journal(tmp_path, resume=False).close()
    assert not (tmp_path / "pieces" / "faults-1").exists()


def test_a_line_that_a_kill_cut_off_is_no_outcome_and_spoils_no_other(tmp_path):
    journal = Journal(tmp_path, resume=False)
    journal.add(made(tmp_path))
    journal.close()
    path = tmp_path / "pieces" / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'{"piece": "torn", "dig')
    other = dataclasses.replace(PIECE, name="faults/2")
    again = Journal(tmp_path, resume=True)
    again.add(made(tmp_path, other))
    again.close()
    last = Journal(tmp_path, resume=True)
    assert last.done(PIECE)
    assert last.done(other)
    last.close()


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_no_file_of_an_archive_leads_out_of_its_folder(tmp_path, name):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made_:
        made_.writestr(name, "x")
    with pytest.raises(archive.ArchiveError, match="outside"):
        archive.unpack(stream.getvalue(), tmp_path / "in" / "folder")
    assert not list(tmp_path.rglob("outside*"))
    assert not (tmp_path / "in" / "folder").exists()


def test_what_is_no_zip_is_refused(tmp_path):
    with pytest.raises(archive.ArchiveError, match="no zip"):
        archive.unpack(b"something else", tmp_path / "folder")


def test_what_is_left_at_a_share_is_fetched_once(tmp_path):
    url = archive.leave(b"octets", f"file://{tmp_path}/share", "p1")
    assert archive.fetch(url) == b"octets"
    with pytest.raises(archive.ArchiveError, match="cannot be read here"):
        archive.fetch(url)


@pytest.mark.parametrize("address", ["local", "local:0", "local:x", "local:-1"])
def test_a_wrong_number_of_local_workers_is_told(address):
    with pytest.raises(ClusterError, match="local:N"):
        is_local(address)


def test_a_change_of_the_code_changes_what_icetcp_says_it_is():
    version, digest = identity.icetcp().split("+")
    assert version
    assert len(digest) == 12


OUTLIVES = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
print(os.getpid(), child.pid, flush=True)
time.sleep(1000)
"""
STARTS = """
import subprocess, sys
from conformance.cluster.guarded import Guarded
program = Guarded.start(["outlives"], output=sys.stdout.fileno())
print(program.process.pid, flush=True)
program.ended(1000)
"""


def test_whoever_wanted_a_program_takes_it_along_even_when_killed(tmp_path):
    (tmp_path / "outlives.py").write_text(OUTLIVES)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", STARTS], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        pids = [int(one) for _ in range(2) for one in process.stdout.readline().split()]
        assert len(pids) == 3
        assert all(map(runs, pids))
        process.send_signal(signal.SIGKILL)
        until(lambda: not any(map(runs, pids)), "the end of guard, program and its child in another session")


def test_a_program_that_is_asked_to_end_may_do_so_in_order(tmp_path, monkeypatch):
    (tmp_path / "orderly.py").write_text(
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\nprint('ready', flush=True)\nsignal.pause()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    program = Guarded.start(["orderly"], output=subprocess.PIPE)
    assert program.process.stdout is not None
    assert program.process.stdout.readline() == b"ready\n"
    program.stop(20)
    assert program.ended(20)
    assert program.end() == 7
    program.process.stdout.close()
