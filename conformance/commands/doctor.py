"""`icetcp doctor`: what the environment offers a run, and how to mend it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from conformance.commands.environment import Finding


@click.command(name="doctor")
@click.option("--mend", "mending", is_flag=True, help="Install the Debian packages that are missing (root or sudo).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def examine(mending: bool, as_json: bool) -> int:
    """Tell what this environment can do, what it lacks, and the command that mends it.

    Exit status: 0 a run is possible, 3 something essential is missing.
    """
    from conformance.commands import environment
    from conformance.iut.stacks import debian

    findings = environment.examine()
    packages = environment.packages_to_install(findings)
    if mending and packages:
        debian.install(packages, lambda text: click.echo(text, err=as_json))
        findings = environment.examine()
    if as_json:
        click.echo(json.dumps([environment.finding_data(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _print_finding(finding)
        packages = environment.packages_to_install(findings)
        if packages and not mending:
            click.echo("\n`icetcp doctor --mend` installs what is missing, or, by hand:")
            click.echo(f"    {debian.install_command(packages)}")
    missing = any(finding.essential and not finding.ok for finding in findings)
    return int(ExitStatus.COULD_NOT_JUDGE if missing else ExitStatus.CONFORMS)


def _print_finding(finding: Finding) -> None:
    colour = {"ok": "green", "lacking": "yellow", "missing": "red"}[finding.state]
    click.echo(f"{click.style(f'{finding.state:<8}', fg=colour)} {finding.name:<16} {finding.detail}")
    if not finding.ok:
        for label, text in (("without it", finding.costs), ("to mend it", finding.mend)):
            if text:
                click.echo(f"{'':9}{label}: {text}")
