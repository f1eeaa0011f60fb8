"""How an adapter in Rust is built: by cargo, with the versions that the Cargo.lock beside its source pins."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from conformance.iut.stacks.tools import run, too_old

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conformance.iut.stacks import Description


class Rust:
    """The first of a stack's modules is the crate that is judged: its version is the adapter's, by STACK_VERSION."""

    def missing(self, stack: Description) -> list[str]:
        """Return what the build needs and the machine lacks."""
        return too_old("Rust", stack.rust, "https://rustup.rs", "cargo", "--version")

    def versions(self, stack: Description) -> list[tuple[str, str]]:
        """Return the crates that are asked for, with their versions."""
        return [(name, version) for name, _at, version in (module.partition("@") for module in stack.modules)]

    def compile(self, stack: Description, source: Path, folder: Path, say: Callable[[str], None]) -> None:
        """Make `folder`/adapter of the source. Raises `StackError`."""
        scratch = folder / "cache"
        (scratch / "src").mkdir(parents=True)
        shutil.copyfile(source, scratch / "src" / "main.rs")
        for name in ("Cargo.toml", "Cargo.lock"):
            shutil.copyfile(source.with_name(name), scratch / name)
        _name, version = self.versions(stack)[0]
        try:
            command = ["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", str(scratch / "target")]
            run(stack, command, say, {**stack.environment, "STACK_VERSION": version}, scratch)
            shutil.move(scratch / "target" / "release" / "adapter", folder / "adapter")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
