"""The commands `icetcp fuzz` and `icetcp replay`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cluster.options import on_cluster
from conformance.iut import stacks
from conformance.iut.errors import AdapterError, StackError
from conformance.verdict import ExitStatus
from fuzz.generate import CLASSES, CONNECTIONS

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from fuzz.campaign.coordinator import Total
    from fuzz.findings import Finding
    from fuzz.judging.replay import Known
    from fuzz.judging.symptom import Symptom
    from reports.folder import OutputFolder

_TIME = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, None: 1}
_SHARD = re.compile(r"([1-9]\d*)/([1-9]\d*)\Z")
_PLAIN_EVERY = 5.0
_NAMES = ", ".join(name for name in CLASSES if name != "valid")
_WHERE = "Send each case on the standing connection, on a new connection, or mixed."
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float:
    if value is None:
        return 0.0
    match = _TIME.match(value)
    if match is None or float(match[1]) <= 0:
        raise click.BadParameter(f"{value!r} is not a time; write 60s, 5m or 1h.")
    return float(match[1]) * _UNITS[match[2]]


def _shard(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, int]:
    match = _SHARD.match(value)
    if match is None or int(match[1]) > int(match[2]):
        raise click.BadParameter(f"{value!r} is not a shard; write 1/4 to 4/4.")
    return int(match[1]), int(match[2])


def _classes(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str]:
    names = value.split(",") if value else []
    for name in names:
        if name not in CLASSES or name == "valid":
            raise click.BadParameter(f"{name!r} is not a class of input; choose from {_NAMES}.")
    return names


def _words(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str]:
    from fuzz.dictionary import DictionaryError, load

    try:
        return [entry.hex() for entry in load(Path(value))] if value else []
    except DictionaryError as error:
        raise click.BadParameter(str(error)) from None


def _iut(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value:
        try:
            elsewhere = stacks.resolve(value).host is not None
        except StackError as error:
            raise click.BadParameter(str(error)) from None
        if elsewhere:
            raise click.BadParameter(f"{value} is not started on this machine; the fuzzer needs an IUT that it starts.")
    return value


@click.command(context_settings=_CONTEXT)
@click.option("--iut", default="reference", show_default=True, callback=_iut, metavar="NAME|exec:COMMAND")
@click.option("--time", "seconds", callback=_seconds, metavar="TIME", help="How long: 60s (the default), 5m, 1h.")
@click.option(
    "--cases", type=click.IntRange(1), help="Cases per worker, after the known dangerous ones; instead of a time."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same cases.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Parallel shards.")
@click.option("--shard", callback=_shard, default="1/1", show_default=True, metavar="I/N", help="For several machines.")
@click.option("--out", default="reports/fuzz", show_default=True, type=click.Path(), help="Folder of log and findings.")
@click.option("--against", callback=_iut, metavar="NAME|exec:COMMAND", help="A second IUT, to compare answers with.")
@click.option("--classes", callback=_classes, metavar="NAME,…", help=f"Kinds of input, all if not given: {_NAMES}.")
@click.option("--connections", type=click.Choice(CONNECTIONS), default="mixed", show_default=True, help=_WHERE)
@click.option("--lines", is_flag=True, help="For an IUT in Python: newly executed lines steer the search. Slower.")
@click.option(
    "--corpus", type=click.Path(exists=True), multiple=True, help="Captures whose frames are mutated too; repeatable."
)
@click.option(
    "--dictionary",
    callback=_words,
    metavar="FILE",
    help="A dictionary as for AFL, in addition to the built-in one; see fuzz/README.",
)
@on_cluster
@click.option("--unconfirmed-ok", is_flag=True, help="Growth, hangs and spins that are not reproduced do not fail.")
@click.option("--resume", is_flag=True, help="Continue the campaign in --out.")
def fuzz(**options: Any) -> int:
    """Look for inputs that crash, hang, leak, desynchronise or mislead an ICE-TCP agent.

    With --cluster the shards of --workers run on Dask workers, and tell each other what they find.

    Ctrl-C, SIGTERM and SIGHUP end the campaign: it reports what it has found so far. Exit status: 0 nothing found,
    1 findings, 2 usage, 3 no campaign was possible, or it was interrupted before anything was found.
    """
    from fuzz.campaign.interrupt import interruptible
    from reports.folder import CAMPAIGN, FolderError, OutputFolder

    with interruptible() as stopping:
        try:
            with OutputFolder.claim(Path(options["out"]), CAMPAIGN) as folder:
                return int(_campaign(options, folder, stopping))
        except FolderError as error:
            raise click.UsageError(str(error)) from None


def _campaign(options: dict[str, Any], folder: OutputFolder, stopping: threading.Event) -> ExitStatus:
    from conformance.cluster.connection import ClusterError
    from fuzz.campaign.coordinator import conduct

    view = _View()
    specs = _specs(options, folder.path)
    _same_campaign(specs)
    try:
        if options["cluster"]:
            total = _on_cluster(options, specs, folder, view, stopping)
        else:
            why = _starts(options["iut"])
            if why:
                click.echo(f"icetcp: cannot fuzz {options['iut']}: {why}", err=True)
                return ExitStatus.COULD_NOT_JUDGE
            _begin(folder, options)
            total = conduct(specs, view.show, stopping)
    except ClusterError as error:
        click.echo(f"icetcp: {error}", err=True)
        return ExitStatus.COULD_NOT_JUDGE
    finally:
        view.close()
    return _report(total, folder.path, options)


def _begin(folder: OutputFolder, options: dict[str, Any]) -> None:
    (folder.go_on if options["resume"] else folder.clear)(options["iut"])


def _on_cluster(
    options: dict[str, Any], specs: list[Any], folder: OutputFolder, view: _View, stopping: threading.Event
) -> Total:
    from conformance.cluster.options import working
    from fuzz.campaign.distribution import Campaign

    campaign = Campaign(specs, folder.path, view.show, stopping)
    with working(options, folder.path, resume=False, heard=campaign.hear, tick=campaign.tick) as work:
        _begin(folder, options)
        return campaign.run(work.dispatch, work.journal)


def _report(total: Total, out: Path, options: dict[str, Any]) -> ExitStatus:
    """Write and print the reports; return the exit status."""
    from fuzz.report import coverage_lines, failing, finding_line, unconfirmed, write_junit

    doubtful = unconfirmed(total)
    write_junit(out / "junit.xml", total, options["iut"], options["seed"], unconfirmed_ok=options["unconfirmed_ok"])
    (out / "summary.json").write_text(json.dumps(_summary(total, doubtful), indent=1), encoding="utf-8")
    for line in ("", *coverage_lines(total), ""):
        click.echo(line)
    for finding in total.findings.values():
        click.echo(finding_line(finding))
    for name, count in total.unconfirmed.items():
        click.echo(f"not seen again, {count} times: {name}")
    found, counted = failing(total), [] if options["unconfirmed_ok"] else doubtful
    summary = [f"{total.cases} cases", f"{len(found)} findings in {out}/findings" if found else "no finding"]
    summary += [f"{len(doubtful)} unconfirmed in {out}/unconfirmed"] if doubtful else []
    click.echo(", ".join([*summary, *(["interrupted"] if total.interrupted else [])]))
    for problem in total.problems if not total.interrupted else ():
        what = "not all cases were played with" if total.cases else "cannot fuzz"
        click.echo(f"icetcp: {what} {options['iut']}: {problem}", err=True)
    if found or counted:
        return ExitStatus.DOES_NOT_CONFORM
    return ExitStatus.COULD_NOT_JUDGE if total.problems or total.interrupted else ExitStatus.CONFORMS


def _summary(total: Total, doubtful: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cases": total.cases,
        "seconds": round(total.seconds, 1),
        "interrupted": total.interrupted,
        "findings": [finding for finding in total.findings.values() if finding not in doubtful],
        "unconfirmed": doubtful,
        "coverage": total.coverage,
        "not_seen_again": total.unconfirmed,
        "problems": total.problems,
    }


def _specs(options: dict[str, Any], out: Path) -> list[Any]:
    """Return what each worker is to do. Its shard's number tells it apart from all others, here and elsewhere."""
    from fuzz.campaign.spec import Spec
    from fuzz.corpus import from_captures

    part, _ = options["shard"]
    cases = options["cases"] or 0
    corpus = from_captures([Path(path) for path in options["corpus"]])
    return [
        Spec(
            iut=options["iut"],
            out=str(out),
            seed=options["seed"],
            shard=(part - 1) * options["workers"] + worker,
            cases=cases,
            seconds=options["seconds"] or (0.0 if cases else 60.0),
            against=options["against"] or "",
            resume=options["resume"],
            classes=options["classes"],
            connections=options["connections"],
            lines=options["lines"],
            corpus=corpus,
            words=options["dictionary"],
        )
        for worker in range(options["workers"])
    ]


def _same_campaign(specs: list[Any]) -> None:
    """See that what is to go on is the campaign whose log is there."""
    from fuzz.campaign.log import Past
    from fuzz.campaign.spec import identity

    for spec in specs:
        begun = Past(Path(spec.out) / f"log-{spec.shard}.jsonl").begun if spec.resume else {}
        for name, value in identity(spec).items():
            if name in begun and begun[name] != value:
                had = begun[name] or "none"
                raise click.UsageError(f"the campaign in {spec.out} had {name} {had}, not {value or 'none'}")


def _starts(spec: str) -> str:
    """Return why an IUT does not start, or nothing: a campaign that cannot begin costs no earlier one's results."""
    from fuzz.campaign.iut import starter

    try:
        starter(stacks.resolve(spec))().kill()
    except AdapterError as error:
        return str(error)
    return ""


class _View:
    """The live view: a line that is written over on a terminal, a plain line now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._told: set[str] = set()
        self._last = -_PLAIN_EVERY

    def show(self, total: Total) -> None:
        """Show new findings, and how it goes."""
        from fuzz.report import finding_line, status_line

        for bucket, finding in total.findings.items():
            if bucket not in self._told:
                self._told.add(bucket)
                self._line(finding_line(finding))
        if self._terminal:
            sys.stdout.write(f"\r{status_line(total)}\x1b[K")
            sys.stdout.flush()
        elif total.seconds - self._last >= _PLAIN_EVERY:
            self._last = total.seconds
            self._line(status_line(total))

    def _line(self, text: str) -> None:
        sys.stdout.write(f"\r\x1b[K{text}\n" if self._terminal else f"{text}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """End the line."""
        if self._terminal:
            sys.stdout.write("\n")


@click.command(context_settings=_CONTEXT)
@click.argument("finding", type=click.Path(exists=True))
@click.option("--iut", callback=_iut, metavar="NAME|exec:COMMAND", help="An IUT other than the one it was found in.")
@click.option("--times", type=click.IntRange(1), default=3, show_default=True, help="How often.")
@click.option("--show", is_flag=True, help="Print what the case sends, as Scapy layers, and play nothing.")
def replay(finding: str, iut: str | None, times: int, show: bool) -> int:
    """Repeat a finding: a folder that `icetcp fuzz` wrote, or its finding.json; or play a case written by hand.

    A case by hand is a Python file with Scapy layers, or a regression's JSON; see fuzz/README.md. Exit status: 0 it
    does not come again (by hand: nothing is wrong), 1 it does, 2 usage, 3 the IUT cannot be used.
    """
    from fuzz.campaign.replaying import replay as again
    from fuzz.judging.replay import Known, comes

    path = Path(finding)
    known, named = _case(path)
    if show:
        from fuzz.layers import shown

        click.echo(shown(known.case))
        return int(ExitStatus.CONFORMS)
    spec = iut or named
    try:
        stack = stacks.resolve(spec)
    except StackError as error:
        raise click.UsageError(f"{path} cannot be replayed: {error}") from None
    try:
        wanted = Known(known.kind, known.cause, known.case, known.repeat)
        seen = again(wanted, stack, times)
    except AdapterError as error:
        click.echo(f"icetcp: cannot replay with {spec}: {error}", err=True)
        return int(ExitStatus.COULD_NOT_JUDGE)
    _tell(wanted, seen)
    if known.kind:
        came = sum(comes(found, wanted) for found in seen)
        click.echo(f"{known.kind}: {known.cause}: {came} of {times} times")
    else:
        came = sum(map(bool, seen))
        click.echo(f"something wrong {came} of {times} times")
    return int(ExitStatus.DOES_NOT_CONFORM if came else ExitStatus.CONFORMS)


def _case(path: Path) -> tuple[Finding, str]:
    """Return what is to be replayed, and the IUT that it names. A case that nothing is known of has no kind."""
    from fuzz.findings import Finding, load

    file = path / "finding.json" if path.is_dir() else path
    try:
        table = json.loads(file.read_text(encoding="utf-8")) if file.suffix == ".json" else {}
        if "cause" in table:
            return load(file), table.get("iut", "reference")
        from fuzz.layers import CaseError, read

        try:
            case, named = read(file)
        except CaseError as error:
            raise click.UsageError(str(error)) from None
    except (OSError, ValueError, TypeError) as error:
        raise click.UsageError(f"{path} cannot be replayed: {error}") from None
    named = f"exec:{sys.executable} -m fuzz.targets" if named == "target" else named
    return Finding("", "", "", [], case), named or "reference"


def _tell(known: Known, seen: Iterable[list[Symptom]]) -> None:
    from fuzz.judging.replay import comes

    for number, found in enumerate(seen, 1):
        for symptom in found:
            mark = "*" if comes([symptom], known) else " "
            click.echo(f"{number}{mark} {symptom.kind}: {symptom.cause}: {symptom.text}")
        if not found:
            click.echo(f"{number}  nothing")
