"""Compiled modules are kept in the user's cache where Python keeps none beside their sources.

A run starts some six processes of ours, which import 500 modules, and pytest compiles the cases once more for their
assertions. Where the sources are in a folder that the user cannot write to, or PYTHONDONTWRITEBYTECODE is set as in
many containers, all that would be compiled again in each process of each run: three seconds of CPU time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_ORIGIN = "origin"  # a file that names the installation whose modules these are


def keep() -> None:
    """Let Python keep compiled modules from now on, where it would not and the cache can be written to."""
    if sys.pycache_prefix is not None or not (sys.dont_write_bytecode or not os.access(_ROOT, os.W_OK)):
        return
    with contextlib.suppress(OSError, RuntimeError):  # no home
        folder = _folder()
        if not (folder / _ORIGIN).exists():
            _begin(folder)
        sys.pycache_prefix, sys.dont_write_bytecode = str(folder), False


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    cache = Path(base) if base else Path.home() / ".cache"
    return cache / "icetcp" / "bytecode" / hashlib.sha256(os.fsencode(_ROOT)).hexdigest()[:12]


def _begin(folder: Path) -> None:
    """Make the folder, and remove those of installations that are gone. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _ORIGIN).write_bytes(os.fsencode(_ROOT))
    for other in folder.parent.iterdir():
        with contextlib.suppress(OSError):
            if not Path(os.fsdecode((other / _ORIGIN).read_bytes())).exists():
                shutil.rmtree(other, ignore_errors=True)
