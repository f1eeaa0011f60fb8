"""Options from a file and from the environment, and where each value of a command came from.

The command line counts before the environment, the environment before the file, the file before the default.

The file is `icetcp.toml`, or the table `[tool.icetcp]` of `pyproject.toml`, in the current folder or the nearest one
above it. Its keys are the long names of options; those outside a table of a command's name are for `icetcp run`,
and `cases-from` among them for every command that has it. Paths are relative to the file. Variables are
`ICETCP_RUN_SEED` for `icetcp run --seed` and so on for each command; for `icetcp run` also `ICETCP_SEED`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PREFIX = "ICETCP"
_FILES = ("icetcp.toml", "pyproject.toml")
_MAIN = "run"  # the command that options of no command are for
_SHARED = {"cases_from"}
_UNSET = ("help", "version", "print_config")


class ConfigurationError(click.ClickException):
    """A file of options cannot be used; the message names the file, what is wrong and the remedy."""


def find(start: Path) -> Path | None:
    """Return the nearest file with options, from a folder upwards; a `pyproject.toml` without any does not count."""
    for folder in (start, *start.parents):
        for name in _FILES:
            path = folder / name
            if path.is_file() and (name == "icetcp.toml" or "icetcp" in _load(path).get("tool", {})):
                return path
    return None


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None


def read(path: Path, commands: Mapping[str, click.Command]) -> dict[str, dict[str, Any]]:
    """Return the values of a file by command and parameter. Raises `ConfigurationError`."""
    content = _load(path)
    table = content if path.name == "icetcp.toml" else content["tool"]["icetcp"]
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: tool.icetcp is not a table")
    found: dict[str, dict[str, Any]] = {name: {} for name in commands}
    for key, value in table.items():
        if key in commands and isinstance(value, dict) and _options(commands[key]):
            found[key] |= _values(value, commands[key], path, f"[{key}] ")
    loose = {key: value for key, value in table.items() if not (key in commands and isinstance(value, dict))}
    of_main = _values(loose, commands[_MAIN], path, "", tables=commands)
    found[_MAIN] = {**of_main, **found[_MAIN]}
    for name in _SHARED & of_main.keys():  # private cases are listed and shown where they are run
        for command, values in found.items():
            if any(option.name == name for option in commands[command].params):
                values.setdefault(name, of_main[name])
    return found


def read_for(command: click.Command, name: str) -> dict[str, Any]:
    """Return the values for a command that is imported only when it is called. Raises `ConfigurationError`."""
    path = find(Path.cwd())
    if path is None:
        return {}
    content = _load(path)
    table = content if path.name == "icetcp.toml" else content["tool"]["icetcp"]
    own = table.get(name, {})
    return _values(own, command, path, f"[{name}] ") if isinstance(own, dict) else {}


def _values(
    table: dict[str, Any], command: click.Command, path: Path, where: str, tables: Iterable[str] = ()
) -> dict[str, Any]:
    options = _options(command)
    values = {}
    for key, value in table.items():
        option = options.get(key.replace("_", "-"))
        if option is None:
            near = difflib.get_close_matches(key, [*options, *tables], 1)
            remedy = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(options)}"
            raise ConfigurationError(f"{path}: icetcp {command.name} has no option {where}{key!r}; {remedy}")
        values[str(option.name)] = _of_file(value, option, path, f"{where}{key}")
    return values


def _of_file(value: Any, option: click.Option, path: Path, key: str) -> Any:
    if option.multiple:
        value = value if isinstance(value, list) else [value]
    elif isinstance(value, list | dict):
        raise ConfigurationError(f"{path}: {key} takes one value")
    if isinstance(option.type, click.Path):
        if isinstance(value, list):
            return [str(path.parent / str(one)) for one in value]
        return str(path.parent / str(value))
    if option.is_flag and not isinstance(value, bool):
        raise ConfigurationError(f"{path}: {key} is a switch: true or false")
    return value


def _options(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command by their long names."""
    found = {}
    for option in command.params:
        if isinstance(option, click.Option) and option.name not in _UNSET:
            long = [name[2:] for name in option.opts if name.startswith("--")]
            found[long[0] if long else option.opts[0].lstrip("-")] = option
    return found


def values_of(commands: Callable[[], Mapping[str, click.Command]]) -> dict[str, Any]:
    """Return what a context of the command line takes from the file. Raises `ConfigurationError`.

    `commands` returns all commands by name: they are imported only where there is a file.
    """
    path = find(Path.cwd())
    return read(path, commands()) if path is not None else {}


def equip(command: click.Command, name: str) -> None:
    """Give a command its variables and `--print-config`, once."""
    if any(option.name == "print_config" for option in command.params) or isinstance(command, click.Group):
        return
    for long, option in _options(command).items():
        word = long.replace("-", "_").upper()
        option.envvar = [f"{PREFIX}_{name.replace('-', '_').upper()}_{word}", *([f"{PREFIX}_{word}"] * (name == _MAIN))]
    if not _options(command):
        return
    inner = command.callback
    assert inner is not None

    def callback(*arguments: Any, print_config: bool, **given: Any) -> Any:
        if not print_config:
            return inner(*arguments, **given)
        for line in told(click.get_current_context(), find(Path.cwd())):
            click.echo(line)
        return 0

    command.callback = callback
    command.params.append(
        click.Option(["--print-config"], is_flag=True, help="Print each option's value and where it is from, and end.")
    )


def told(context: click.Context, path: Path | None) -> list[str]:
    """Return the options of a command as a file could have them, each with where its value came from."""
    lines = [f"# icetcp {context.command.name}; options from {path or 'no file: there is no icetcp.toml'}"]
    for long, option in _options(context.command).items():
        source = context.get_parameter_source(str(option.name))
        value, origin = context.params.get(str(option.name)), _SOURCES.get(source or ParameterSource.DEFAULT, "default")
        if source is ParameterSource.ENVIRONMENT:
            names = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
            origin += f" {next((name for name in names if name in os.environ), '')}"
        text = _toml(value)
        lines.append(f"{long} = {text}  # {origin}" if text else f"# {long} is not set")
    return lines


_SOURCES = {
    ParameterSource.COMMANDLINE: "command line",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "file",
    ParameterSource.DEFAULT: "default",
}


def _toml(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    import json  # (a JSON string is a TOML string)

    return json.dumps(str(value), ensure_ascii=False)
