"""The pytest plugin: cases are pytest items, executed concurrently by the engine and reported by pytest's own loop.

At collection's end all selected cases are started on the engine's threads; the loop below then gives each item to
`pytest_runtest_protocol` as its result arrives, so that selection (-k, -m, --lf), -x and every reporter work as usual.
With -j 1 (`--icetcp-jobs 1`) a case is executed inside its own protocol, in the main thread, where a debugger works;
under pytest-xdist likewise, since xdist's workers are the concurrency.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import pytest

from conformance.run import hooks, pytest_options
from conformance.run.choosing import CHOSEN, choose
from conformance.run.collect import case_of, is_case, remade, repeated
from conformance.run.gather import WITHOUT_ITEMS, Gatherer
from conformance.run.interrupts import held, hold, opened, taken
from conformance.run.outcomes import is_failure, raise_as_outcome
from conformance.run.session import INTERRUPTED, Watcher, os_error
from conformance.verdict import ExitStatus, Level, Result, Verdict, case_name
from reports.reach import status as exit_status_of_run
from reports.record import ReportError, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from conformance.run.applicability import Applicability
    from conformance.run.case import Case
    from conformance.run.distributed import Controller
    from conformance.run.premise import Premise
    from conformance.run.run import Run
    from reports.record import RunInfo

_RUN = pytest.StashKey["Run"]()
_PREMISE = pytest.StashKey["Premise"]()
_RESULT = pytest.StashKey[Result]()
_RESULTS = pytest.StashKey[dict[str, Result]]()
_FRESH = pytest.StashKey[dict[str, Result]]()  # by node, until its report comes
_CONTROLLER: pytest.StashKey[Controller] = pytest.StashKey()
_WRITTEN: pytest.StashKey[tuple[Sequence[str], Sequence[Path]]] = pytest.StashKey()
_PHASES: Final[tuple[Literal["setup", "call", "teardown"], ...]] = ("setup", "call", "teardown")
_COLLECTOR = "icetcp-collector"
_PROPERTY = "icetcp"  # of reports that come from a worker of pytest-xdist


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare what a display can implement."""
    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `icetcp run`, unless the entry point has done so."""
    pytest_options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and prepare to gather results."""
    pytest_options.declare_marks(config)
    config.stash[_RESULTS], config.stash[_FRESH] = {}, {}


@pytest.fixture
def upper() -> object:
    """Upper tester: drives the IUT through its adapter (`conformance.iut.upper.Upper`)."""
    return None


@pytest.fixture
def peer() -> object:
    """Lower tester: the scripted ICE-TCP peer (`conformance.peer.tester.Peer`)."""
    return None


@pytest.fixture
def segments() -> object:
    """The lower tester's own TCP (`conformance.peer.segments.script.Segments`): its peer then speaks in segments."""
    return None


@pytest.fixture
def pixit() -> object:
    """Deadlines of the run, in seconds (`conformance.peer.pixit.Pixit`)."""
    return None


@pytest.fixture
def rng() -> object:
    """Random numbers that the run's seed and the case's id determine (`random.Random`)."""
    return None


@pytest.fixture
def family(request: pytest.FixtureRequest) -> str:
    """Address family over which both testers meet the IUT, "IPv4" or "IPv6"; `suites.marks.both_families` varies it."""
    return str(getattr(request, "param", "IPv4"))


@pytest.fixture
def shape(request: pytest.FixtureRequest) -> object:
    """How a case is carried out (`conformance.peer.shape.Shape`); `suites.marks.varied` varies it."""
    return getattr(request, "param", None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Deselect cases that are not wanted, having noted what all of them together test.

    Raises `pytest.UsageError` for a filter that selects nothing.
    """
    every = [case_of(item) for item in items if is_case(item)]
    yield
    among = [case_of(item) for item in items if is_case(item)]  # that other plugins, and -k, have left
    chosen = config.stash[CHOSEN] = choose(config, every, among, _applicability(config))
    wanted = {id(case) for case in chosen.cases}
    kept = [item for item in items if not is_case(item) or id(case_of(item)) in wanted]
    left = set(kept)
    dropped = [item for item in items if item not in left]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    if config.getoption("icetcp_repeat") > 1:
        items[:] = repeated(items, config.getoption("icetcp_repeat"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Execute the cases concurrently and report each as it is done; leave everything else to pytest."""
    config = session.config
    without_items = config.stash.get(WITHOUT_ITEMS, None)
    if without_items is not None:
        return _execute(session, without_items)
    cases = {case_of(item).id: item for item in session.items if is_case(item)}
    if not cases or config.option.collectonly or session.testsfailed:
        return None
    run = _begin(config, [case_of(item) for item in cases.values()])
    if run.inline:
        return None  # pytest's own loop; each case is executed when its turn comes
    others = [item for item in session.items if not is_case(item)]
    for item in others:
        _protocol(session, item)
    heard = _is_heard(session)
    for case, result in _executed(run, len(cases)):
        _settle(cases[case.id], result, heard=heard)
        _end_if_told(session)
    return True


def _executed(run: Run, count: int) -> Generator[tuple[Case, Result], None, None]:
    """Give each case with its result as it is done; what has finished before an interrupt comes before it."""
    done = run.start()
    with held(lambda: done.put((None, taken()))):
        for _ in range(count):
            case, outcome = done.get()
            if isinstance(outcome, BaseException):
                raise _end_of_session(outcome)
            assert case is not None
            yield case, outcome


def _execute(session: pytest.Session, cases: Sequence[Case]) -> bool | None:
    """Execute cases that have no items: their results are for the collector alone, who failed for the session."""
    if not cases or session.config.option.collectonly:
        return None
    run = _begin(session.config, cases)
    for _, result in _one_by_one(run, cases) if run.inline else _executed(run, len(cases)):
        run.annotate(result)
        _take(session.config, result)
        if is_failure(result, Level(session.config.getoption("icetcp_fail_on"))):
            session.testsfailed += 1
            if 0 < (session.config.getoption("maxfail") or 0) <= session.testsfailed:
                session.shouldfail = f"stopping after {session.testsfailed} failures"
        _end_if_told(session)
    return True


def _one_by_one(run: Run, cases: Sequence[Case]) -> Generator[tuple[Case, Result], None, None]:
    """Execute each case here, in the main thread, where a debugger works."""
    for case in cases:
        try:
            with opened():
                result = run.engine.run(case)
        except OSError as error:
            raise _end_of_session(error) from None
        yield case, result


def _settle(item: pytest.Item, result: Result, *, heard: bool) -> None:
    """Give the result of an executed case to pytest; if nobody hears of what does not fail, only to the collector."""
    config = item.config
    config.stash[_RUN].annotate(result)
    if heard or is_failure(result, Level(config.getoption("icetcp_fail_on"))):
        item.stash[_RESULT] = result
        _report(item)
    else:
        _take(config, result)


def _take(config: pytest.Config, result: Result) -> None:
    collector = config.pluginmanager.get_plugin(_COLLECTOR)
    assert isinstance(collector, _Collector)
    collector.take(result)


def _is_heard(session: pytest.Session) -> bool:
    """Whether somebody in addition to pytest's session and us is told of each report, as a terminal is."""
    hook, ours = session.config.hook, (session, session.config.pluginmanager.get_plugin(_COLLECTOR))
    told = (hook.pytest_runtest_logstart, hook.pytest_runtest_logreport, hook.pytest_runtest_logfinish)
    return any(one.plugin not in ours for caller in told for one in caller.get_hookimpls())


def _protocol(session: pytest.Session, item: pytest.Item) -> None:
    """Report one item; the session as `nextitem` keeps session fixtures and tears down the rest."""
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=cast("pytest.Item", session))
    _end_if_told(session)


def _report(item: pytest.Item) -> None:
    """Report a case that the engine has executed: as pytest does, but there are no fixtures to set up and tear down."""
    assert isinstance(item, pytest.Function)
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for when in _PHASES:
        act = functools.partial(pytest_pyfunc_call, item) if when == "call" else _nothing
        call = pytest.CallInfo.from_call(act, when=when, reraise=(pytest.exit.Exception, KeyboardInterrupt))
        report = hook.pytest_runtest_makereport(item=item, call=call)
        hook.pytest_runtest_logreport(report=report)
        if report.failed:
            hook.pytest_exception_interact(node=item, call=call, report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _nothing() -> None:
    """Do all that is to be done before and after a case that was executed elsewhere."""


def _end_if_told(session: pytest.Session) -> None:
    """End the session after -x or --maxfail, and where a plugin asks for it."""
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _end_of_session(error: BaseException) -> BaseException:
    """Return what ends the session for an error: in one line where the system refused something (a full disk, ...)."""
    if isinstance(error, OSError | ReportError):
        text = str(error) if isinstance(error, ReportError) else os_error(error)
        return pytest.exit.Exception(f"icetcp: {text}", returncode=int(ExitStatus.COULD_NOT_JUDGE))
    return error


def _begin(config: pytest.Config, variants: Sequence[Case] = ()) -> Run:
    """Begin to write and announce the run of these variants (none are known in a worker of xdist)."""
    from conformance.run.run import Run  # heavy: only when cases are really executed

    chosen = config.stash[CHOSEN]
    run = Run.begin(config, _premise(config), tested=chosen.tested, variants=variants, partial=chosen.partial)
    config.stash[_RUN] = run
    for note in [*_left_out(config), *run.recording.notes]:
        config.hook.pytest_icetcp_note(text=note)
    run.total = len(variants)
    config.hook.pytest_icetcp_start(run=run.info, total=run.total)
    return run


def _left_out(config: pytest.Config) -> list[str]:
    """Say which cases were left out because they take long."""
    long = config.stash[CHOSEN].long
    if not long:
        return []
    count = len({case_name(case.id) for case in long})
    longest = max(case.length for case in long)
    cases, they = ("1 case that takes", "it is") if count == 1 else (f"{count} cases that take", "they are")
    return [
        f"left out for speed: {cases} long, up to {longest:g} s, most for a clock of the protocol; "
        f"{they} part of a run of all variants"
    ]


def _premise(config: pytest.Config) -> Premise:
    """Start the IUT, unless it has been started."""
    premise = config.stash.get(_PREMISE, None)
    if premise is None:
        from conformance.run.premise import Premise  # heavy: only when an IUT is needed

        begun = Premise.begin(config, *(watcher.load_cases for watcher in _watchers(config)))
        premise = config.stash[_PREMISE] = begun
    return premise


def _applicability(config: pytest.Config) -> Applicability | None:
    """Return what can be judged on the IUT that was named, if one was."""
    premise = config.stash.get(_PREMISE, None)
    return premise.applicability if premise is not None else None


def _met(config: pytest.Config) -> Applicability | None:
    """Begin what goes on while cases are made for the IUT that was named, if one was."""
    premise = config.stash.get(_PREMISE, None)
    if premise is not None:
        from conformance.run.forking import fork_early  # heavy: only when cases are really executed

        fork_early(config, premise)
    return _applicability(config)


def _watchers(config: pytest.Config) -> list[Watcher]:
    """Return the one of a session that a command of ours runs."""
    return [plugin for _, plugin in config.pluginmanager.list_name_plugin() if isinstance(plugin, Watcher)]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, Any, Any]:
    """Start an IUT that was named, so that cases are collected for it."""
    config = session.config
    if config.getoption("iut") and not config.pluginmanager.hasplugin("dsession"):
        _premise(config)
    with opened():
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Combine the dimensions of a case for the IUT that was named, before pytest makes items of its marks."""
    applicability = _applicability(metafunc.config)
    if applicability is not None:
        marks = metafunc.definition.own_markers
        marks[:] = remade(marks, metafunc.function, applicability)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Give the verdict of a case to pytest as the outcome of its call."""
    if not is_case(pyfuncitem):
        return None
    result = pyfuncitem.stash.get(_RESULT, None)
    if result is None:
        run = pyfuncitem.config.stash.get(_RUN, None) or _begin(pyfuncitem.config)
        try:
            with opened():
                result = run.engine.run(case_of(pyfuncitem))
        except OSError as error:
            raise _end_of_session(error) from None
    pyfuncitem.config.stash[_RUN].annotate(result)
    if pyfuncitem.config.stash[_RUN].worker:
        pyfuncitem.user_properties.append((_PROPERTY, packed(result)))
    else:
        pyfuncitem.config.stash[_FRESH][pyfuncitem.nodeid] = result
    fail_on = Level(pyfuncitem.config.getoption("icetcp_fail_on"))
    raise_as_outcome(result, fail_on)
    return True


class _Collector:
    """Gathers results from reports, so that it works in xdist's controller as well."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        fresh = self._config.stash[_FRESH].pop(report.nodeid, None)
        if fresh is not None:
            self.take(fresh)
        for name, value in report.user_properties:
            if name == _PROPERTY:
                self.take(unpacked(str(value)))

    def take(self, result: Result) -> None:
        results = self._config.stash[_RESULTS]
        results[result.case] = result
        run = self._config.stash.get(_RUN, None) or self._config.stash.get(_CONTROLLER, None)
        if run is not None:
            try:
                run.record(result)
            except ReportError as error:
                raise _end_of_session(error) from None
        total = run.total if run is not None else 0
        self._config.hook.pytest_icetcp_result(result=result, done=len(results), total=total)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Watch reports from now on; pytest-xdist's controller looks at the IUT before it starts workers."""
    config = session.config
    hold()
    config.pluginmanager.register(_Collector(config), _COLLECTOR)
    if any(not watcher.private for watcher in _watchers(config)):
        config.pluginmanager.register(Gatherer(lambda: _met(config)), "icetcp-gatherer")
    if config.pluginmanager.hasplugin("dsession") and not config.option.collectonly:
        from conformance.run.distributed import Controller

        controller = config.stash[_CONTROLLER] = Controller(config)
        config.pluginmanager.register(controller, "icetcp-controller")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> Generator[None, None, None]:
    """End the IUT, decode the captures, write the reports, and set the exit status by the verdicts."""
    try:
        yield from _finish(session, complete=int(exitstatus) in (0, 1))
    finally:
        premise = session.config.stash.get(_PREMISE, None)
        if premise is not None:
            premise.end()
        hold(False)


def _finish(session: pytest.Session, *, complete: bool) -> Generator[None, None, None]:
    config = session.config
    run = config.stash.get(_RUN, None)
    results = list(config.stash[_RESULTS].values())
    if run is not None:
        written = run.finish(results, complete=complete)
        _tell(config, results, run.info, written)
        if run.worker:
            from conformance.run.distributed import hand_over

            hand_over(config, run, results)
    yield  # in pytest-xdist's controller: until the workers have ended
    controller = config.stash.get(_CONTROLLER, None)
    if controller is not None:
        by_case = config.stash[_RESULTS]
        written = controller.finish(by_case, complete=complete)
        results = list(by_case.values())
        _tell(config, results, controller.info, written)
    if complete and (run is not None or (controller is not None and results)):
        info = run.info if run is not None else controller.info if controller is not None else None
        session.exitstatus = _status(results, info, Level(config.getoption("icetcp_fail_on")), session)
    if complete and run is not None and run.info.interrupted:
        raise pytest.exit.Exception(INTERRUPTED, returncode=int(pytest.ExitCode.INTERRUPTED))


def _tell(config: pytest.Config, results: list[Result], run: RunInfo, written: Sequence[Path]) -> None:
    for note in run.notes:  # those from the beginning are known already
        config.hook.pytest_icetcp_note(text=note)
    config.hook.pytest_icetcp_finish(results=results, written=list(written))
    config.stash[_WRITTEN] = (*run.notes, *(f"incident: {text}" for text in run.incidents)), written


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the user should know, and where the reports are."""
    notes, written = config.stash.get(_WRITTEN, ((), ()))
    if notes or written:
        terminalreporter.section("icetcp")
    for note in notes:
        terminalreporter.line(f"note: {note}")
    for path in written:
        terminalreporter.line(f"written: {path}")


def _status(results: list[Result], run: RunInfo | None, fail_on: Level, session: pytest.Session) -> int:
    status = exit_status_of_run(results, run, fail_on)
    if status is ExitStatus.CONFORMS and session.testsfailed > sum(r.verdict is Verdict.FAIL for r in results):
        return int(pytest.ExitCode.TESTS_FAILED)  # other tests of the same session, no cases of ours
    return int(status)
