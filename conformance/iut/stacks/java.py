"""How an adapter in Java is built: Maven fetches the libraries, javac compiles, and a jar beside them starts it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from conformance.iut.stacks.tools import absent, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conformance.iut.stacks import Description

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>icetcp</groupId><artifactId>adapter</artifactId><version>1</version>
<dependencies>{}</dependencies>
</project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
_WIDEST = 70  # octets of a line of a jar's manifest; longer ones are continued


class Java:
    """Modules are GROUP:ARTIFACT:VERSION, as Maven names them; the jar has the version of the first in `version`."""

    def missing(self, stack: Description) -> list[str]:
        """Return what the build needs and the machine lacks."""
        del stack
        return absent("java", "javac", "jar", "mvn")

    def versions(self, stack: Description) -> list[tuple[str, str]]:
        """Return the libraries that are asked for, with their versions."""
        found = (module.rpartition(":") for module in stack.modules)
        return [(name, version) for name, _colon, version in found]

    def compile(self, stack: Description, source: Path, folder: Path, say: Callable[[str], None]) -> None:
        """Make `folder`/adapter, a jar that java starts, of the source. Raises `StackError`."""
        scratch, libraries = folder / "cache", folder / "libraries"
        scratch.mkdir()
        (scratch / "pom.xml").write_text(pom(stack), encoding="utf-8")
        try:
            fetch = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={libraries}"]
            run(stack, fetch, say, folder=scratch)
            jars = sorted(libraries.iterdir())
            classes = scratch / "classes"
            run(stack, ["javac", "-nowarn", "-d", str(classes), "-cp", f"{libraries}/*", str(source)], say)
            (classes / "version").write_text(self.versions(stack)[0][1], encoding="utf-8")
            manifest = scratch / "manifest"
            manifest.write_text(_manifest(source, [f"libraries/{jar.name}" for jar in jars]), encoding="utf-8")
            made = [
                "jar",
                "--create",
                "--file",
                str(folder / "adapter"),
                "--manifest",
                str(manifest),
                "-C",
                str(classes),
                ".",
            ]
            run(stack, made, say)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def pom(stack: Description) -> str:
    """Return a Maven project that depends on a stack's modules."""
    return _POM.format("".join(_DEPENDENCY.format(*module.split(":")) for module in stack.modules))


def _manifest(source: Path, jars: list[str]) -> str:
    """Return the manifest of the jar."""
    said = {"Main-Class": source.stem, "Class-Path": " ".join(jars)}
    return "".join(_folded(f"{name}: {value}") for name, value in said.items())


def _folded(line: str) -> str:
    parts = [line[:_WIDEST], *(line[n : n + _WIDEST - 1] for n in range(_WIDEST, len(line), _WIDEST - 1))]
    return "\n ".join(parts) + "\n"
