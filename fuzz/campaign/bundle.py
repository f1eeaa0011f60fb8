"""The stand-alone `replay.py` of a finding: one file with the modules that play and judge a case."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.findings import Finding

# What a replay runs, each module after those that it imports. All of it needs the standard library only.
MODULES = (
    "conformance",
    "conformance.wire",
    "conformance.wire.errors",
    "conformance.wire.frozen",
    "conformance.wire.ip",
    "conformance.wire.attributes",
    "conformance.wire.integrity",
    "conformance.wire.values",
    "conformance.wire.stun",
    "fuzz",
    "fuzz.player",
    "fuzz.player.reading",
    "fuzz.player.render",
    "fuzz.player.journal",
    "fuzz.player.connection",
    "fuzz.player.description",
    "fuzz.player.outcome",
    "fuzz.player.session",
    "fuzz.player.steps",
    "fuzz.player.adapter",
    "fuzz.judging",
    "fuzz.judging.symptom",
    "fuzz.judging.subject",
    "fuzz.judging.reading",
    "fuzz.judging.answers",
    "fuzz.judging.expect",
    "fuzz.judging.oracle",
    "fuzz.judging.monitors",
    "fuzz.judging.growth",
    "fuzz.judging.session",
    "fuzz.judging.runner",
    "fuzz.judging.replay",
)
_PACKAGES = ("conformance", "conformance.wire", "fuzz", "fuzz.player", "fuzz.judging")

_HEAD = '''"""{title}

Stand-alone: Python 3.11 and an adapter are all it needs.

    python3 replay.py COMMAND OF THE ADAPTER

Exit status: 1 the finding comes again, 0 it does not, 2 usage, 3 the adapter cannot be used. The case is at the end of
this file; before it stand the modules that play and judge it.
"""

import linecache
import sys
import types

MODULES = {{}}
'''
_TAIL = """
for name, source in MODULES.items():
    module = types.ModuleType(name)
    if name in PACKAGES:
        module.__path__ = []
    sys.modules[name] = module
    file = f"<{name} in replay.py>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), module.__dict__)
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, module)

if __name__ == "__main__":
    from fuzz.judging.replay import Known, main

    raise SystemExit(main(Known(KIND, CAUSE, CASE, REPEAT)))
"""


def replay_program(finding: Finding) -> str:
    """Return a program that plays and judges the case of a finding."""
    title = f"{finding.kind}: {finding.cause}".replace("\\", "/").replace('"', "'")
    case = {"plan": finding.case["plan"], "steps": finding.case["steps"]}
    parts = [_HEAD.format(title=title)]
    parts += [f"MODULES[{name!r}] = r'''{source(name)}'''\n" for name in MODULES]
    parts.append(f"PACKAGES = {_PACKAGES!r}\nCASE = {case!r}\nKIND = {finding.kind!r}\nCAUSE = {finding.cause!r}\n")
    parts.append(f"REPEAT = {finding.repeat}\n{_TAIL}")
    return "\n".join(parts)


def source(name: str) -> str:
    """Return the text of a module; packages are empty. Raises `ValueError` if it has three single quotes."""
    text = inspect.getsource(import_module(name)) if name not in _PACKAGES else ""
    if "'''" in text:
        raise ValueError(f"{name} has three single quotes in a row, so that it cannot be put into a replay")
    return text
