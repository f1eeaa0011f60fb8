"""`icetcp run --repeat N --cluster`: each repetition is a run of its own on a worker; here they become one run."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cluster.options import Work, working
from conformance.commands.options import complain, run_filters
from conformance.run.invocation import command_line
from conformance.verdict import ExitStatus, Level, is_rule

if TYPE_CHECKING:
    from conformance.cluster.piece import Outcome as Made
    from conformance.cluster.piece import Piece
    from conformance.commands.display import Display
    from conformance.run.session import Outcome
    from conformance.verdict import Result
    from reports.record import RunInfo

RUN, EXPECT = "run", "expect.toml"
_ALONE = {
    "write_expect": "--write-expect",
    "ratchet": "--ratchet",
    "exitfirst": "-x",
    "iut_address": "--iut-address",
    "tester_address": "--tester-address",
    "cases_from": "--cases-from",
}
_ELSEWHERE = ("manual", "tcp:", "ssh:", "whip:", "whep:")


def refusal(iut: str, options: dict[str, Any]) -> str:
    """Return why a run cannot be done on a cluster; nothing if it can."""
    if iut.startswith(_ELSEWHERE):
        return f"--cluster: {iut} is one IUT, which the runs of several workers would share; run it without --cluster"
    for name, option in _ALONE.items():
        if options[name]:
            return f"--cluster and {option} do not go together; run without --cluster"
    return ""


def execute(shown: Display, iut: str, options: dict[str, Any]) -> Outcome:
    """Do the repetitions on the cluster and write the reports of them all; return how it went."""
    from conformance.cluster.archive import ArchiveError
    from conformance.cluster.connection import ClusterError
    from conformance.run.session import Outcome, os_error
    from reports.folder import FolderError, OutputFolder
    from reports.record import ReportError

    outcome = Outcome()
    try:
        folder = OutputFolder.claim(Path(options["out"]))
    except FolderError as error:
        return Outcome(usage=str(error))
    try:
        folder.clear(iut)
        with working(options, Path(options["out"]), resume=options["resume"]) as work:
            merged = Merged(Path(options["out"]), work, shown, options["repeat"])
            try:
                work.dispatch.run(_pieces(iut, options, work), merged.take)
            except KeyboardInterrupt:
                outcome.interrupted = True
            lost = list(work.dispatch.report.lost.values())
            merged.finish(Level(options["fail_on"]), options, complete=not (outcome.interrupted or lost))
            if lost and not outcome.interrupted:
                outcome.fatal = f"{len(lost)} of {options['repeat']} repetitions could not be done: {lost[0]}"
    except (ClusterError, ReportError, FolderError, ArchiveError) as error:
        outcome.fatal = str(error)
    except OSError as error:
        outcome.fatal = os_error(error)
    finally:
        folder.release()
    return outcome


def _pieces(iut: str, options: dict[str, Any], work: Work) -> list[Piece]:
    from conformance.cluster import abilities, identity
    from conformance.cluster.piece import Piece

    program = ["conformance", "run", f"--iut={iut}", "--out={folder}/" + RUN, "--quiet"]
    program += [f"--variants={'one' if options['quick'] else options['variants']}", *run_filters(options)]
    program += [f"--seed={options['seed']}", f"--link={options['link']}", f"--fail-on={options['fail_on']}"]
    for name in ("timeout", "decides", "jobs"):
        program += [f"--{name}={options[name]}"] if options[name] is not None else []
    files = {}
    if options["expect"]:
        files[EXPECT] = Path(options["expect"]).read_bytes()
        program.append("--expect={folder}/" + EXPECT)
    lab = (abilities.LAB,) if options["link"] != "sockets" else ()
    return [
        Piece(
            name=f"repetition-{number}",
            program=tuple(program),
            icetcp=identity.icetcp(),
            spec={"repetition": number},
            files=files,
            good=(0, 1, 3),
            proof=f"{RUN}/junit.xml",
            needs=work.needs(*lab, *abilities.needs(iut)),
            stacks={iut: identity.stack_or_nothing(iut)},
            counted=f"{RUN}/record.jsonl",
        )
        for number in range(1, options["repeat"] + 1)
    ]


class Merged:
    """One run made of many, as its parts come."""

    def __init__(self, out: Path, work: Work, shown: Display, repeat: int) -> None:
        self._out, self._journal, self._shown, self._repeat = out, work.journal, shown, repeat
        self._begun = time.time()
        self._workers: dict[str, None] = {}
        self._judged: dict[str, int] = {}
        self._results: dict[str, Result] = {}
        self._info: RunInfo | None = None

    def take(self, piece: Piece, made: Made) -> None:
        """Take over the verdicts, captures and logs of a repetition."""
        from reports.record import read

        number = int(piece.spec["repetition"])
        folder = self._journal.folder(piece.name) / RUN
        info, results = read(folder / "record.jsonl")
        self._workers[made.worker] = None
        if self._info is None:
            self._info = dataclasses.replace(
                info, variants=info.variants * self._repeat, started=self._begun, command_line=command_line()
            )
            self._shown.pytest_icetcp_start(self._info, self._info.variants)
        else:
            self._info.notes = tuple(dict.fromkeys((*self._info.notes, *info.notes)))
            self._info.incidents = tuple(dict.fromkeys((*self._info.incidents, *info.incidents)))
        for rule, count in info.judged.items():
            self._judged[rule] = self._judged.get(rule, 0) + count
        for result in results:
            self._add(result, number, folder, made)

    def _add(self, result: Result, number: int, folder: Path, made: Made) -> None:
        for name in ("capture", "log"):
            setattr(result, name, self._moved(folder, getattr(result, name), number))
        result.repeat = result.repeat.replace(f"{made.folder}/{RUN}", str(self._out))
        if is_rule(result.case):  # one verdict a rule, over the captures of all repetitions
            known = self._results.setdefault(result.case, result)
            known.overwrite(result.verdict, result.reason, expected=result.expected, actual=result.actual)
            return
        result.case += f"#{number}" if number > 1 else ""
        self._results[result.case] = result
        self._shown.pytest_icetcp_result(result, len(self._results), self._shown.total)

    def _moved(self, folder: Path, name: str, number: int) -> str:
        """Bring a file of a repetition to those of the others; return its name there."""
        source = folder / name
        if not name or not source.is_file():
            return ""
        stem = source.stem if number == 1 else f"{source.stem.rstrip('_')}_{number}"
        new = str(Path(name).with_name(stem + source.suffix))
        shutil.copyfile(source, self._out / new)
        return new

    def finish(self, fail_on: Level, options: dict[str, Any], *, complete: bool) -> None:
        """Write the reports, if there is anything to report. Raises `ReportError`."""
        from conformance.catalogue import REQUIREMENTS
        from conformance.run import outputs, pages
        from conformance.run.discovery import discover
        from reports import causes, flaky
        from reports import outputs as documents
        from reports.html import report
        from reports.reach import judged, not_judged
        from reports.record import Recorder, cannot_write, write_whole

        info = self._info
        if info is None:
            return
        results = sorted(self._results.values(), key=lambda result: result.started)
        flaky.tell(results)
        info.causes = [cause.data() for cause in causes.find(results, REQUIREMENTS)]
        info.judged, info.judged_requirements = self._judged, len(judged(results))
        info.not_judged = [group.data() for group in not_judged(results)]
        info.notes += (f"executed on {', '.join(self._workers)}",)
        info.required_reach = (options["require_reach"] or 0.0) / 100
        info.duration, info.interrupted = time.time() - self._begun, not complete
        recorder = Recorder(self._out / "record.jsonl", info)
        for result in results:
            recorder.write(result)
        recorder.close(info)
        before = documents.prefix(self._out, options["attachments"])
        written = []
        for form in dict.fromkeys(["junit", *(name for name in options["reports"] if name != "github")]):
            octets = documents.document(form, results, info, outputs.rules(), fail_on, before)
            written.append(write_whole(self._out / documents.NAMES[form], octets))
        page = pages.of_folder(self._out, info, results, fail_on, every=discover().every)
        try:
            written.insert(0, report.write(page))
        except OSError as error:
            raise cannot_write(self._out / report.NAME, error) from None
        written += [self._out / name for name in ("record.jsonl", "captures", "logs")]
        self._shown.pytest_icetcp_finish(results, written)


def unusable(iut: str, options: dict[str, Any]) -> int | None:
    """Say why the run cannot be done on a cluster, if so, and return the exit status."""
    why = refusal(iut, options)
    if not why and options["resume"] and not options["cluster"]:
        why = "--resume goes on with a run on a cluster; it needs --cluster"
    return complain(why, ExitStatus.USAGE) if why else None
