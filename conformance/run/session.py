"""Pytest in process, shut off from everything that the user's folder holds for pytest, and how it ended.

The command line is a pytest session with our plugin alone: no configuration file, `conftest.py`,
`PYTEST_ADDOPTS` or installed plugin of the user takes part, nothing is written but what `--out` names.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys
import tempfile
import threading
import traceback
from dataclasses import dataclass, field
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from conformance.run.interrupts import descendants as descendants
from conformance.run.interrupts import end_descendants as end_descendants
from conformance.run.interrupts import interruptible as interruptible

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

PLUGIN = "conformance.run.plugin"
SUITES = "conformance.suites"
INTERRUPTED = "interrupted"  # why a session ended when that happened after its last case
# Without terminal and cache pytest neither prints nor writes; stray exceptions are kept by `_strays`; no capture,
# for many threads share one stdout.
_BLOCKED = (
    "terminal",
    "cacheprovider",
    "junitxml",
    "logging",
    "threadexception",
    "unraisableexception",
    "debugging",  # a debugger works without it, and it takes pdb along
    "unittest",
)
_QUIET = [*(f"-pno:{name}" for name in _BLOCKED), "--capture=no", "--noconftest"]
_FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG")
_REMEDIES = {
    errno.ENOSPC: "free some space, or choose another place with --out",
    errno.EDQUOT: "free some space, or choose another place with --out",
    errno.EROFS: "choose another place with --out",
    errno.EACCES: "choose another place with --out, or get the permission",
    errno.EPERM: "get the permission, or use --link sockets",
    errno.EMFILE: "lower -j, or raise the limit with ulimit -n",
    errno.ENFILE: "lower -j",
    errno.EAGAIN: "lower -j, or raise the limit with ulimit -u",
    errno.ENOMEM: "lower -j",
    errno.EADDRINUSE: "wait a minute for ports to become free, or lower -j",
    errno.EADDRNOTAVAIL: "wait a minute for ports to become free, or lower -j",
}


@dataclass(slots=True)
class Outcome:
    """How a session went, apart from the verdicts.

    `usage` and `fatal` are the messages of what the user can mend and of what cannot be judged; `crash` is
    the text of a traceback of ours.
    """

    status: int = 0
    interrupted: bool = False
    usage: str = ""
    fatal: str = ""
    crash: str = ""


@dataclass(slots=True)
class Watcher:
    """Pytest plugin that keeps pytest from speaking and notes what it would have said."""

    outcome: Outcome = field(default_factory=Outcome)
    ours: Path = field(default_factory=Path)
    private: bool = False

    def load_cases(self) -> None:
        """Import the cases and what executes them, while the IUT starts on another core.

        An error is for pytest to report, which then imports the file again.
        """
        with contextlib.suppress(Exception):
            from conformance.run import scapy_tables

            scapy_tables.leave_out()
            import_module("conformance.run.run")
            for path in sorted(self.ours.rglob("test_*.py")):
                import_module(".".join((SUITES, *path.relative_to(self.ours).with_suffix("").parts)))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Note a usage error that the plugin raised, which pytest would print in a style of its own."""
        config.option.verbose = 0  # other plugins look for it; the terminal's reporter would have declared it
        try:
            return (yield)
        except pytest.UsageError as error:
            self.outcome.usage = "; ".join(str(arg) for arg in error.args)
            return pytest.ExitCode.USAGE_ERROR

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell an interrupt by the user from `pytest.exit` and from the end after errors in collection."""
        if isinstance(excinfo.value, pytest.exit.Exception):
            self.outcome.fatal = excinfo.value.msg
        elif type(excinfo.value) is KeyboardInterrupt:
            self.outcome.interrupted = True

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Keep the traceback instead of printing it; what the system refused needs none."""
        if isinstance(excinfo.value, OSError) and excinfo.value.errno in _REMEDIES:
            self.outcome.fatal = os_error(excinfo.value)
            return True
        self.outcome.crash = "".join(traceback.format_exception(excinfo.value))
        return True

    def pytest_collection_finish(self) -> None:
        """Start the garbage collector, without what exists by now and lives as long as the run: see `run_pytest`."""
        gc.freeze()
        gc.enable()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Note on a report the file that it is about."""
        report = yield
        report.icetcp_path = collector.path
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out other tests that are in the same files."""
        if self.private:
            from conformance.run.collect import is_case

            items[:] = [item for item in items if is_case(item)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what went wrong in the import of a file of cases; a file of private cases is for the user to mend."""
        if not report.failed:
            return
        path = getattr(report, "icetcp_path", self.ours)
        if not path.is_relative_to(self.ours):
            last = report.longreprtext.strip().splitlines()[-1].removeprefix("E").strip()
            self.outcome.usage = self.outcome.usage or f"private cases: {path} cannot be collected: {last}"
        else:
            self.outcome.crash += f"{report.nodeid}\n{report.longreprtext}\n"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Note why the reports could not be written."""
        try:
            return (yield)
        except pytest.exit.Exception as error:
            if error.msg == INTERRUPTED:
                self.outcome.interrupted = True
            else:
                self.outcome.fatal = self.outcome.fatal or error.msg
            session.exitstatus = error.returncode or pytest.ExitCode.INTERNAL_ERROR


def run_pytest(arguments: Sequence[str], plugins: Sequence[object] = (), *, private: Sequence[str] = ()) -> Outcome:
    """Run a pytest session over the cases and return how it went; nothing is printed.

    `private` are folders and files of private cases, which join those of `conformance.suites`. A second interrupt
    or SIGTERM ends the process at once, with status 3.
    """
    folder = Path(suites_folder())
    watcher = Watcher(ours=folder, private=bool(private))
    argv = [
        "-c",
        os.devnull,
        "--rootdir",
        str(folder.parent),
        "--confcutdir",
        str(folder),
        "-p",
        PLUGIN,
        *_QUIET,
        *arguments,
        str(folder),
        *(str(Path(path).absolute()) for path in private),
    ]
    outcome = watcher.outcome
    gc.disable()  # while thousands of cases are collected, none of which is garbage: that saves a quarter of the time
    try:
        with _own_environment(), _strays() as strays, interruptible():
            outcome.status = int(pytest.main(argv, plugins=[watcher, *plugins]))
    finally:
        gc.enable()
    if not (outcome.usage or outcome.fatal or outcome.interrupted):  # those may well end a thread in mid-sentence
        outcome.crash += "".join(strays)
    return outcome


def suites_folder() -> str:
    """Return the folder of icetcp's cases."""
    spec = util.find_spec(SUITES)
    locations = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not locations:
        raise FileNotFoundError(f"the package {SUITES} is not installed")
    return locations[0]


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    """Keep the user's pytest variables and installed plugins out, for as long as the session runs."""
    before = dict(os.environ)
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _strays() -> Iterator[list[str]]:
    """Gather the tracebacks of threads that died; what a finaliser raises changes no verdict and is passed over."""
    found: list[str] = []

    def keep(died: threading.ExceptHookArgs) -> None:
        lines = traceback.format_exception(died.exc_type, died.exc_value, died.exc_traceback)
        found.append("".join(lines))

    before = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = keep, lambda _unraisable: None
    try:
        yield found
    finally:
        threading.excepthook, sys.unraisablehook = before


def os_error(error: OSError) -> str:
    """Return what the operating system refused, about what, and the remedy where one is known."""
    about = f": {error.filename}" if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{error.strerror or error}{about}{f'; {remedy}' if remedy else ''}"


def save_traceback(text: str) -> str:
    """Write a traceback to a new file and return its path, or why there is none."""
    try:
        handle, path = tempfile.mkstemp(prefix="icetcp-", suffix=".traceback.txt")
        with cast("Any", os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace")) as file:
            file.write(text)
    except OSError as error:
        return f"nowhere: {error.strerror}"
    return path
