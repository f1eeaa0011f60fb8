"""`python -m conformance`, and `icetcp`."""

from __future__ import annotations

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; an interrupt while it is still being loaded ends it without a word."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from conformance.commands import cli

    signal.signal(signal.SIGINT, before)
    cli.main()


if __name__ == "__main__":
    main()
