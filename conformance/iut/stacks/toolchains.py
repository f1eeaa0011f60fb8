"""How an adapter of each language is built: C by cc and pkg-config, Go by go, Node by npm; Python needs a copy only.

Rust and Java are in `rust` and `java`.
A toolchain is chosen by the suffix of the adapter's source. Each says what the machine lacks, in which versions the
stack is there, and how to make an executable or a script named `adapter` in a folder.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from conformance.iut.stacks.java import Java
from conformance.iut.stacks.rust import Rust
from conformance.iut.stacks.tools import absent, output, run, succeeds, too_old

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.iut.stacks import Description

_C_FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror=implicit-function-declaration"]
_MACROS = {"nice": "LIBNICE"}
SHARED_SCRIPT = Path(__file__).with_name("contract.js")  # of the adapters in JavaScript
SHARED_SCRIPTS = (SHARED_SCRIPT, Path(__file__).with_name("peerconnection.js"))
SHARED_GO = Path(__file__).with_name("contract.go")  # of those in Go that call what it has
SHARED_MODULE = Path(__file__).with_name("contract.py")  # of those in Python that import it
_GO_PATH = Path("/usr/share/gocode")  # where Debian keeps the sources of its Go packages
_IMPORTS_CONTRACT = re.compile(r"^ *(import|from) contract\b", re.MULTILINE)
_MAJOR = re.compile(r"/v\d+\Z")  # the end of a Go module's path from version 2 on


class Toolchain(Protocol):
    """What building needs of a language."""

    def missing(self, stack: Description) -> list[str]:
        """Return what the build needs and the machine lacks."""
        ...

    def versions(self, stack: Description) -> list[tuple[str, str]]:
        """Return what the result depends on beside the source: names and versions."""
        ...

    def compile(self, stack: Description, source: Path, folder: Path, say: Callable[[str], None]) -> None:
        """Make `folder`/adapter of the source. Raises `StackError` with the tool's words."""
        ...


def toolchain(stack: Description) -> Toolchain:
    """Return the toolchain for a stack's source."""
    return _TOOLCHAINS[Path(stack.source).suffix]


def built_with(stack: Description) -> str:
    """Return the toolchain that builds a stack's adapter, with the programs that it has; "" if none does."""
    suffix = Path(stack.source).suffix
    if suffix == ".py":
        return "Python (pip)" if _pip_packages(stack) else "no toolchain, Debian's packages"
    if suffix == ".go":
        return f"Go {stack.go} (go)" if _go_modules(stack) else "Go (go)"
    return _WORDS.get(suffix, "").format(stack)


_WORDS = {
    ".c": "C (cc, pkg-config)",
    ".js": "Node (node, npm)",
    ".rs": "Rust {0.rust} (cargo)",
    ".java": "Java (javac, mvn)",
}


class _C:
    def missing(self, stack: Description) -> list[str]:
        lacks = absent("cc", "pkg-config")
        if "pkg-config" in lacks:
            return lacks
        return lacks + [m for m in stack.modules if not succeeds("pkg-config", "--exists", m)]

    def versions(self, stack: Description) -> list[tuple[str, str]]:
        found = [(module, output("pkg-config", "--modversion", module)) for module in stack.modules]
        return [("cc", " ".join(_C_FLAGS)), *found]

    def compile(self, stack: Description, source: Path, folder: Path, say: Callable[[str], None]) -> None:
        macros = [f'-D{_macro(module)}_VERSION="{version}"' for module, version in self.versions(stack)[1:]]
        flags = shlex.split(output("pkg-config", "--cflags", "--libs", *stack.modules))
        run(stack, ["cc", *_C_FLAGS, *macros, "-o", str(folder / "adapter"), str(source), *flags], say)


class _Go:
    """A module with its version, as `go get` takes it; else the sources that Debian packages, without the network."""

    def missing(self, stack: Description) -> list[str]:
        if _go_modules(stack):
            return too_old("Go", stack.go, "https://go.dev/dl", "go", "version")
        return absent("go") + [m for m in stack.modules if not (_GO_PATH / "src" / m).is_dir()]

    def versions(self, stack: Description) -> list[tuple[str, str]]:
        if _go_modules(stack):
            return [(name, version.removeprefix("v")) for name, _at, version in map(_at_version, stack.modules)]
        packages = [name for name in stack.requires if name.startswith("golang-github")]
        return [(name, output("dpkg-query", "-W", "-f", "${Version}", name)) for name in packages]

    def compile(self, stack: Description, source: Path, folder: Path, say: Callable[[str], None]) -> None:
        version = next((v for _name, v in self.versions(stack)), "unknown")
        build = ["go", "build", "-ldflags", f"-X main.version={version}", "-o", str(folder / "adapter")]
        try:
            if _go_modules(stack):
                self._compile_modules(stack, source, folder, build, say)
            else:
                cache = folder / "cache"
                environment = {
                    "GO111MODULE": "off",
                    "GOPATH": f"{cache}:{_GO_PATH}",
                    "GOFLAGS": "",
                    "GOCACHE": str(cache / "build"),
                }
                package = cache / "src" / "adapter"
                package.mkdir(parents=True)
                # where the importing package is a module, go finds "…/v2" in a folder without "v2" as well
                (package / "go.mod").write_text("module adapter\n", encoding="utf-8")
                for one in (source, *shared_scripts(source)):
                    shutil.copyfile(one, package / one.name)
                run(stack, [*build, "adapter"], say, environment)
        finally:
            shutil.rmtree(folder / "cache", ignore_errors=True)

    def _compile_modules(
        self, stack: Description, source: Path, folder: Path, build: list[str], say: Callable[[str], None]
    ) -> None:
        """Build a copy of the source that imports the modules in the major versions that are asked for."""
        scratch = folder / "cache"
        scratch.mkdir()
        text = source.read_text(encoding="utf-8")
        for name, _at, _version in map(_at_version, stack.modules):
            text = re.sub(rf"\"{re.escape(_MAJOR.sub('', name))}/v\d+([/\"])", rf'"{name}\1', text)
        (scratch / "main.go").write_text(text, encoding="utf-8")
        for shared in shared_scripts(source):
            shutil.copyfile(shared, scratch / shared.name)
        environment = {"GO111MODULE": "on", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
        for command in (["go", "mod", "init", "adapter"], ["go", "get", *stack.modules], [*build, "."]):
            run(stack, command, say, environment, scratch)


class _Node:
    """The script beside the packages that it requires: node looks for them there."""

    def missing(self, stack: Description) -> list[str]:
        return absent("node", "npm")

    def versions(self, stack: Description) -> list[tuple[str, str]]:
        return [(module, "") for module in stack.modules]  # npm's way to name a package, its version included

    def compile(self, stack: Description, source: Path, folder: Path, say: Callable[[str], None]) -> None:
        quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        run(stack, ["npm", "install", *quiet, "--prefix", str(folder), *stack.modules], say)
        shutil.copyfile(source, folder / "adapter")
        for shared in SHARED_SCRIPTS:
            shutil.copyfile(shared, folder / shared.name)


class _Python:
    """The script and the files of its folder. The stack is a program that Debian packages, or a package of PyPI."""

    def missing(self, stack: Description) -> list[str]:
        lacks = absent(*(name for name in stack.modules if "==" not in name))
        if not stack.modules:  # libraries: only the package manager knows of them
            lacks += [name for name in stack.requires if not _is_installed(name)]
        if _pip_packages(stack) and not succeeds(sys.executable, "-m", "pip", "--version"):
            lacks.append("pip")
        return lacks

    def versions(self, stack: Description) -> list[tuple[str, str]]:
        found = [(name, output("dpkg-query", "-W", "-f", "${Version}", name)) for name in stack.requires]
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"  # a package holds code for one Python
        return [*found, *((package, python) for package in _pip_packages(stack))]

    def compile(self, stack: Description, source: Path, folder: Path, say: Callable[[str], None]) -> None:
        say(f"{stack.name}: {', '.join(' '.join(pair) for pair in self.versions(stack))}")
        packages = _pip_packages(stack)
        if packages:
            quiet = [
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary",
                ":all:",
                "--target",
                str(folder / "packages"),
            ]
            run(stack, [sys.executable, "-m", "pip", "install", *quiet, *packages], say)
        for file in source.parent.iterdir():
            if file.suffix in (".py", ".js"):
                shutil.copyfile(file, folder / ("adapter" if file == source else file.name))
        for shared in shared_scripts(source):
            shutil.copyfile(shared, folder / shared.name)


def shared_scripts(source: Path) -> list[Path]:
    """Return what an adapter's source shares with others: all in JavaScript, else the contract where it is used."""
    if source.suffix in (".rs", ".java"):
        return []
    if source.suffix == ".go":
        return [SHARED_GO] if "converse(" in source.read_text("utf-8") else []
    imports = source.suffix == ".py" and _IMPORTS_CONTRACT.search(source.read_text("utf-8"))
    return [*SHARED_SCRIPTS, *([SHARED_MODULE] if imports else [])]


def _is_installed(package: str) -> bool:
    return output("dpkg-query", "-W", "-f", "${db:Status-Status}", package) == "installed"


def _pip_packages(stack: Description) -> list[str]:
    return [name for name in stack.modules if "==" in name]


_TOOLCHAINS: dict[str, Toolchain] = {
    ".c": _C(),
    ".go": _Go(),
    ".js": _Node(),
    ".py": _Python(),
    ".rs": Rust(),
    ".java": Java(),
}


def _go_modules(stack: Description) -> bool:
    return any("@" in module for module in stack.modules)


def _at_version(module: str) -> tuple[str, str, str]:
    return module.partition("@")


def _macro(module: str) -> str:
    """Return what the C source calls a module: LIBNICE for nice."""
    return _MACROS.get(module, re.sub(r"\W", "_", module).upper())
