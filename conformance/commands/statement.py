"""`icetcp statement`: the conformance statement of a run, and its verification."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from conformance.commands.options import complain, fail_on
from conformance.commands.terminal import counted, one_line
from conformance.verdict import ExitStatus, Level


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@click.option("--verify", is_flag=True, help="Check the statement in RUN against the evidence there.")
@fail_on("The weakest level at which a failure means that the IUT does not conform.")
def statement(run: str, verify: bool, fail_on: str) -> int:
    """Write statement.json and statement.html of RUN, the folder of a run.

    The statement joins PICS, PIXIT, versions of suite and catalogue, what was judged, verdicts, causes and the SHA-256
    of every file in the folder. --verify tells every file that is missing, changed or extra, an edited statement, and
    a statement that does not follow from its record. Sign the digest that is printed to vouch for a statement.

    Exit status: 0 written, or verified; 1 not verified; 2 usage.
    """
    from reports.record import ReportError

    try:
        return _verify(Path(run)) if verify else _write(Path(run), Level(fail_on))
    except ReportError as error:
        return complain(str(error), ExitStatus.USAGE)


def _write(folder: Path, fail_on: Level) -> int:
    import msgspec

    from conformance.catalogue import REQUIREMENTS
    from conformance.run.pages import judgement, restore
    from conformance.run.pics import catalogue, proforma
    from reports import causes, html, statement
    from reports.record import cannot_write, read

    info, results = read(folder / statement.RECORD)
    restore(info)
    if not info.causes:
        info.causes = [cause.data() for cause in causes.find(results, REQUIREMENTS)]
    pics = proforma(info.iut, info.iut_version, info.pics, info.scan, results).data()
    body = statement.make(folder, info, results, pics, catalogue(), judgement(results, info, fail_on))
    date = datetime.fromtimestamp(info.started, UTC).strftime("%Y-%m-%d")
    page = html.render("statement.html.j2", s=body, date=date, digest=statement.digest(body))
    whole = statement.sealed(body, page)
    try:
        html.write(folder / statement.PAGE, page)
        (folder / statement.NAME).write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n")
    except OSError as error:
        raise cannot_write(folder / statement.NAME, error) from None
    click.echo(f"digest: {whole['digest']}")
    click.echo(f"evidence: {counted(len(body['evidence']), 'file')}")
    click.echo(f"written: {folder / statement.NAME}, {folder / statement.PAGE}")
    return 0


def _verify(folder: Path) -> int:
    from reports import statement

    said, found = statement.verify(folder)
    for one in found:
        click.echo(one_line(str(one)))
    if found:
        click.echo(f"not verified: {counted(len(found), 'difference')}")
        return int(ExitStatus.DOES_NOT_CONFORM)
    click.echo(f"digest: {said['digest']}")
    click.echo(f"verified: {counted(len(said['evidence']), 'file')} as they were when the statement was made")
    return 0
