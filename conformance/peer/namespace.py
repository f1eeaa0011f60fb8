"""Further networks of the run's own: made without anybody in them, and entered by a thread for a moment."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNET = 0x40000000


class Namespace:
    """A network namespace, which lasts until it is closed and the last socket made in it is.

    A socket stays in the network where it was made, whichever thread uses it.
    """

    def __init__(self) -> None:
        """Make one; this thread stays where it is. Raises `OSError`."""
        home = _current()
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                raise _last_error()
            try:
                self.descriptor = _current()
            finally:
                _enter(home)
        finally:
            os.close(home)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Let this thread, and the processes that it starts meanwhile, be in this network."""
        home = _current()
        try:
            _enter(self.descriptor)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


def _current() -> int:
    """Return a descriptor of the network that this thread is in."""
    return os.open(Path("/proc/thread-self/ns/net"), os.O_RDONLY)


def _enter(network: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(network, CLONE_NEWNET):
        raise _last_error()


def _last_error() -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code))
