"""The signals that end a run or a campaign in order, with its reports."""

from __future__ import annotations

import signal

# What asks a program to end, and would end it by itself: terminals, service managers, batch systems before they kill.
ENDING = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGXCPU,
)
