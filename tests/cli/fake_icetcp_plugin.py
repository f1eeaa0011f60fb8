"""A plugin with the real one's options and hooks, which does as the variable FAKE_ICETCP says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.run import hooks
from conformance.verdict import Level, Result, Verdict
from reports.record import RunInfo

_OPTIONS = (
    "section",
    "level",
    "jobs",
    "out",
    "fail-on",
    "seed",
    "timeout",
    "link",
    "variants",
    "attachments",
    "report",
    "repeat",
)


def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser):
    parser.addoption("--iut")
    for name in _OPTIONS:
        parser.addoption(f"--icetcp-{name}", action="append", default=[])


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if not session.items or session.testsfailed:
        return None
    script = json.loads(os.environ["FAKE_ICETCP"])
    config = session.config
    if "options" in script:
        seen = {name: config.getoption(f"icetcp_{name.replace('-', '_')}") for name in _OPTIONS}
        seen |= {
            "iut": config.getoption("iut"),
            "keyword": config.option.keyword,
            "maxfail": config.option.maxfail,
        }
        seen |= {"plugins": sorted(name for name, _ in config.pluginmanager.list_name_plugin() if "foreign" in name)}
        Path(script["options"]).write_text(json.dumps(seen))
    if "usage" in script:
        raise pytest.UsageError(script["usage"])
    if "exit" in script:
        raise pytest.exit.Exception(script["exit"], returncode=3)
    if "note" in script:
        config.hook.pytest_icetcp_note(text=script["note"])
    results = [result(index, **fields) for index, fields in enumerate(script["results"])]
    total = script.get("total", len(results))
    config.hook.pytest_icetcp_start(run=run_info(script.get("cases", 0)), total=total)
    for number, one in enumerate(results, start=1):
        config.hook.pytest_icetcp_result(result=one, done=number, total=total)
    session.stash[_RESULTS] = results
    if "bug" in script:
        raise RuntimeError(script["bug"])
    if "errno" in script:
        raise OSError(script["errno"], os.strerror(script["errno"]), "reports/run/record.jsonl")
    if "hang" in script:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(script["hang"]).write_text(str(child.pid))
        _wait(deaf=script.get("deaf", False))
    return True


def _wait(*, deaf: bool) -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        if not deaf:
            raise
        while True:
            time.sleep(600)


_RESULTS = pytest.StashKey[list[Result]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    results = session.stash.get(_RESULTS, None)
    if results is not None:
        session.config.hook.pytest_icetcp_finish(results=results, written=[Path("reports/run/junit.xml")])
        script = json.loads(os.environ["FAKE_ICETCP"])
        if "unwritten" in script:
            raise pytest.exit.Exception(script["unwritten"], returncode=3)


def run_info(cases: int) -> RunInfo:
    return RunInfo(
        iut="imagined",
        iut_version="1.2",
        command="imagined --adapter",
        seed=0,
        icetcp_version="0.1.0",
        python="3.11",
        platform="Linux",
        link="sockets",
        started=0.0,
        cases=cases,
        requirements=10,
        pending=4,
    )


def result(index: int, *, verdict: str = "pass", level: str = "must", **fields: object) -> Result:
    base = {
        "case": f"RFC6544-7.2/case_{index}",
        "title": f"case {index}",
        "section": "RFC6544-7.2",
        "requirements": ("RFC6544-7.2-01",),
        "duration": 0.125,
    }
    return Result(**{**base, **fields, "verdict": Verdict(verdict), "level": Level(level)})
