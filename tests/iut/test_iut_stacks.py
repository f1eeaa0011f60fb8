"""The registry of stacks and the builder: what is asked for is found, or the remedy is named."""

import os
import re
import stat
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.iut import stacks
from conformance.iut.stacks import StackError, UnknownStack, build
from conformance.run.discovery import discover
from conformance.suites.dimensions import usual_form
from conformance.verdict import case_name
from reports.expectations import parse

HELLO_C = '#include "word.h"\n#include <stdio.h>\nint main(void) { return puts(WORD) < 0; }\n'


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "icetcp" / "stacks"


@pytest.fixture
def small(monkeypatch, tmp_path, cache):
    """A stack whose adapter is a C program of two lines."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "adapter.c").write_text(HELLO_C)
    (folder / "word.h").write_text('#define WORD "hello"\n')
    monkeypatch.setattr(build, "_folder", lambda _stack: folder)
    return stacks.Description(
        "small", "Small", "", "none", ["{binary}"], source="adapter.c", requires=["gcc", "small-dev"]
    )


# -- names -------------------------------------------------------------------------------------------------------


def test_every_stack_is_whole():
    assert {"reference", "libnice"} <= set(stacks.names())
    for name in stacks.names():
        known = stacks.description(name)
        assert known.title
        assert known.licence
        assert known.command
        if known.source:
            assert (Path(stacks.__file__).parent / name / known.source).is_file()
            assert known.requires or known.modules


def test_reference():
    stack = stacks.resolve("reference")
    assert stack.command == [sys.executable, "-m", "conformance.agent"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("libnise", "did you mean libnice?"),
        ("./adapter", "for a command write --iut 'exec:./adapter'"),
        ("python3 adapter.py", "for a command write --iut 'exec:python3 adapter.py'"),
        (
            "zzz",
            "Known: " + ", ".join(stacks.names()),
        ),
        (
            "",
            "Known: " + ", ".join(stacks.names()),
        ),
        ("../stacks/libnice", "Known:"),
    ],
)
def test_unknown_name(name, hint):
    with pytest.raises(UnknownStack) as caught:
        stacks.resolve(name)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_command():
    stack = stacks.resolve("exec:sh -c 'exit 3'")
    assert stack.command == ["sh", "-c", "exit 3"]
    assert stack.name == "sh"
    assert stacks.expectations(stack) == {}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "exec: needs a command"),
        ("   ", "exec: needs a command"),
        ("sh -c 'open", "is no command line: No closing quotation"),
        ("no-such-program --x", "'no-such-program' of --iut was not found"),
        ("./nowhere/adapter", "was not found"),
    ],
)
def test_command_that_cannot_be(text, what):
    with pytest.raises(StackError, match=what):
        stacks.resolve(f"exec:{text}")


def test_command_that_may_not_be_executed(tmp_path):
    script = tmp_path / "adapter.py"
    script.write_text("print()")
    with pytest.raises(StackError, match=r"may not be executed; chmod \+x mends it"):
        stacks.resolve(f"exec:{script}")


def test_stack_that_is_not_built(cache):
    with pytest.raises(StackError, match="not built yet; run: icetcp stacks build libnice"):
        stacks.resolve("libnice")


def test_expectations_name_verdicts_and_evidence():
    known = stacks.expectations(replace(stacks.resolve("reference"), folder=Path(stacks.__file__).parent / "libnice"))
    assert known
    assert all(expectation.evidence and expectation.verdict for expectation in known.values())
    assert all("/" in case for case in known)


def known_deviations():
    folder = Path(stacks.__file__).parent
    files = [file for name in stacks.names() if (file := folder / name / "expectations.toml").is_file()]
    assert len(files) > 10
    return [(file.parent.name, entry) for file in files for entry in parse(file.read_text(), str(file))]


def test_no_stack_is_expected_to_deviate_sometimes():
    """A case comes to one verdict, whatever a race inside the stack comes to. Users' own files may say otherwise."""
    assert not [(name, entry.ids) for name, entry in known_deviations() if entry.sometimes]


TWO_VERDICTS = {  # races that are left
    ("librice", "RFC4571-2/null_frames_between_checks"),
}


def test_no_further_deviation_is_known_by_two_verdicts():
    """An id in two entries with different verdicts says sometimes in other words."""
    verdicts = defaultdict(set)
    for name, entry in known_deviations():
        for identifier in entry.ids:
            verdicts[name, identifier].add(entry.verdict)
    assert {place for place, found in verdicts.items() if len(found) > 1} == TWO_VERDICTS


def test_expectations_name_cases_that_there_are():
    variants = {case.id for case in discover().every}
    cases = variants | {case_name(variant) for variant in variants}
    usual = {usual_form(variant) for variant in variants}  # a stack has other combinations of values if it lacks some
    words: dict[str, set[str]] = {}
    for variant in variants:
        words.setdefault(case_name(variant), set()).update(values_of(variant))

    def may_be(identifier: str) -> bool:
        return values_of(identifier) <= words.get(case_name(identifier), set())

    reference = stacks.resolve("reference")
    for name in stacks.names():
        known = stacks.expectations(replace(reference, folder=Path(stacks.__file__).parent / name))
        assert not [
            case
            for case in known
            if not (case in cases or usual_form(case) in usual or may_be(case) or "/judge_" in case)
        ], name


def values_of(identifier: str) -> set[str]:
    """Return the words in the brackets of an id."""
    return set(identifier.partition("[")[2].rstrip("]").split("-")) - {""}


# -- toolchains --------------------------------------------------------------------------------------------------


def test_a_go_adapter_is_built_against_debians_sources(small, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    calls = tmp_path / "calls"
    go = f'echo "$GO111MODULE $GOPATH $*" > {calls}; ls "${{GOPATH%%:*}}/src/adapter" >> {calls}; while [ "$1" != -o ]; do shift; done; echo built > "$2"'
    for name, script in {"go": go, "dpkg-query": "printf 2.3.1-1"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    stack = replace(small, source="adapter.go", requires=["golang-go", "golang-github-x-dev"])
    source = build._folder(stack) / "adapter.go"
    source.write_text("package main\n")
    with pytest.raises(StackError, match="no/such/module must be installed"):
        build.build(replace(stack, modules=["no/such/module"]))
    path = build.build(stack)
    assert path.read_text() == "built\n"
    words = calls.read_text()
    assert re.match(r"off /\S+/cache:/usr/share/gocode build -ldflags -X main.version=2.3.1-1 -o \S+ adapter\n", words)
    assert words.splitlines()[1:] == ["adapter.go", "go.mod"]
    source.write_text("package main\nfunc main() { converse() }\n")
    assert build.build(stack) != path
    assert calls.read_text().splitlines()[1:] == ["adapter.go", "contract.go", "go.mod"]


def test_a_go_adapter_is_built_against_the_module_and_version_that_it_asks_for(small, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    calls = tmp_path / "calls"
    (tools / "go").write_text(
        f"""#!/bin/sh
        [ "$1" = version ] && echo "go version go1.24.1 linux/amd64" && exit
        echo "$GO111MODULE $*" >> {calls}
        [ "$1" = build ] && while [ "$1" != -o ]; do shift; done && cp main.go "$2"
        exit 0
        """
    )
    (tools / "go").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    (tmp_path / "small" / "adapter.go").write_text('import x "example.org/x/v2"\nimport "example.org/x/v2/y"\n')
    stack = replace(small, source="adapter.go", modules=["example.org/x/v4@v4.1.0"], go="1.25")
    with pytest.raises(StackError, match=r"Go 1\.25 or newer \(from https://go\.dev/dl, .*must be installed"):
        build.build(stack)
    path = build.build(replace(stack, go="1.24"))
    assert path.read_text() == 'import x "example.org/x/v4"\nimport "example.org/x/v4/y"\n'
    first, second, third = calls.read_text().splitlines()
    assert (first, second) == ("on mod init adapter", "on get example.org/x/v4@v4.1.0")
    assert third.startswith("on build -ldflags -X main.version=4.1.0 -o ")
    assert [entry.name for entry in path.parent.iterdir()] == ["adapter"]
    assert build.built(replace(stack, modules=["example.org/x/v4@v4.2.0"])) is None


def test_a_node_adapter_lies_beside_its_packages(small, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    npm = 'while [ "$1" != --prefix ]; do shift; done; mkdir -p "$2/node_modules/$3"'
    for name, script in {"npm": npm, "node": "true"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    (tmp_path / "small" / "adapter.js").write_text("// adapter\n")
    stack = replace(small, source="adapter.js", modules=["stack@1.0"])
    path = build.build(stack)
    assert path.read_text() == "// adapter\n"
    assert (path.parent / "node_modules" / "stack@1.0").is_dir()
    assert "function contract (Session" in (path.parent / "contract.js").read_text()
    assert build.built(stack) == path
    assert build.built(replace(stack, modules=["stack@2.0"])) is None  # another version is another adapter


def test_a_python_adapter_needs_the_program_that_it_starts(small, monkeypatch, tmp_path):
    (tmp_path / "small" / "adapter.py").write_text("# adapter\n")
    (tmp_path / "small" / "driver.js").write_text("// driver\n")
    stack = replace(small, source="adapter.py", modules=["no-such-browser"], requires=["no-such-package"])
    with pytest.raises(StackError, match="no-such-browser must be installed"):
        build.build(stack)
    path = build.build(replace(stack, modules=["sh"]))
    assert path.read_text() == "# adapter\n"
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        "adapter",
        "contract.js",
        "driver.js",
        "peerconnection.js",
    ]


def test_a_python_adapter_lies_beside_the_packages_that_pip_fetches(small, monkeypatch, tmp_path):
    python = tmp_path / "python"
    pip = """[ "$3" = --version ] && exit
    while [ "$1" != --target ]; do shift; done
    mkdir -p "$2/$3"
    """
    python.write_text(f"#!/bin/sh\n{pip}")
    python.chmod(stat.S_IRWXU)
    monkeypatch.setattr(sys, "executable", str(python))
    (tmp_path / "small" / "adapter.py").write_text("# adapter\n")
    stack = replace(small, source="adapter.py", modules=["stack==1.0"], requires=[])
    path = build.build(stack)
    assert (path.parent / "packages" / "stack==1.0").is_dir()
    assert build.built(stack) == path
    assert build.built(replace(stack, modules=["stack==2.0"])) is None


# -- building ----------------------------------------------------------------------------------------------------


def test_build_and_find_again(small, cache):
    said = []
    path = build.build(small, said.append)
    assert path.is_relative_to(cache / "small")
    assert os.access(path, os.X_OK)
    assert build.built(small) == path
    assert [entry.name for entry in path.parent.iterdir()] == ["adapter"]  # nothing half made lies beside it
    assert any(line.startswith("+ cc ") for line in said)
    before = path.stat().st_mtime_ns
    assert build.build(small) == path
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("file", ["adapter.c", "word.h"])
def test_changed_source_is_built_anew(small, tmp_path, file):
    first = build.build(small)
    source = tmp_path / "small" / file
    source.write_text(source.read_text() + "/* changed */\n")
    assert build.built(small) is None
    assert build.build(small) != first


def test_what_the_compiler_says_is_shown(small, tmp_path, cache):
    (tmp_path / "small" / "adapter.c").write_text("int main(void) { return undeclared; }\n")
    with pytest.raises(StackError, match=r"(?s)small does not compile.*undeclared"):
        build.build(small)
    assert build.built(small) is None


def test_missing_packages_are_named_with_the_command(small, monkeypatch):
    lacking = replace(small, modules=["no-such-module"])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(StackError) as caught:
        build.build(lacking)
    assert "no-such-module must be installed: icetcp stacks build small --install, or " in str(caught.value)
    assert str(caught.value).endswith("apt-get install -y --no-install-recommends gcc small-dev")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StackError, match="or sudo apt-get update && sudo apt-get install -y"):
        build.build(lacking)


def test_packages_are_installed_when_asked_for(small, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    calls = tmp_path / "calls"
    for name, script in {
        "apt-get": f'echo "$@" >> {calls}',
        "pkg-config": f'case "$*" in *--exists*) test -s {calls};; esac',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    path = build.build(replace(small, modules=["small"]), install=True)
    assert path.is_file()
    assert calls.read_text().splitlines() == [
        "-q -o DPkg::Lock::Timeout=300 update",
        "-q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends gcc small-dev",
    ]


def test_installation_that_fails_says_why(small, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "apt-get").write_text("#!/bin/sh\necho 'E: no network' >&2\nexit 100\n")
    (tools / "apt-get").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(StackError, match=r"what small needs cannot be installed:(.|\n)*E: no network"):
        build.build(replace(small, modules=["no-such-module"]), install=True)


def test_cache_that_cannot_be_written(small, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StackError, match="cannot build in the cache folder"):
        build.build(small)


def test_stack_without_source_needs_no_building():
    with pytest.raises(StackError, match="reference needs no building"):
        build.build(stacks.description("reference"))
