"""The manual page icetcp(1), in the man macros of roff, made of the help of the commands."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise

import click
from docs_reading import ROOT

from conformance.commands.cli import cli
from fuzz import command as fuzz_command

PAGE = ROOT / "docs" / "icetcp.1"
_OF_FUZZ = ("fuzz", "replay")
_EVERYWHERE = ("help", "print_config")
_FILES = (
    ("icetcp.toml, pyproject.toml",
     "Options: of icetcp run alone, of other commands in a table of their name. The nearest file counts, from the current "
     "folder upwards. In pyproject.toml it is the table [tool.icetcp]."),
    ("reports/run-NAME", "The reports of a run, unless --out names a folder: report.html, junit.xml, record.jsonl, captures, logs."),
)  # fmt: skip
_DATE = "2026-11-29"  # roff wants a date; this is of the page's form, since the words are the help's of the day
_STATUSES = (
    ("0", "The implementation conforms, or the command has done what it was asked for."),
    ("1", "The implementation does not conform, or a difference was found."),
    ("2", "The command, a file or an argument cannot be used."),
    ("3", "It could not be judged."),
)


def written() -> str:
    """Return the page."""
    version = importlib.metadata.version("icetcp")
    lines = [
        '.\\" Written by tests/docs/refresh.py from the help of the commands. Do not edit.',
        f'.TH ICETCP 1 {_DATE} "icetcp {version}" "User Commands"',
        ".SH NAME",
        "icetcp \\- conformance suite and traffic fuzzer for ICE\\-TCP agents",
        ".SH SYNOPSIS",
        ".B icetcp",
        ".I COMMAND",
        "[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(cli.help or ""),
        ".PP",
        _text(
            "Every command has --help. Every command with options has --print-config, which prints them, with the place"
        ),
        _text("that each value is from, in the form of a file of options, and ends."),
        ".SH COMMANDS",
    ]
    for name, command in sorted(cli.every().items()):
        lines += _command(f"icetcp {name}", getattr(fuzz_command, name) if name in _OF_FUZZ else command)
    lines += [".SH EXIT STATUS", *_list(_STATUSES), ".SH ENVIRONMENT"]
    environment = (
        ("ICETCP_COMMAND_OPTION", "An option of a command: ICETCP_GATE_EXPECT for icetcp gate --expect. It counts before a file."),
        ("ICETCP_OPTION", "An option of icetcp run: ICETCP_SEED for --seed."),
        ("NO_COLOR", "No colours on a terminal."),
    )  # fmt: skip
    lines += [*_list(environment), ".SH FILES", *_list(_FILES), ".SH EXAMPLES"]
    for example in (
        "icetcp run --iut exec:./my-adapter --quick",
        "icetcp list --section RFC6544-7.2",
        "icetcp judge call.pcapng",
    ):
        lines += [".PP", ".nf", _text(example), ".fi"]
    return "\n".join(_without_needless_breaks(lines)) + "\n"


def _without_needless_breaks(lines: list[str]) -> Iterator[str]:
    """Drop what begins a paragraph right behind a heading, where one begins anyway."""
    for before, line in pairwise(["", *lines]):
        if line != ".PP" or not before.startswith((".SH", ".SS")):
            yield line


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    pieces = [_text(piece) for piece in command.collect_usage_pieces(context)]
    yield f'.SS "{_text(name)} {" ".join(pieces)}"'
    yield from _paragraphs(command.help or "")
    for parameter in command.params:
        record = parameter.get_help_record(context) if parameter.name not in _EVERYWHERE else None
        if record is not None:
            yield from (".TP", f"\\fB{_text(record[0])}\\fR", _text(" ".join(record[1].split())))
    if isinstance(command, click.Group):
        for inner, one in sorted(command.commands.items()):
            yield from _command(f"{name} {inner}", one)


def _list(entries: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, meaning in entries:
        yield from (".TP", f"\\fB{_text(term)}\\fR", _text(meaning))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        literal = paragraph.startswith("\b")
        lines = [line for line in paragraph.removeprefix("\b").splitlines() if line.strip()]
        yield ".PP"
        yield from ([".nf", *map(_text, lines), ".fi"] if literal else [_text(" ".join(" ".join(lines).split()))])


def _text(words: str) -> str:
    """Return words as roff text: no escape, no request, hyphens that can be copied."""
    safe = words.replace("\\", "\\(rs").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq")
    return "".join(
        c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in (f"\\&{safe}" if safe[:1] in (".", "'") else safe)
    )
