"""`icetcp judge` while it reads: from a pipe, with progress, until Ctrl-C; notes on what could not be used."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.commands import judge_progress as judge_watch
from conformance.commands.judge import judge
from conformance.commands.judge_progress import Watch
from pcaps.golden.build import FOLDER
from pcaps.pcapng import CaptureError

CAPTURE = FOLDER / "clean-controlling-offerer.pcapng"
SDP = ["--offer", str(FOLDER / "usual.offer.sdp"), "--answer", str(FOLDER / "usual.answer.sdp")]
COMMAND = [sys.executable, "-m", "conformance", "judge", *SDP]


def icetcp(*arguments: object):
    return CliRunner().invoke(judge, [str(argument) for argument in arguments], standalone_mode=False)


def test_from_stdin() -> None:
    done = subprocess.run([*COMMAND, "-"], input=CAPTURE.read_bytes(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert b"-: 25 packets" in done.stdout


def test_from_a_named_pipe(tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(CAPTURE.read_bytes()))
    writer.start()
    done = icetcp(pipe, *SDP)
    writer.join()
    assert done.return_value == 0, done.output


@pytest.mark.parametrize(("capture", "status"), [("clean-controlling-offerer", 3), ("broken-no-fingerprint", 1)])
def test_ctrl_c_ends_the_reading_and_what_was_read_is_judged(capture, status) -> None:
    octets = (FOLDER / f"{capture}.pcapng").read_bytes()
    child = subprocess.Popen([*COMMAND, "-", "missing.pcap"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False)
    assert child.stdin is not None
    child.stdin.write(octets)
    child.stdin.flush()
    read_all(child.pid)
    child.send_signal(signal.SIGINT)
    child.stdin.write(octets)  # a packet more, as the recording goes on
    out, _ = child.communicate(timeout=60)
    assert child.returncode == status, out
    assert b"the reading was interrupted" in out
    assert b"missing.pcap: not read" in out


def read_all(pid: int) -> None:
    """Wait until the child has emptied its pipe and waits for more, its handler for Ctrl-C long in place."""
    stdin = Path(f"/proc/{pid}/fd/0").open("rb", buffering=0)  # noqa: SIM115
    poll = threading.Event()
    with stdin:
        import array
        import fcntl
        import termios

        left = array.array("i", [1])
        for _ in range(600):
            fcntl.ioctl(stdin, termios.FIONREAD, left)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if not left[0] and state == "S":
                return
            poll.wait(0.05)
    pytest.fail("the command did not read its stdin")


def test_a_second_ctrl_c_ends_the_process() -> None:
    with Watch() as watch:
        os.kill(os.getpid(), signal.SIGINT)
        assert watch.interrupted
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_progress_is_shown_on_a_terminal_and_wiped_away(monkeypatch, capsys) -> None:
    monkeypatch.setattr(judge_watch, "_FIRST", 0)
    monkeypatch.setattr(judge_watch, "_LOOK", 10)
    watch = Watch()
    watch._shows = True
    assert len(list(watch.packets(CAPTURE))) == 25
    shown = capsys.readouterr().err
    assert re.search(rf"\r{re.escape(str(CAPTURE))}: 10 packets, \d+ % ", shown)
    assert shown.endswith("\r\x1b[K")
    watch.interrupted = True
    with pytest.raises(CaptureError, match="interrupted"):
        list(watch.packets(CAPTURE))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--agent", "offerer"], "--agent 'offerer' is not an IP address"),
        (["--agent", "203.0.113.5"], "no connectivity check of 203.0.113.5 over TCP was found"),
        (
            ["--credentials", "other:22charactersOfPassword"],
            "note: no check names other; do the descriptions or passwords",
        ),
        (["--offer", FOLDER / "clean-restart.offer.sdp"], "note: no check names Lfrg2"),
    ],
)
def test_what_does_not_fit_the_capture_is_said(arguments, words) -> None:
    assert words in icetcp(CAPTURE, *arguments).output


def test_a_link_type_that_cannot_be_read_is_named(tmp_path) -> None:
    path = tmp_path / "wireless.pcap"
    path.write_bytes(b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\0\0\4\0\x69\0\0\0" + bytes(8) + b"\1\0\0\0\1\0\0\0x")
    done = icetcp(path)
    assert done.return_value == 3
    assert "note: 1 packets are of link type 105, which cannot be read" in done.output


def test_captures_of_the_same_name_stay_apart(tmp_path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "call.pcapng").write_bytes(CAPTURE.read_bytes())
    done = icetcp(tmp_path / "a" / "call.pcapng", tmp_path / "b" / "call.pcapng", *SDP, "--out", tmp_path / "out")
    assert done.return_value == 0
    text = (tmp_path / "out" / "junit.xml").read_text()
    assert "a/call.pcapng" in text
    assert "b/call.pcapng" in text


def test_a_connection_is_drawn_once() -> None:
    done = icetcp(FOLDER / "broken-no-integrity.pcapng", *SDP)
    assert done.output.count("SYN-ACK") == 1
    assert "(on the connection drawn above)" in done.output
