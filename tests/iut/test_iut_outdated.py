"""`icetcp stacks outdated`: each registry is asked by its package manager, and what cannot be asked is said."""

from __future__ import annotations

import json
import os
import stat

import pytest
from click.testing import CliRunner

from conformance.commands.stacks import stacks as command
from conformance.iut import stacks
from conformance.iut.stacks import Description, outdated
from conformance.iut.stacks.outdated import Standing, standings

ANSWERS = {
    "go": """case "$*" in
        *example.org/x/v4@latest) echo v4.2.0;;
        *example.org/x/v5@latest) echo v5.0.1;;
        *example.org/z/v2@latest) echo v2.0.0;;
        *example.org/z/v3@latest) echo v3.0.0-rc.2;;
        *example.org/y/v2@latest|*example.org/plain@latest) echo v2.1.0;;
        *) echo "not found" >&2; exit 1;;
        esac""",
    "npm": "echo '\"1.3.0\"'",
    "cargo": "echo 'version: 0.4.3 (latest 0.5.0)'",
    "mvn": "echo '[INFO]   org.example:stack ........ 2.0-1-gabc -> 2.0-7-gdef'",
    "apt-cache": "printf '%s:\\n  Installed: 1.0-1\\n  Candidate: 1.0-2\\n' \"$2\"",
    "dpkg-query": "printf 1.0-1",
}


@pytest.fixture
def tools(monkeypatch, tmp_path):
    """Sets programs that answer for the registries."""
    folder = tmp_path / "tools"
    folder.mkdir()

    def set_(answers: dict[str, str]) -> None:
        for name, script in answers.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(stat.S_IRWXU)

    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return set_


def stack(source: str, *modules: str, requires: tuple[str, ...] = ()) -> Description:
    return Description("x", "X", "", "", [], source=source, modules=list(modules), requires=list(requires))


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (stack("a.go", "example.org/x/v4@v4.1.0"), Standing("example.org/x/v4", "v4.1.0", "v5.0.1")),
        (stack("a.go", "example.org/z/v2@v2.0.0"), Standing("example.org/z/v2", "v2.0.0", "v2.0.0")),
        (stack("a.go", "example.org/plain@v2.1.0"), Standing("example.org/plain", "v2.1.0", "v2.1.0")),
        (stack("a.js", "@scope/stack@1.2.0"), Standing("@scope/stack", "1.2.0", "1.3.0")),
        (stack("a.rs", "crate@0.4.3"), Standing("crate", "0.4.3", "0.5.0")),
        (stack("A.java", "org.example:stack:2.0-1-gabc"), Standing("org.example:stack", "2.0-1-gabc", "2.0-7-gdef")),
        (stack("a.py", "program", requires=("debian",)), Standing("debian", "1.0-1", "1.0-2")),
        (stack("a.c", "nice", requires=("gcc", "libnice-dev")), Standing("libnice-dev", "1.0-1", "1.0-2")),
    ],
)
def test_each_registry_is_asked_by_its_package_manager(tools, known, found):
    tools(ANSWERS)
    assert standings(known) == [found]
    assert found.outdated is (found.present != found.newest)


def test_the_same_version_of_a_library_of_java_is_the_newest(tools):
    tools({"mvn": "echo '[INFO] No dependencies in Dependencies have newer versions.'"})
    (found,) = standings(stack("A.java", "org.example:stack:2.0"))
    assert not found.outdated
    assert found.newest == "2.0"


@pytest.mark.parametrize("manager", ["go", "npm", "cargo", "mvn"])
def test_a_registry_that_cannot_be_asked_is_said(tools, manager):
    tools({manager: "echo 'noise'; echo 'dial tcp: lookup registry: no such host' >&2; exit 1"})
    known = {
        "go": stack("a.go", "example.org/x@v4.1.0"),
        "npm": stack("a.js", "stack@1.2.0"),
        "cargo": stack("a.rs", "crate@0.4.3"),
        "mvn": stack("A.java", "org.example:stack:2.0"),
    }
    (found,) = standings(known[manager])
    assert found.newest == ""
    assert found.problem.startswith(f"{manager} could not ask its registry: ")
    assert not found.outdated


def test_a_package_manager_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = standings(stack("a.js", "stack@1.2.0"))
    assert found.problem == "npm cannot be run: No such file or directory"


def test_our_own_agent_is_not_asked_about():
    assert standings(stacks.description("reference")) == []


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([Standing("p", "1", "1")], 0),
        ([Standing("p", "1", "2"), Standing("q", "1", problem="offline")], 1),
        ([Standing("p", "1", "1"), Standing("q", "1", problem="offline")], 3),
    ],
)
def test_the_command_prints_a_line_for_each_package(monkeypatch, found, status):
    monkeypatch.setattr(outdated, "standings", lambda _stack: found)
    done = CliRunner().invoke(command, ["outdated", "werift"], standalone_mode=False)
    assert done.return_value == status
    assert done.output.splitlines() == [
        f"werift\t{s.package}\t{s.present}\t{s.newest or 'not known: offline'}" for s in found
    ]
    done = CliRunner().invoke(command, ["outdated", "werift", "--json"], standalone_mode=False)
    assert [entry["newest"] for entry in json.loads(done.output)] == [s.newest for s in found]


def test_the_command_knows_its_stacks(monkeypatch):
    done = CliRunner().invoke(command, ["outdated", "werfit"], standalone_mode=False)
    assert done.return_value == 2
