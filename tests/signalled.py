"""`icetcp`, which sends a signal to itself when a function of ours is called for the nth time.

python signalled.py MODULE OWNER NAME NTH before|after SIGNAL ARGUMENT...

OWNER is the class in the module, or empty. The signal comes before the function's work, or after it.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys

from conformance.commands import cli

module, owner, name, nth, when, number = sys.argv[1:7]
# These are imported here, so that nobody has taken a function by its name before it is replaced.
for early in (
    "conformance.run.plugin", "conformance.run.run", "conformance.run.reading", "reports.folder", "conformance.run.testers",
    "conformance.run.premise", "conformance.mutants.execution", "conformance.mutants.lawful", "conformance.mutants.reports",
    "conformance.nattable.captures", "conformance.nattable.execution", "conformance.commands.display",
    "conformance.commands.mutants_output", "conformance.commands.nat_table_output", "reports.junit", "reports.record",
):  # fmt: skip
    importlib.import_module(early)

place = importlib.import_module(module)
for part in owner.split(".") if owner else ():
    place = getattr(place, part)
original, count = getattr(place, name), itertools.count(1)


def called(*arguments, **named):
    mine = next(count)
    if mine == int(nth) and when == "before":
        os.kill(os.getpid(), int(number))
    result = original(*arguments, **named)
    if mine == int(nth) and when == "after":
        os.kill(os.getpid(), int(number))
    return result


if __name__ == "__main__":
    setattr(place, name, called)
    cli.main(sys.argv[7:])
