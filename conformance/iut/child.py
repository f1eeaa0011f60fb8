"""A child process that cannot hang, flood or outlive us, whatever program it is.

It gets a session of its own, so that one signal reaches all that it starts; what leaves even that session is known by a
cookie in its environment. A watchdog holds a pipe from us: when we die, by SIGKILL too, the pipe's end wakes it, and it
ends the child. No thread ever blocks on the child: reads are selected, writes have a deadline.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import selectors
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_COOKIE = "ICETCP_ADAPTER"
_LAST_WORDS_WITHIN = 0.5  # seconds for what is left in the pipes after the end
_SILENT_WITHIN = 1.0  # seconds to end in after stdout was closed
_PROGRAM_WITHIN = 2.0  # seconds for a process that is just being given a new program
_CHUNK = 1 << 16
_STDERR_LINE = 4096
_WATCHDOG = f"""
read _
kill -KILL -- "-$0"
for pause in 1 0; do  # a process that is just being given a new program shows its environment only afterwards
    for file in $(grep -ls "{_COOKIE}=$1" /proc/[0-9]*/environ); do
        file=${{file#/proc/}}
        kill -KILL "${{file%/environ}}"
    done
    sleep $pause
done
"""
_BY_SIGNAL = 128  # a shell's exit status for a signal, without its number
_PROC = Path("/proc")


class LineTooLong(Exception):
    """A line of the child exceeds the limit."""


class _Lines:
    """Puts lines together from what a pipe brings."""

    def __init__(self, limit: int, *, cut: bool) -> None:
        self._limit = limit
        self._cut = cut
        self._rest = bytearray()

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Yield the complete lines without their ends. One beyond the limit is cut, or raises `LineTooLong`."""
        searched = len(self._rest)
        self._rest += octets
        start = 0
        while (end := self._rest.find(b"\n", max(start, searched))) >= 0:
            yield bytes(self._rest[start:end])
            start = end + 1
        del self._rest[:start]
        if len(self._rest) > self._limit:
            if not self._cut:
                raise LineTooLong
            yield bytes(self._rest)
            self._rest.clear()

    def finish(self) -> Iterator[bytes]:
        """Yield a last line that has no end."""
        if self._rest:
            yield bytes(self._rest)
            self._rest.clear()


class Child:
    """A running program. Its output goes, line by line, to callbacks in a thread of its own."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        line_limit: int,
        on_line: Callable[[bytes], None],
        on_stderr: Callable[[str], None],
        on_end: Callable[[str], None],
        on_fault: Callable[[BaseException], None],
    ) -> None:
        """Start it; nothing is read before `listen`. Raises `OSError` if it cannot be started.

        `on_end` gets how it ended; `on_fault` gets `LineTooLong`, `TimeoutError` (it closed its stdout and goes on) or
        what another callback raised, and no more lines come after that.
        """
        self._cookie = secrets.token_hex(8)
        self._popen = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **environment, _COOKIE: self._cookie},
        )
        self.pid = self._popen.pid
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, str(self.pid), self._cookie],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._popen.stdin is not None
        self._stdin = self._popen.stdin
        os.set_blocking(self._stdin.fileno(), False)
        self._out = _Lines(line_limit, cut=False)
        self._err = _Lines(_STDERR_LINE, cut=True)
        self._on_line, self._on_stderr = on_line, on_stderr
        self._on_end, self._on_fault = on_end, on_fault
        self._writing = threading.Lock()
        self._reaping = threading.Lock()
        self._reaped = False
        self._deaf = False
        self.exited = threading.Event()
        self._woken, self._wake = os.pipe()
        self._threads = [
            threading.Thread(target=target, name=f"{name}-{self.pid}", daemon=True)
            for name, target in (("adapter", self._serve), ("reaper", self._reap))
        ]

    def listen(self) -> None:
        """Begin to call the callbacks."""
        for thread in self._threads:
            thread.start()

    # -- towards it ----------------------------------------------------------------------------------------------

    def write(self, octets: bytes, within: float) -> None:
        """Give it octets. Raises `TimeoutError` if it takes none of them for `within` seconds.

        That it has ended is `on_end`'s business. Whoever writes before us has the same patience; that our own threads
        take long to have their turn on a busy machine is not the child's fault.
        """
        with self._writing:
            try:
                self._write(memoryview(octets), within)
            except TimeoutError:
                raise
            except (OSError, ValueError):
                return  # its end of the pipe, or ours, is closed

    def _write(self, view: memoryview, within: float) -> None:
        descriptor = self._stdin.fileno()
        while view:
            try:
                view = view[os.write(descriptor, view) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(descriptor, select.POLLOUT)
                if not poll.poll(within * 1000):
                    raise TimeoutError from None

    def end_input(self) -> bool:
        """Close its stdin; False if it is being written to, by somebody whom it makes wait."""
        if not self._writing.acquire(timeout=_LAST_WORDS_WITHIN):
            return False
        try:
            with contextlib.suppress(OSError):
                self._stdin.close()
        finally:
            self._writing.release()
        return True

    def signal_group(self, number: int) -> None:
        """Signal it and all of its session. Not once it is reaped: its number may be another's then."""
        with self._reaping, contextlib.suppress(ProcessLookupError, PermissionError):
            if not self._reaped:
                os.killpg(self.pid, number)

    @property
    def running(self) -> bool:
        """Whether it has not ended; this may be known before `on_end` has told."""
        with self._reaping:
            return not self._reaped and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None

    def kill(self) -> None:
        """End it and whatever it started, now, and wait until that is done."""
        self.signal_group(signal.SIGKILL)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2.0)
        self.end_input()

    # -- from it -------------------------------------------------------------------------------------------------

    def _reap(self) -> None:
        """Wait for its end, end what it leaves behind, and only then give its number back to the system."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.signal_group(signal.SIGKILL)
        with self._reaping:
            self._popen.wait()
            self._reaped = True
        self._sweep()
        self._watchdog.kill()
        self._watchdog.wait()
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()
        self.exited.set()
        os.close(self._wake)

    def _sweep(self) -> None:
        """End what has left the session but not the environment."""
        mark = f"{_COOKIE}={self._cookie}".encode()
        left, deadline = list(_PROC.glob("[0-9]*")), time.monotonic() + _PROGRAM_WITHIN
        while (left := [folder for folder in left if _is_unknown(folder, mark)]) and time.monotonic() < deadline:
            time.sleep(0.001)

    def _serve(self) -> None:
        """Read both outputs until it has ended and they have, or nearly."""
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._popen.stdout, selectors.EVENT_READ, self._take_output)
                selector.register(self._popen.stderr, selectors.EVENT_READ, self._take_errors)
                selector.register(self._woken, selectors.EVENT_READ, None)
                self._watch(selector)
        finally:
            self.exited.wait()
            for stream in (self._popen.stdout, self._popen.stderr):
                stream.close()
            os.close(self._woken)
        self._finish()

    def _watch(self, selector: selectors.BaseSelector) -> None:
        deadline: float | None = None
        while selector.get_map():
            ready = selector.select(None if deadline is None else max(0.0, deadline - time.monotonic()))
            # An answer may end a case and its log: what was written to stderr before it comes first.
            for key, _ in sorted(ready, key=lambda event: bool(event[0].data == self._take_output)):
                if key.data is None:
                    selector.unregister(key.fileobj)
                    deadline = time.monotonic() + _LAST_WORDS_WITHIN
                elif not key.data(os.read(key.fd, _CHUNK)):
                    selector.unregister(key.fileobj)
                    if key.data == self._take_output and deadline is None:
                        deadline = time.monotonic() + _SILENT_WITHIN
            if deadline is not None and time.monotonic() >= deadline:
                if self.exited.is_set():
                    return  # whoever still holds the pipes has escaped us; we do not wait for it
                if self._reaped:  # it has ended; `_reap` is at what it leaves behind, and wakes us
                    deadline = None
                    continue
                self._fault(TimeoutError())
                self.signal_group(signal.SIGKILL)
                deadline = None

    def _take_output(self, octets: bytes) -> bool:
        try:
            for line in self._out.feed(octets) if octets else self._out.finish():
                if not self._deaf and line.strip():
                    self._on_line(line)
        except Exception as error:
            self._fault(error)
        return bool(octets)

    def _take_errors(self, octets: bytes) -> bool:
        try:
            for line in self._err.feed(octets) if octets else self._err.finish():
                self._on_stderr(line.decode(errors="replace").rstrip())
        except Exception as error:
            self._fault(error)
        return bool(octets)

    def _fault(self, error: BaseException) -> None:
        if not self._deaf:
            self._deaf = True
            self._on_fault(error)

    @property
    def signalled(self) -> bool:
        """Whether it was ended by a signal, or says as a shell does that what it had started was."""
        status = self._popen.returncode or 0
        return status < 0 or _BY_SIGNAL < status <= _BY_SIGNAL + signal.SIGRTMAX

    @property
    def failed(self) -> bool:
        """Whether it ended with another status than 0."""
        return bool(self._popen.returncode)

    @property
    def how(self) -> str:
        """In words, how it has ended."""
        status = self._popen.returncode
        if status >= 0:
            return f"exited with status {status}"
        names = {member.value: member.name for member in signal.Signals}
        return f"was killed by {names.get(-status, f'signal {-status}')}"

    def _finish(self) -> None:
        self._on_end(self.how)


def _is_unknown(folder: Path, mark: bytes) -> bool:
    """End a process whose environment has the mark. True if this cannot be told yet.

    While execve works, a process has a program and neither arguments nor an environment. Its parent may already know
    that execve succeeds. A zombie and a thread of the kernel have no program.
    """
    with contextlib.suppress(OSError):
        environment = (folder / "environ").read_bytes()
        if mark in environment:
            os.kill(int(folder.name), signal.SIGKILL)
        return not environment and not (folder / "cmdline").read_bytes() and bool((folder / "exe").readlink())
    return False
