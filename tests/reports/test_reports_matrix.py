"""The matrix: what a cell tells, what is marked for the oracle, and the page that opens its cells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from lxml import html as parser

from conformance.verdict import Level, Result, Verdict
from reports.html import matrix as pages
from reports.matrix import ASK, Run, State, data, failing_everywhere, rows
from reports.record import RunInfo

INFO = RunInfo(
    iut="x", iut_version="1", command="x", seed=0, icetcp_version="0", python="3", platform="p", link="lab", started=1.0
)  # fmt: skip
PASS, FAIL, INCONC, ERROR, NA = Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.ERROR, Verdict.NOT_APPLICABLE
ONE, TWO = "RFC6544-7.2-01", "RFC6544-8-02"
TITLES = {ONE: ("must", "listens"), TWO: ("should", "closes")}


def result(verdict: Verdict, case: str = "RFC6544-7.2/a[1]", **change) -> Result:
    fields = {"title": "t", "section": "RFC6544-7.2", "requirements": (ONE, TWO), "level": Level.MUST, **change}
    return Result(case=case, verdict=verdict, **fields)


def run(name: str, *results: Result) -> Run:
    return Run(name, replace(INFO, iut=name), results, folder=f"runs/{name}")


@pytest.mark.parametrize(
    ("results", "state", "why"),
    [
        ([result(PASS)], State.PASS, ""),
        ([result(PASS, note="reads it so")], State.CHOICE, "reads it so"),
        ([result(PASS), result(FAIL, "s/b", reason="silent")], State.MUST, "silent"),
        ([result(FAIL, level=Level.STATED)], State.MUST, ""),
        ([result(FAIL, level=Level.SHOULD)], State.SHOULD, ""),
        ([result(FAIL, level=Level.MAY, reason="it may")], State.CHOICE, "it may"),
        ([result(FAIL, level=Level.SHOULD), result(FAIL, "s/b", reason="worse")], State.MUST, "worse"),
        ([result(NA, reason="the IUT's pics lack so")], State.NOT_JUDGED, "n/a: the IUT's pics lack so"),
        ([result(INCONC, reason="no offer"), result(NA)], State.NOT_JUDGED, "inconc: no offer; n/a: "),
        ([result(ERROR, reason="ours")], State.NOT_JUDGED, "error: ours"),
    ],
)
def test_a_cell_tells_the_worst_of_its_variants_and_why(results, state, why) -> None:
    cell = rows([run("x", *results)], [ONE])[0].cells["x"]
    assert (cell.state, cell.why) == (state, why)


def test_a_case_counts_for_the_sentence_that_it_cites_first() -> None:
    assert [row.requirement for row in rows([run("x", result(PASS))], [TWO, ONE])] == [ONE]


def test_a_stack_without_a_run_is_not_run_and_says_why() -> None:
    found = rows([run("x", result(PASS)), Run("dead", None, trouble="it ended")], [ONE])[0].cells["dead"]
    assert (found.state, found.why) == (State.NOT_RUN, "it ended")


def test_what_all_but_our_own_agents_fail_asks_the_oracle() -> None:
    ours = run("reference", result(PASS))
    both = [ours, run("x", result(FAIL)), run("y", result(FAIL)), run("z", result(NA))]
    assert rows(both, [ONE])[0].ask
    assert failing_everywhere(both) == {"RFC6544-7.2/a": ["x", "y"]}
    assert not rows([*both, run("w", result(PASS))], [ONE])[0].ask
    assert not rows([ours, run("x", result(FAIL))], [ONE])[0].ask, "one alone is no reason to doubt"
    assert data(both, rows(both, [ONE]), TITLES)["requirements"][ONE]["ask"] == ASK


def test_the_page_has_every_cell_and_packs_what_is_behind_it() -> None:
    hostile = "</script><b>\u202e"
    runs = [run("x", result(FAIL, reason=hostile, known="issue 1")), run(f"y{hostile}", result(PASS))]
    found = rows(runs, [ONE])
    shown = {
        "RFC6544-7.2/a[1]": {"reason": hostile, "exchange": b'{"drawings":[],"messages":[]}', "capture": b"\x00\x01"}
    }
    page = pages.page(runs, found, TITLES, {"x": shown}, "0")
    assert "<b>" not in page
    assert "\u202e" not in page
    root = parser.fromstring(page)
    cells = root.xpath("//tbody[@id='matrix-rows']//td/a")
    assert [" ".join(cell.text_content().split()) for cell in cells] == ["MUST ≈", "pass"]
    assert cells[0].get("href") == f"#cell/{ONE}/x"
    assert len(root.xpath("//script[@data-name]")) == len(runs)
    packed = pages._detail(shown["RFC6544-7.2/a[1]"])
    assert packed["capture"] == "0001"


def test_what_asks_the_oracle_leads_to_its_cells() -> None:
    runs = [run("x", result(FAIL)), run("y", result(FAIL))]
    root = parser.fromstring(pages.page(runs, rows(runs, [ONE]), TITLES, {}, "0"))
    assert root.xpath("//section[@data-view='oracle']//li/a/@href") == [f"#cell/{ONE}/x", f"#cell/{ONE}/y"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_eighteen_columns_fit_a_screen(tmp_path) -> None:
    """What a cell says is short then; a reader of its label hears the whole of it."""
    runs = [run(f"implementation-{n}", result(FAIL, known="issue 1") if n % 2 else result(PASS)) for n in range(18)]
    page = pages.page(runs, rows(runs, [ONE]), TITLES, {}, "0")
    cells = parser.fromstring(page).xpath("//tbody[@id='matrix-rows']//td/a")
    assert [cell.text_content() for cell in cells[:2]] == ["\u2713", "M\u2248"]
    assert cells[1].get("aria-label") == f"{ONE}, implementation-1: MUST broken"
    (tmp_path / "matrix.html").write_text(page)
    with Browser() as browser:
        browser.size(1250, 900)
        browser.open((tmp_path / "matrix.html").as_uri())
        assert browser.evaluate("(([t]) => t.scrollWidth <= t.clientWidth)(document.querySelectorAll('.scroll.tall'))")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_cell_opens_its_cases_in_a_browser(tmp_path) -> None:
    runs = [run("x", result(FAIL, reason="silent")), run("y", result(PASS))]
    shown = {"RFC6544-7.2/a[1]": {"reason": "silent", "capture": b"\x00", "capturefile": "a.pcapng", "ladder": "SYN"}}
    (tmp_path / "matrix.html").write_text(pages.page(runs, rows(runs, [ONE]), TITLES, {"x": shown}, "0"))
    visible = "document.querySelector('section[data-view={}]').getBoundingClientRect().height > 0"
    with Browser() as browser:
        browser.open((tmp_path / "matrix.html").as_uri())
        assert browser.evaluate(visible.format("matrix"))
        assert not browser.evaluate(visible.format("cell"))
        browser.evaluate("document.querySelector('#matrix-rows td a').click()")
        browser.until("document.querySelector('#one-cell details[open] pre')")
        assert browser.evaluate(visible.format("cell"))
        text = browser.evaluate("document.getElementById('one-cell').textContent")
        assert text.count("silent") == 2
        assert "Save the capture" in text
        assert browser.said() == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_page_is_waited_for_though_the_one_before_ends_loading_late(tmp_path) -> None:
    """As on a busy machine: the empty page with which the browser starts is loaded when ours is already on its way."""
    (tmp_path / "long.html").write_text("<!doctype html><title>long</title>" + "<p>a paragraph</p>" * 200_000)
    with Browser() as browser:
        call = browser.call

        def with_a_late_event(method, **parameters):
            answer = call(method, **parameters)
            if method == "Page.navigate":
                late = {"name": "load", "loaderId": "of the page before"}
                browser.events += [{"method": "Page.loadEventFired"}, {"method": "Page.lifecycleEvent", "params": late}]
            return answer

        browser.call = with_a_late_event
        browser.open((tmp_path / "long.html").as_uri())
        assert browser.evaluate("document.readyState") == "complete"


def test_the_command_runs_each_stack_and_goes_on_where_it_stopped(tmp_path) -> None:
    agent = f"exec:{sys.executable} -m conformance.agent"
    command = [sys.executable, "-m", "conformance", "matrix", f"good={agent}", "dead=exec:false", "--quick"]
    command += [f"bad={agent} --fault response-with-username", "--case", "RFC8489-9.1.3/response_has_no_user_name"]

    def icetcp() -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}  # the folder gets a `reports` of its own
        options = {"capture_output": True, "text": True, "timeout": 100, "check": False}
        return subprocess.run(command, cwd=tmp_path, env=environment, **options)

    first = icetcp()
    assert first.returncode == 1, first.stdout + first.stderr
    folder = tmp_path / "reports" / "matrix"
    found = json.loads((folder / "matrix.json").read_text())
    cells = found["requirements"]["RFC8489-9.1.3-12"]["cells"]
    assert {name: cell["state"] for name, cell in cells.items()} == {
        "good": "pass", "dead": "not run", "bad": "MUST broken"
    }  # fmt: skip
    assert "the adapter exited" in found["implementations"]["dead"]["trouble"]
    assert (folder / "runs" / "bad" / "report.html").is_file()
    assert "bad" in (folder / "matrix.html").read_text()
    before = (folder / "runs" / "good" / "record.jsonl").stat().st_mtime_ns
    second = icetcp()
    assert second.returncode == 1
    assert second.stderr.count("as it was run before") == 2, "the dead one is tried again"
    assert (folder / "runs" / "good" / "record.jsonl").stat().st_mtime_ns == before


HOSTILE = Path(__file__).parents[1] / "run" / "hostile_adapter.py"


def test_what_an_adapter_did_against_the_contract_is_told(tmp_path) -> None:
    """It dies in its third session, and not when the case is repeated alone."""
    options = ["--case", "RFC4571-2/length_equals_the_response", "--variants", "usual", "--out", str(tmp_path)]
    mine = f"mine=exec:{sys.executable} {HOSTILE} abort 3"
    command = [sys.executable, "-m", "conformance", "matrix", mine, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    words = "died: the adapter was killed by SIGABRT"
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"the adapter {words}" in done.stdout
    found = json.loads((tmp_path / "matrix.json").read_text())
    assert any(words in text for text in found["implementations"]["mine"]["incidents"])
    assert words in (tmp_path / "matrix.html").read_text()


def test_a_device_that_a_person_operates_is_not_for_a_matrix() -> None:
    command = [sys.executable, "-m", "conformance", "matrix", "manual"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (2, "icetcp: manual needs a person at the terminal; use icetcp run\n")
