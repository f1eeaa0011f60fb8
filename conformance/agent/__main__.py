"""`python -m conformance.agent`: the reference agent as an adapter on standard input and output."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import resource
import sys

from conformance.agent.adapter import Adapter
from conformance.agent.rpc import Server

_FEWER_COLLECTIONS = 10_000  # objects made between two: sessions end by reference counts, cycles are few


def main() -> int:
    """Run the adapter until standard input ends; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m conformance.agent", description=__doc__)
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME", help="break one requirement (repeatable)"
    )
    parser.add_argument(
        "--payload", choices=("raw", "dtls"), default="raw", help="what goes over selected connections (default: raw)"
    )
    parser.add_argument(
        "--told-role", action="store_true", help="leave the role to the caller, who tells it by the wish role of open"
    )
    parser.add_argument("--list-faults", action="store_true", help="print the faults and exit")
    options = parser.parse_args()
    if options.list_faults or options.fault:
        from conformance.agent import faults  # the healthy agent does not wait for it
    if options.list_faults:
        for fault in faults.FAULTS:
            sys.stdout.write(f"{fault.name}\t{fault.requirement}\t{fault.summary}\n")
        return 0
    unknown = sorted(set(options.fault) - faults.BY_NAME.keys()) if options.fault else []
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)} (--list-faults lists them)")
    _raise_descriptor_limit()
    gc.freeze()
    gc.set_threshold(_FEWER_COLLECTIONS)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_serve(_adapter(options)))
    return 0


def _adapter(options: argparse.Namespace) -> Adapter:
    return Adapter(frozenset(options.fault), secured=options.payload == "dtls", told_role=options.told_role)


async def _serve(adapter: Adapter) -> None:
    await Server(adapter).run()


def _raise_descriptor_limit() -> None:
    """Allow as many open sockets as the system lets us: one process serves many sessions."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # nothing is left to be put in order, and the tester waits for the end
