"""Are the options, cases, faults, requirements and environments that a command names there?"""

from __future__ import annotations

import configparser
import contextlib
import functools
import importlib
import importlib.util
import itertools
import re
import shlex
import subprocess
import sys

import click
from docs_reading import ROOT

from conformance.commands.cli import cli
from fuzz import command as fuzz_command

_SELECTORS = ("-k", "--cases-from", "--case", "--section", "--requirement", "--level")
_PLACEHOLDER = re.compile(r"[A-Z]{3,}\Z|….*|\.\.\.\Z")


def checked(text: str) -> bool:
    """Hold each command of a line against what there is; return whether one of ours was in it."""
    ours = False
    for words in _commands(text):
        checker = {"icetcp": _icetcp, "tox": _tox, "pytest": _pytest, "python": _python}.get(words[0].rsplit("/")[-1])
        if checker is not None:
            checker(words[1:])
            ours = True
    return ours


def _commands(text: str) -> list[list[str]]:
    lexer = shlex.shlex(text.removeprefix("$ "), posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    groups = itertools.groupby(lexer, lambda word: set(word) <= set("|&;"))
    found = [list(words) for is_operator, words in groups if not is_operator]
    return [_without_environment(words) for words in found]


def _without_environment(words: list[str]) -> list[str]:
    return list(itertools.dropwhile(lambda word: re.match(r"\w+=", word), words)) or words


def _icetcp(words: list[str]) -> None:
    command: click.Command = cli
    names = ["icetcp"]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"there is no command {' '.join([*names, words[0]])}"
        command = getattr(fuzz_command, words[0]) if words[0] in ("fuzz", "replay") else found
        names.append(words[0])
        words = words[1:]
    context = click.Context(command, info_name=names[-1])
    with contextlib.suppress(click.BadOptionUsage):  # `icetcp judge --out` in a sentence
        command.make_parser(context).parse_args(list(words))  # says which option is unknown
    _faults(words)
    if names[-1] in ("run", "list", "mutants") and not any(_PLACEHOLDER.match(word) for word in words):
        selected = [word for pair in itertools.pairwise(words) if pair[0] in _SELECTORS for word in pair]
        if selected:
            _select(tuple(selected))
    if names[-1] == "show" and words and not _PLACEHOLDER.match(words[0]):
        _succeeds("show", *words)


def _faults(words: list[str]) -> None:
    for option, name in itertools.pairwise(" ".join(words).split()):
        if option == "--fault" and not _PLACEHOLDER.match(name):
            assert name.strip("'\"") in faults(), f"there is no fault {name}"


@functools.cache
def faults() -> set[str]:
    """Return the names of the reference agent's faults."""
    command = [sys.executable, "-m", "conformance.agent", "--list-faults"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return {line.split("\t")[0] for line in done.stdout.splitlines()}


@functools.cache
def _select(selected: tuple[str, ...]) -> None:
    _succeeds("list", *selected)


@functools.cache
def _succeeds(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"icetcp {' '.join(words)}: {done.stderr}"


def _tox(words: list[str]) -> None:
    for option, names in itertools.pairwise(words):
        if option == "-e":
            missing = set(names.split(",")) - environments()
            assert not missing, f"tox.ini has no {missing}"


@functools.cache
def environments() -> set[str]:
    """Return the names of tox's environments."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    listed = {name.strip() for name in parser["tox"]["env_list"].split(",")}
    return listed | {
        section.removeprefix("testenv:") for section in parser.sections() if section.startswith("testenv:")
    }


def _pytest(words: list[str]) -> None:
    known = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"pytest has no {word}"


def _python(words: list[str]) -> None:
    if words[:1] == ["-m"]:
        assert module(words[1]) or words[1] in ("venv", "pip"), f"there is no module {words[1]}"
    elif words and words[0].endswith(".py"):
        assert (ROOT / words[0]).is_file(), f"there is no {words[0]}"
    _faults(words)


def module(name: str) -> bool:
    """Return whether there is a module, or a name in one."""
    try:
        if importlib.util.find_spec(name) is not None:
            return True
    except ModuleNotFoundError:
        pass
    parent, _, last = name.rpartition(".")
    if not parent or not module(parent):
        return False
    found: object = importlib.import_module(parent)
    return hasattr(found, last)
