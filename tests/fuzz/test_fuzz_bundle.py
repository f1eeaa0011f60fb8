"""What a replay ships: the modules of player and judging, and what they import; nothing but the standard library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.campaign.bundle import MODULES, replay_program, source
from fuzz.findings import Finding
from fuzz.player.outcome import PLAN

ROOT = Path(__file__).parents[2]


def imported(name, *, checked=True):
    """Return the modules that a module imports when it runs; with `checked`, those for type checkers too."""
    file = ROOT.joinpath(*name.split("."))
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    tree = ast.parse(file.read_text())
    if not checked:
        tree.body = [
            one for one in tree.body if not (isinstance(one, ast.If) and "TYPE_CHECKING" in ast.unparse(one.test))
        ]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{one.name}" for one in node.names}
            modules = {one for one in names if ROOT.joinpath(*one.split(".")).with_suffix(".py").is_file()}
            found |= modules or {node.module}
    return found


def room(name):
    return {f"fuzz.{name}.{file.stem}" for file in (ROOT / "fuzz" / name).glob("*.py") if file.stem != "__init__"}


@pytest.mark.parametrize("module", sorted(room("player")))
def test_the_player_imports_nothing_but_the_standard_library_and_itself(module):
    others = {one for one in imported(module) if one.partition(".")[0] not in sys.stdlib_module_names}
    assert others <= room("player")


def test_the_bundle_holds_both_rooms_and_each_module_after_what_it_imports():
    assert room("player") | room("judging") <= set(MODULES)
    known = set()
    for name in MODULES:
        ours = {one for one in imported(name, checked=False) if one.partition(".")[0] in ("conformance", "fuzz")}
        assert ours <= known, name
        known.add(name)


def test_modules_keep_constants_of_the_same_name_apart(tmp_path):
    """Most modules have private constants: in one namespace, the last would win."""
    finding = Finding("deaf", "connection", "text", [], {"plan": PLAN, "steps": []})
    (tmp_path / "replay.py").write_text(replay_program(finding))
    program = "import replay, fuzz.player.session as s, fuzz.judging.runner as r; print(s._FORESEEN, r._FORESEEN)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    one, other = done.stdout.split()
    assert one != other


def test_a_replay_without_a_command_or_with_a_broken_adapter_says_so(tmp_path):
    finding = Finding("deaf", "connection", 'a "title" with \\ in it', [], {"plan": PLAN, "steps": []})
    program = tmp_path / "replay.py"
    program.write_text(replay_program(finding))
    for arguments, status, text in (
        ([], 2, "usage: "),
        (["false"], 3, "cannot be used"),
        (["/nowhere"], 3, "cannot be used"),
    ):
        done = subprocess.run([sys.executable, "-IS", program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert text in done.stdout


def test_a_module_that_cannot_be_quoted_is_refused(monkeypatch):
    monkeypatch.setattr("inspect.getsource", lambda module: "x = '''text'''")
    with pytest.raises(ValueError, match="three single quotes"):
        source("fuzz.player.render")
