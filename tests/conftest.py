"""What all tests share."""

from __future__ import annotations

import signal

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # started in the background: what we start would be deaf to Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
