"""What a run prints: progress while it lasts, then the summary, then the paths of the files that it wrote.

A `Display` is a pytest plugin that implements the hooks of `conformance.run.hooks`. `Plain` prints one line for each
variant and no colour codes; `Live` keeps a progress line at the foot of a terminal and prints only what did not pass.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.commands.terminal import counted, is_terminal, muted, one_line
from conformance.verdict import ExitStatus, Level, Result, Verdict, case_name, exit_status, is_rule, variant_of
from reports import expectations, reach
from reports.causes import in_words, of_data
from reports.reach import not_judged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from conformance.run.session import Outcome
    from reports.record import RunInfo

_ALIKE = 3  # so many variants with one reason are shown in full
_SHOWN = (Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.ERROR, Verdict.NOT_APPLICABLE)
_STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONC: "yellow",
    Verdict.ERROR: "bold magenta",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.NONE: "yellow",
}
_HEADINGS = {
    Verdict.FAIL: "failed",
    Verdict.INCONC: "inconclusive: the case could not reach what it judges",
    Verdict.ERROR: "errors of the test system",
}


class Display(ABC):
    """Gathers what the hooks tell and prints the summary; a subclass prints what comes before.

    `folder` is where the run's reports go, for results name their files relative to it.
    """

    def __init__(self, out: TextIO, fail_on: Level = Level.MUST, folder: str = "") -> None:
        self._out = out
        self._fail_on = fail_on
        self._folder = Path(folder)
        self._begun = time.monotonic()
        self.run: RunInfo | None = None
        self.total = 0
        self.results: dict[str, Result] = {}
        self.written: list[Path] = []
        self.notes: list[str] = []

    # -- hooks of a run ---------------------------------------------------------------------------------

    def pytest_icetcp_start(self, run: RunInfo, total: int) -> None:
        """Say what is about to be judged."""
        self.run, self.total = run, total
        iut = one_line(f"{run.iut} {run.iut_version}".strip())
        cases = f"{counted(run.cases, 'case')}, " if run.cases else ""  # pytest-xdist collects them in its workers
        executed = cases + counted(total, "variant")
        self.say(f"icetcp {run.icetcp_version}: {iut}, {executed}, link {run.link}, seed {run.seed}")

    def pytest_icetcp_result(self, result: Result, done: int, total: int) -> None:
        """Take a verdict and show it."""
        self.results[result.case] = result
        self.total = max(total, self.total)
        self.show(result, done)

    def pytest_icetcp_note(self, text: str) -> None:
        """Say what the user should know, once."""
        if text not in self.notes:
            self.notes.append(text)
            self.say(f"note: {one_line(text)}", "cyan")

    def pytest_icetcp_finish(self, results: list[Result], written: list[Path]) -> None:
        """Take the final verdicts: what the captures' second reading changed included."""
        self.results.update({result.case: result for result in results})
        self.written = list(written)

    # -- what a subclass makes different ----------------------------------------------------------------

    @abstractmethod
    def say(self, text: str, style: str = "") -> None:
        """Print a line, for good."""

    @abstractmethod
    def show(self, result: Result, done: int) -> None:
        """Show a verdict that has just come."""

    def close(self) -> None:  # noqa: B027 - a subclass may have nothing to end
        """End the progress, if there is any."""

    # -- the end ----------------------------------------------------------------------------------------

    @property
    def finished(self) -> list[Result]:
        """The results so far, in the order of their case's ids."""
        return [self.results[case] for case in sorted(self.results)]

    def status(self) -> ExitStatus:
        """Return the exit status that the verdicts ask for."""
        status = reach.status(self.finished, self.run, self._fail_on)
        executed = sum(not is_rule(case) for case in self.results)
        return ExitStatus.COULD_NOT_JUDGE if status is ExitStatus.CONFORMS and executed < self.total else status

    def summary(self, outcome: Outcome) -> None:
        """Print counts, what did not pass, what was ruled out and why, the verdict, and the paths."""
        self.close()
        results = self.finished
        if self.run is None and not results:
            return
        self._did_not_pass(results)
        self._known([r for r in results if r.known])
        self._not_applicable([r for r in results if r.verdict is Verdict.NOT_APPLICABLE])
        self._scan()
        self._incidents()
        self.say("")
        if self.run is not None and self.run.requirements:
            self.say(f"requirements: {self.run.requirements} in the catalogue, {self.run.pending} pending")
            if self.run.judged:
                held = sum(count > 0 for count in self.run.judged.values())
                self.say(f"judge: of {len(self.run.judged)} rules for any exchange {held} had something to judge")
        self.say(self._counts(results))
        numbers = expectations.counts(results)
        if any(number for name, number in numbers.items() if name != "new"):
            self.say(f"known failures: {expectations.in_words(numbers)}")
        self.say(*self._judgement(outcome))
        if self.written:
            self.say("written:")
            for path in self.written:
                self.say(f"  {path}")

    def _did_not_pass(self, results: list[Result]) -> None:
        self._causes()
        for verdict, heading in _HEADINGS.items():
            self._section(heading, [r for r in results if r.verdict is verdict and not r.known], _STYLES[verdict])
        self._flaky(results)
        self._repeated([r for r in results if r.repeated and r.verdict is not Verdict.INCONC])

    def _causes(self) -> None:
        causes = of_data(self.run.causes) if self.run is not None else []
        if not causes:
            return
        self.say("")
        self.say("causes, the most basic first:", "bold")
        for cause in causes:
            self.say(f"  {one_line(cause.title)}")
            self.say(f"    {in_words(cause)}, as in {cause.first}")
            if cause.known:
                self.say(f"    known: {one_line(cause.known)}")

    def _section(self, heading: str, results: list[Result], style: str) -> None:
        if not results:
            return
        self.say("")
        self.say(f"{heading}:", style)
        alike: defaultdict[tuple[str, str], list[Result]] = defaultdict(list)
        for result in results:
            # A failure is the IUT's and always shown whole; what was not judged often has one cause many times over.
            alike[result.reason, result.case if result.verdict is Verdict.FAIL else ""].append(result)
        for group in alike.values():
            shown = group if len(group) <= _ALIKE else group[:1]
            for result in shown:
                self._explained(result)
            if len(group) > len(shown):
                others = ", ".join(result.case for result in group[1:_ALIKE])
                self.say(f"    so too:   {others} and {len(group) - _ALIKE} more")

    def _explained(self, result: Result) -> None:
        self.say(f"  {result.case}")
        asked = f"{', '.join(result.requirements)} ({result.level.value.upper()}): " if result.requirements else ""
        self.say(f"    {asked}{one_line(result.reason) or 'no reason given'}")
        for label, text in (
            ("expected", result.expected),
            ("actual", result.actual),
            ("cause", "" if result.cause in ("", *result.requirements) else result.cause),
            ("flaky", result.flaky),
            ("note", result.note),
            ("capture", result.capture and str(self._folder / result.capture)),
            ("log", result.log and str(self._folder / result.log)),
            ("repeat", result.repeat),
            *(("executed", line) for line in result.executions),
        ):
            if text:
                self.say(f"    {label + ':':9} {one_line(text)}")

    def _not_applicable(self, results: list[Result]) -> None:
        groups = not_judged(results)
        left_out = self.run.left_out if self.run is not None else {}
        if groups:
            self.say("")
            self.say("not applicable:")
        for group in groups:
            self.say(f"  {group.variants:4}  {one_line(group.reason)}")
            if group.remedy:
                self.say(
                    f"        in {counted(len(group.cases), 'case')}; to judge them it needs {one_line(group.remedy)}"
                )
        if left_out:
            self.say("")
            self.say("left out when variants were combined, in so many cases:")
        for reason, cases in sorted(left_out.items(), key=lambda item: (-item[1], item[0])):
            self.say(f"  {cases:4}  {one_line(reason)}")

    def _flaky(self, results: list[Result]) -> None:
        found = {variant_of(result.case): result.flaky for result in results if result.flaky}
        if not found:
            return
        self.say("")
        self.say("flaky:", "bold red")
        for variant, words in found.items():
            self.say(f"  {variant}  {words}")

    def _repeated(self, results: list[Result]) -> None:
        if not results:
            return
        self.say("")
        self.say("came to a verdict only when repeated, alone in a process:", "yellow")
        for result in results:
            self.say(f"  {result.case}")
            self.say(f"    {one_line(result.repeated)}")

    def _known(self, results: list[Result]) -> None:
        if not results:
            return
        self.say("")
        self.say("known failures:", "yellow")
        for known, number in Counter(result.known for result in results).most_common():
            self.say(f"  {number:4}  {one_line(known)}")

    def _scan(self) -> None:
        if self.run is None or not self.run.scan:
            return
        self.say("")
        self.say("the stack does other than its pics say:", "yellow")
        for text in self.run.scan:
            self.say(f"  {one_line(text)}")

    def _incidents(self) -> None:
        if self.run is None or not self.run.incidents:
            return
        self.say("")
        self.say("what the adapter did against the contract:", "bold red")
        for text in self.run.incidents:
            self.say(f"  {one_line(text)}")

    def _counts(self, results: list[Result]) -> str:
        shown = [r for r in results if not (is_rule(r.case) and r.verdict is Verdict.PASS)]
        counts = Counter(result.verdict for result in shown if not result.known)
        parts = [f"{counts[verdict]} {verdict.value}" for verdict in _SHOWN if counts[verdict]]
        known = sum(bool(result.known) for result in results)
        parts += [f"{known} known"] if known else []
        weak = self._weak_failures(results)
        if weak:
            parts[[p.endswith(" fail") for p in parts].index(True)] += f" ({weak} of them below MUST)"
        variants = [result.case for result in results if not is_rule(result.case)]
        done = f"{len(variants)} of " if len(variants) < self.total else ""
        executed = counted(max(len(variants), self.total), "variant")
        cases = counted(len(set(map(case_name, variants))), "case")
        took = time.monotonic() - self._begun
        return f"{done}{executed} of {cases} in {took:.1f} s: {', '.join(parts) or 'none finished'}"

    def _weak_failures(self, results: list[Result]) -> int:
        """Count the failures that do not fail the run."""
        if self._fail_on is Level.SHOULD:
            return 0
        return sum(r.verdict is Verdict.FAIL and not r.level.binding and not r.known for r in results)

    def _judgement(self, outcome: Outcome) -> tuple[str, str]:
        if outcome.interrupted:
            return "interrupted: the cases above had finished", "yellow"
        if outcome.fatal or outcome.crash:
            return "not judged: the run broke off", "bold magenta"
        how_much = self._how_much()
        if self.run is not None and reach.share(self.run) < self.run.required_reach and self._green():
            required = f"{100 * self.run.required_reach:g} % are required"
            return f"not judged: too little was judged{how_much}; {required}", "bold magenta"
        met = "MUST" if self._weak_failures(self.finished) else "requirement"
        texts = {
            ExitStatus.CONFORMS: (f"conforms: every {met} that was judged is met{how_much}", "bold green"),
            ExitStatus.DOES_NOT_CONFORM: ("does not conform", "bold red"),
        }
        return texts.get(self.status(), ("not judged: some cases came to no verdict on the IUT", "bold magenta"))

    def _how_much(self) -> str:
        text = reach.told(self.run) if self.run is not None else ""
        return f" ({text})" if text else ""

    def _green(self) -> bool:
        return exit_status(self.finished, self._fail_on) is ExitStatus.CONFORMS


class Plain(Display):
    """One line for each variant, for files, pipes and CI logs."""

    def say(self, text: str, style: str = "") -> None:
        """Print a line; a reader that went away stops the printing, not the run."""
        del style
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except (OSError, ValueError):
            self._out = muted(self._out)

    def show(self, result: Result, done: int) -> None:
        """Print verdict, case and duration."""
        del done
        word = "known" if result.known else result.verdict.value
        self.say(f"{word:<6}  {result.case}  {result.duration:.2f}s")


class Quiet(Plain):
    """Nothing until the end; then what did not pass, the counts and the verdict."""

    def pytest_icetcp_start(self, run: RunInfo, total: int) -> None:
        """Note what is judged."""
        self.run, self.total = run, total

    def pytest_icetcp_note(self, text: str) -> None:
        """Note what a user would be told."""
        self.notes.append(text)

    def show(self, result: Result, done: int) -> None:
        """Show nothing."""

    def summary(self, outcome: Outcome) -> None:
        """Print what did not pass, what the adapter did against the contract, the counts and the verdict."""
        results = self.finished
        if self.run is None and not results:
            return
        self._did_not_pass(results)
        self._incidents()
        self.say(self._counts(results))
        self.say(*self._judgement(outcome))


class Live(Display):
    """A progress line at the foot of the terminal, above it only what did not pass."""

    def __init__(self, out: TextIO, fail_on: Level = Level.MUST, folder: str = "") -> None:
        super().__init__(out, fail_on, folder)
        from rich.console import Console  # 0.1 s: only for a terminal

        self._console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._progress: Any = None
        self._task: Any = None

    def pytest_icetcp_start(self, run: RunInfo, total: int) -> None:
        """Start the progress; not earlier, for its thread would keep the run out of a network of its own."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        super().pytest_icetcp_start(run, total)
        columns: Iterable[Any] = (
            SpinnerColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f}"),
            BarColumn(bar_width=30),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._task = self._progress.add_task("", total=total)
        self._progress.start()

    def say(self, text: str, style: str = "") -> None:
        """Print a line above the progress."""
        try:
            self._console.print(text, style=style or None)
        except OSError:
            self._console.file = muted(self._out)

    def show(self, result: Result, done: int) -> None:
        """Move the progress on; print what needs to be looked at."""
        if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE) and not result.known:
            style = _STYLES[result.verdict]
            self.say(f"{result.verdict.value:<6}  {result.case}  {one_line(result.reason, 160)}", style)
        if self._progress is not None:
            counts = Counter(r.verdict for r in self.results.values())
            parts = [f"[{_STYLES[v]}]{counts[v]} {v.value}[/]" for v in _SHOWN if counts[v]]
            parts += ["reading the captures"] if done >= self.total else []
            text = "  ".join(parts)
            self._progress.update(self._task, completed=done, total=max(self.total, done), description=text)

    def close(self) -> None:
        """Take the progress away and show the cursor again."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def make(fail_on: Level, folder: str, *, progress: bool = True, quiet: bool = False) -> Display:
    """Return the display that fits standard output; `folder` is where the run writes its reports.

    Without `progress` no line is written again and again: a person is typing at the terminal.
    """
    kind: type[Display] = Quiet if quiet else Live if progress and is_terminal(sys.stdout) else Plain
    return kind(sys.stdout, fail_on, folder)
