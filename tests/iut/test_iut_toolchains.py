"""Adapters in Rust and Java, and those in Python that share the contract: built with what their tools are asked for."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.iut import stacks
from conformance.iut.stacks import StackError, build
from conformance.iut.stacks.java import _manifest
from conformance.iut.stacks.toolchains import toolchain

STACKS = Path(stacks.__file__).parent
RUST = ["alpha@1.2.3", "beta@0.1.0"]
JAVA = ["org.example:stack:2.0-1-gabc"]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A stack with a folder of its own, a cache, and a folder of tools that stand first on PATH."""
    folder, tools = tmp_path / "small", tmp_path / "tools"
    folder.mkdir()
    tools.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(build, "_folder", lambda _stack: folder)
    return stacks.Description("small", "Small", "", "none", ["{binary}"], requires=["small-dev"])


def tool(tmp_path, name: str, script: str) -> None:
    path = tmp_path / "tools" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)


def without_tools(monkeypatch, tmp_path) -> None:
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "none"))


def test_a_rust_adapter_is_built_with_the_lock_beside_it(small, tmp_path):
    folder = tmp_path / "small"
    for name, text in {"adapter.rs": "fn main() {}\n", "Cargo.toml": "[package]\n", "Cargo.lock": "pinned\n"}.items():
        (folder / name).write_text(text)
    noted = tmp_path / "noted"
    script = f'echo "$* $STACK_VERSION $HINT $(cat Cargo.lock Cargo.toml)" > {noted}; mkdir -p target/release'
    tool(tmp_path, "cargo", f"{script}; cp src/main.rs target/release/adapter")
    stack = replace(small, source="adapter.rs", modules=RUST, environment={"HINT": "yes"})
    path = build.build(stack)
    assert path.read_text() == "fn main() {}\n"
    said = [word if not word.endswith("cache/target") else "TARGET" for word in noted.read_text().split()]
    built_with = ["build", "--release", "--locked", "--quiet", "--target-dir", "TARGET"]
    assert said == [*built_with, "1.2.3", "yes", "pinned", "[package]"]
    assert [entry.name for entry in path.parent.iterdir()] == ["adapter"]
    assert build.built(stack) == path
    (folder / "Cargo.lock").write_text("pinned otherwise\n")
    assert build.built(stack) is None


def test_a_rust_adapter_that_does_not_compile_says_why(small, tmp_path):
    for name in ("adapter.rs", "Cargo.toml", "Cargo.lock"):
        (tmp_path / "small" / name).write_text("")
    tool(tmp_path, "cargo", "echo 'error: rustc 1.63 is too old' >&2; exit 101")
    stack = replace(small, source="adapter.rs", modules=RUST)
    with pytest.raises(StackError, match=r"small does not compile:\nerror: rustc 1\.63 is too old"):
        build.build(stack)
    assert build.built(stack) is None


def test_a_java_adapter_is_a_jar_beside_its_libraries(small, tmp_path):
    (tmp_path / "small" / "Adapter.java").write_text("class Adapter {}\n")
    tool(tmp_path, "java", "")
    tool(
        tmp_path,
        "mvn",
        'for a; do case "$a" in -DoutputDirectory=*) mkdir "${a#*=}"; cp pom.xml "${a#*=}/stack.jar";; esac; done',
    )
    tool(tmp_path, "javac", 'while [ "$1" != -d ]; do shift; done; mkdir "$2"; echo "$4" > "$2/path"')
    arguments = 'while [ "$1" != --file ]; do shift; done'
    tool(tmp_path, "jar", f'{arguments}; cat "$4" "$6/version" "$6/path" > "$2"')
    stack = replace(small, source="Adapter.java", modules=JAVA)
    path = build.build(stack)
    made = path.read_text()
    assert made.startswith("Main-Class: Adapter\nClass-Path: libraries/stack.jar\n2.0-1-gabc")
    assert made.rstrip().endswith("libraries/*")
    asked = (path.parent / "libraries" / "stack.jar").read_text()
    assert "<groupId>org.example</groupId><artifactId>stack</artifactId><version>2.0-1-gabc</version>" in asked
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["adapter", "libraries"]
    assert build.built(replace(stack, modules=["org.example:stack:2.0-2-gdef"])) is None


def test_a_long_line_of_a_manifest_is_continued():
    jars = [f"libraries/a-long-name-of-a-library-{number}.jar" for number in range(9)]
    lines = _manifest(Path("Adapter.java"), jars).splitlines()
    assert all(len(line) <= 72 for line in lines)
    assert "".join(line[1:] if line[0] == " " else f"\n{line}" for line in lines).split("Class-Path: ")[1] == " ".join(
        jars
    )


@pytest.mark.parametrize(
    ("source", "modules", "lacks"),
    [("adapter.js", ["werift@1.0"], "node and npm"), ("Adapter.java", JAVA, "java and javac and jar and mvn")],
)
def test_what_a_build_lacks_is_named_with_the_command(small, monkeypatch, tmp_path, source, modules, lacks):
    for name in (source, "Cargo.toml", "Cargo.lock"):
        (tmp_path / "small" / name).write_text("")
    without_tools(monkeypatch, tmp_path)
    with pytest.raises(StackError) as caught:
        build.build(replace(small, source=source, modules=modules))
    said = str(caught.value)
    assert f"to build small, {lacks} must be installed: icetcp stacks build small --install, or " in said
    assert said.endswith("apt-get install -y --no-install-recommends small-dev")


@pytest.mark.parametrize(
    ("source", "name", "says", "needs", "lacks"),
    [
        (
            "a.rs",
            "cargo",
            "cargo 1.65.0 (4bc8f24d3 2022-10-20)",
            {"rust": "1.85"},
            "Rust 1.85 or newer (from https://rustup.rs",
        ),
        ("a.rs", "cargo", "", {"rust": "1.85"}, "Rust 1.85 or newer"),
        ("a.go", "absent", "", {"go": "1.24"}, "Go 1.24 or newer (from https://go.dev/dl"),
        ("a.rs", "absent", "", {"rust": "1.85"}, "Rust 1.85 or newer (from https://rustup.rs"),
        ("a.go", "go", "go version go1.19.8 linux/amd64", {"go": "1.24"}, "Go 1.24 or newer (from https://go.dev/dl"),
        ("a.go", "go", "go version go1.100.1 linux/amd64", {"go": "1.24"}, ""),
        ("a.rs", "cargo", "cargo 2.0.0", {"rust": "1.85"}, ""),
    ],
)
def test_a_compiler_that_is_too_old_is_named_with_where_a_newer_one_is(
    monkeypatch, tmp_path, source, name, says, needs, lacks
):
    """Debian's package of it does not help: the message says where one is had that does."""
    (tmp_path / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (tmp_path / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin" if name != "absent" else str(tmp_path))
    description = stacks.Description("x", "X", "", "", [], source=source, modules=["example.org/x@v1.0.0"], **needs)
    missing = toolchain(description).missing(description)
    assert bool(missing) is bool(lacks)
    assert lacks in "".join(missing)


@pytest.mark.parametrize("line", ["import contract\n", "if True:\n    from contract import serve\n"])
def test_a_python_adapter_gets_the_contract_that_it_imports(small, monkeypatch, tmp_path, line):
    source = tmp_path / "small" / "adapter.py"
    stack = replace(small, source="adapter.py", modules=["sh"], requires=[])
    source.write_text("# contract\n")
    without = build.build(stack)
    assert not (without.parent / "contract.py").exists()
    source.write_text(line)
    path = build.build(stack)
    assert (path.parent / "contract.py").read_text() == (STACKS / "contract.py").read_text()


def test_a_python_adapter_of_libraries_needs_their_packages(small, tmp_path):
    (tmp_path / "small" / "adapter.py").write_text("")
    tool(tmp_path, "dpkg-query", 'case "$*" in *gir1.2-here) echo installed;; *) exit 1;; esac')
    stack = replace(small, source="adapter.py", requires=["gir1.2-here", "gir1.2-there"])
    with pytest.raises(StackError, match=r"to build small, gir1\.2-there must be installed"):
        build.build(stack)


def test_the_crates_that_are_named_are_those_that_are_locked():
    for name in stacks.names():
        known = stacks.description(name)
        if known.source.endswith(".rs"):
            lock = (STACKS / name / known.source).with_name("Cargo.lock").read_text(encoding="utf-8")
            locked = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock))
            assert {crate: locked.get(crate) for crate, _, _ in (m.partition("@") for m in known.modules)} == {
                crate: version for crate, _, version in (m.partition("@") for m in known.modules)
            }


def test_versions_are_pinned():
    """Debian's packages apart, whose versions are the system's."""
    for name in stacks.names():
        known = stacks.description(name)
        if Path(known.source).suffix in (".js", ".rs", ".java") or any("@" in module for module in known.modules):
            assert all(re.search(r"[@:]v?\d+\.\d+", module) for module in known.modules), name


def test_the_contract_of_python_is_kept(tmp_path):
    script = tmp_path / "adapter.py"
    script.write_text(
        """
import contract

class Session(contract.Session):
    def open(self, params):
        if params.get("media") == "bytes":
            raise contract.Refused(contract.NO_PARAMS, "no bytes")
        self.tell("state", state="new")
    def describe(self, params):
        return {"type": "offer", "sdp": self.name}
    def accept(self, params):
        raise ValueError("of ours")
    def close(self, params):
        pass

contract.serve(Session, {"name": "x", "version": "1", "pics": {}})
"""
    )
    calls = [
        '{"jsonrpc":"2.0","id":1,"method":"hello","params":{}}',
        '{"jsonrpc":"2.0","id":2,"method":"describe","params":{"session":"a"}}',
        '{"jsonrpc":"2.0","id":3,"method":"send","params":{"session":"a"}}',
        '{"jsonrpc":"2.0","id":4,"method":"open","params":{"session":"b","media":"bytes"}}',
        '{"jsonrpc":"2.0","id":5,"method":"open","params":{"session":"a"}}',
        '{"jsonrpc":"2.0","id":6,"method":"describe","params":{"session":"a"}}',
        '{"jsonrpc":"2.0","id":7,"method":"accept","params":{"session":"a"}}',
        '{"jsonrpc":"2.0","id":8,"method":"close","params":{"session":"a"}}',
    ]
    environment = {**os.environ, "PYTHONPATH": str(STACKS)}
    program = subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdin is not None
    program.stdin.write("\n".join(calls) + "\n")
    program.stdin.flush()
    assert program.stdout is not None
    lines = [program.stdout.readline() for _ in range(9)]
    said, errors = program.communicate()
    assert said == ""
    assert "of ours" in errors  # with its traceback, in the log
    text = "".join(lines)
    for part in (
        '"id": 1, "result": {"name": "x"',
        '"id": 2, "error": {"code": -32602, "message": "no such session"}',
        '"id": 3, "error": {"code": -32601, "message": "no such method"}',
        '"id": 4, "error": {"code": -32602, "message": "no bytes"}',
        '"method": "state", "params": {"session": "a", "state": "new"}',
        '"id": 5, "result": {}',
        '"id": 6, "result": {"type": "offer", "sdp": "a"}',
        '"id": 7, "error": {"code": -32603, "message": "ValueError: of ours"}',
        '"id": 8, "result": {}',
    ):
        assert part in text
    order = [text.index(f'"id": {number}') for number in (5, 6, 7, 8)]
    assert order == sorted(order)
