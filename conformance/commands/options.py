"""Shared command-line options and helpers. Only click is imported here."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from conformance.verdict import ExitStatus, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.run.session import Outcome

_LEVELS = click.Choice([level.value for level in Level])
_CASE_PREFIX = re.compile(r"\b[A-Z]\w*-[\w.]+/")


private_cases = click.option(
    "--cases-from",
    "--cases",
    multiple=True,
    type=click.Path(exists=True),
    metavar="PATH",
    help="Folder, or file, with private cases, which join those of icetcp; repeatable.",
)


Decorator = Callable[[Callable[..., int]], Callable[..., int]]


def fail_on(meaning: str = "The weakest level at which a failure fails the run.") -> Decorator:
    """Return the option ``--fail-on``; `meaning` is its help."""
    choice = click.Choice(["must", "should"])
    return click.option("--fail-on", type=choice, default="must", show_default=True, help=meaning)


def variants(command: Callable[..., int]) -> Callable[..., int]:
    """Add the option ``--variants``."""
    return click.option(
        "--variants",
        type=click.Choice(["all", "usual", "one"]),
        default="all",
        show_default=True,
        help="Of each case: all variants, the usual one on each side, or only one.",
    )(command)


def attachments(command: Callable[..., int]) -> Callable[..., int]:
    """Add the option ``--attachments``."""
    return click.option(
        "--attachments",
        type=click.Choice(["folder", "project", "absolute"]),
        default="folder",
        show_default=True,
        help="Paths of captures and logs in reports: from the folder, from the project (GitLab), absolute (Jenkins).",
    )(command)


def filters(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that select cases. The command gets ``--rfc`` and ``--only-6544`` as sections."""

    @functools.wraps(command)
    def in_sections(*, rfcs: tuple[str, ...], only_6544: bool, sections: tuple[str, ...], **options: Any) -> int:
        return command(sections=_of_rfcs((*rfcs, *(["RFC6544"] if only_6544 else [])), sections), **options)

    filtered: Callable[..., int] = in_sections
    for option in (
        click.option("--level", type=_LEVELS, help="Only this level and stronger ones: must, stated, should, may."),
        click.option(
            "--section",
            "sections",
            multiple=True,
            help="Only this section: 7.2 of RFC 6544 (or of --rfc), RFC8489-9.1; repeatable.",
        ),
        click.option(
            "--rfc",
            "rfcs",
            multiple=True,
            metavar="NUMBER|all",
            callback=_known_rfcs,
            help="Only cases of this RFC, whose sentence they cite first: 8489; repeatable.",
        ),
        click.option("--only-6544", is_flag=True, help="The same as --rfc 6544."),
        click.option(
            "--requirement",
            "requirements",
            multiple=True,
            metavar="ID",
            help="Only cases that test this requirement; repeatable.",
        ),
        click.option(
            "--case",
            "cases",
            multiple=True,
            metavar="ID",
            help="Only this case or variant; repeatable.",
        ),
        click.option("-k", "expression", default="", metavar="EXPR", help="Only names that match, as in pytest -k."),
    ):
        filtered = option(filtered)
    return filtered


def _known_rfcs(_context: click.Context, _parameter: click.Parameter, values: Iterable[str]) -> tuple[str, ...]:
    """Return "RFC8489" of "8489" and "rfc8489"; "all" is no filter. Raises `click.BadParameter`."""
    from conformance.catalogue import rfcs

    known = rfcs()
    wanted = [value.strip().upper() for value in values]
    wanted = [value if value == "ALL" or value.startswith("RFC") else f"RFC{value}" for value in wanted]
    for value in wanted:
        if value not in ("ALL", *known):
            numbers = ", ".join(name.removeprefix("RFC") for name in known)
            raise click.BadParameter(f"the catalogue has no {value}; it has {numbers}")
    return () if "ALL" in wanted else tuple(dict.fromkeys(wanted))


def _of_rfcs(rfcs: Iterable[str], sections: Iterable[str]) -> tuple[str, ...]:
    """Return the sections asked for, those without an RFC in each of the RFCs; without sections whole RFCs."""
    rfcs, sections = tuple(rfcs), tuple(sections)
    if not rfcs:
        return sections
    whole = [section for section in sections if section.upper().startswith("RFC")]
    bare = [section for section in sections if section not in whole]
    within = [f"{rfc}-{section}" for rfc in rfcs for section in bare] if sections else list(rfcs)
    return (*whole, *within)


def selection(
    *,
    sections: Iterable[str] = (),
    level: str | None = None,
    expression: str = "",
    cases: Iterable[str] = (),
    requirements: Iterable[str] = (),
    **_others: object,
) -> list[str]:
    """Return the plugin's arguments for a command's options; a case's id is understood in -k."""
    arguments = [f"--icetcp-section={section}" for section in sections]
    arguments += [f"--icetcp-case={identifier}" for identifier in cases]
    arguments += [f"--icetcp-requirement={identifier}" for identifier in requirements]
    if level is not None:
        arguments.append(f"--icetcp-level={level}")
    if expression.strip():
        arguments.append(f"-k={_CASE_PREFIX.sub('', expression)}")
    return arguments


def run_filters(options: dict[str, Any]) -> list[str]:
    """Return the options with which `icetcp run` selects the same cases."""
    found = [f"--section={section}" for section in options["sections"]]
    found += [f"--case={case}" for case in options["cases"]]
    found += [f"--requirement={requirement}" for requirement in options["requirements"]]
    found += [f"--level={options['level']}"] if options["level"] else []
    return found + ([f"-k{options['expression']}"] if options["expression"].strip() else [])


def complain(message: str, status: ExitStatus) -> int:
    """Print in one line what is wrong, with the remedy; return the status."""
    click.echo(f"icetcp: {message.removeprefix('icetcp: ')}", err=True)
    return int(status)


def nothing_matches(what: str, options: dict[str, Any]) -> str:
    """Say that nothing matches the filters, and where the names are listed."""
    asked = [f"--section {section}" for section in options["sections"]]
    asked += [f"--level {options['level']}"] if options["level"] else []
    asked += [f"--case {identifier}" for identifier in options["cases"]]
    asked += [f"--requirement {identifier}" for identifier in options["requirements"]]
    asked += [f"-k {options['expression']!r}"] if options["expression"].strip() else []
    where = "icetcp list --requirements" if what == "requirement" else "icetcp list"
    return f"no {what} matches {' with '.join(asked) or 'nothing at all'}; see {where}"


def broken_session(outcome: Outcome) -> int | None:
    """Say what broke a pytest session off; None if nothing did."""
    from conformance.run.session import save_traceback

    if outcome.usage:
        return complain(outcome.usage, ExitStatus.USAGE)
    if outcome.crash:
        saved = save_traceback(outcome.crash)
        last = outcome.crash.strip().splitlines()[-1]
        return complain(f"internal error: {last} (traceback: {saved})", ExitStatus.COULD_NOT_JUDGE)
    if outcome.fatal:
        return complain(outcome.fatal, ExitStatus.COULD_NOT_JUDGE)
    return complain("interrupted", ExitStatus.COULD_NOT_JUDGE) if outcome.interrupted else None
