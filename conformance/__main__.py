"""`python -m conformance`, and `icetcp`."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path
from typing import NoReturn

_UNIQUE = "icetcp"  # the module that imports the other packages from beside this one


def main() -> NoReturn:
    """Run the command line. An interrupt while it is being loaded ends it without a word, a late one is dropped."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from conformance.run import bytecode

    bytecode.keep()
    from conformance.commands import cli
    from conformance.run import interrupts

    signal.signal(signal.SIGINT, before)
    try:
        cli.main()
    finally:
        interrupts.done()


def _started_as_a_module() -> None:
    """Run it although the current folder, in which Python looks first, may have a `reports` or `fuzz` of its own."""
    spec = importlib.util.spec_from_file_location(_UNIQUE, Path(__file__).resolve().parents[1] / f"{_UNIQUE}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[_UNIQUE] = unique = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unique)
    unique.main()


if __name__ == "__main__":
    _started_as_a_module()
