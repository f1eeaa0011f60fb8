"""Installing Debian packages, for stacks to build and for what a run lacks."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WITHIN = 1800.0  # seconds that the package manager may take
_LOCKED = 300  # seconds that it waits for another one, as a second build may have started it
_SHOWN = 8  # lines of its output where it fails


def install_command(packages: Sequence[str]) -> str:
    """Return what a person types to install the packages."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {' '.join(packages)}"


def install(packages: Sequence[str], say: Callable[[str], None]) -> bool:
    """Install packages, as root or by sudo without a password; return whether that worked.

    What is done, or why it cannot be, is said line by line; the package manager's output only if it fails.
    """
    if shutil.which("apt-get") is None:
        say(f"this is not a Debian system: install what these Debian packages hold yourself: {' '.join(packages)}")
        return False
    prefix = _as_root()
    if prefix is None:
        say(f"not root, and no sudo without a password; as root, run: {install_command(packages)}")
        return False
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        command = [*prefix, "apt-get", "-q", "-o", f"DPkg::Lock::Timeout={_LOCKED}", *arguments]
        say(f"+ {shlex.join(command)}")
        problem = _problem(command)
        if problem is not None:
            for line in problem.splitlines()[-_SHOWN:]:
                say(f"    {line}")
            if arguments[0] != "update":  # without fresh lists the old ones may still do
                say(f"that failed; once the cause above is mended, run: {install_command(packages)}")
                return False
    return True


def _as_root() -> list[str] | None:
    setting = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() == 0:
        return setting
    if shutil.which("sudo") is not None and _problem(["sudo", "-n", "true"]) is None:
        return ["sudo", "-n", *setting]
    return None


def _problem(command: Sequence[str]) -> str | None:
    """Run a program; return what it said if it failed, None if not."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WITHIN,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    except OSError as error:
        return f"{command[0]} cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {_WITHIN:g} s"
    return (done.stderr.strip() or done.stdout.strip()) if done.returncode else None
