"""A person at a terminal with a device: python bench_person.py DEVICE_COMMAND -- ICETCP_COMMAND...

Starts the tester with a pseudo-terminal as stdin and stderr, reads there what a person reads, and operates the device,
which is an adapter. Ends with the tester's exit status.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

_RULE = "-" * 72


class Device:
    """An adapter, called as a person presses buttons."""

    def __init__(self, command: str) -> None:
        self._program = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._number = 0

    def call(self, method: str, **params: object) -> dict:
        self._number += 1
        line = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": {"session": "only", **params}}
        self._program.stdin.write(json.dumps(line).encode() + b"\n")
        self._program.stdin.flush()
        while (answer := json.loads(self._program.stdout.readline())).get("id") != self._number:
            pass
        return answer["result"]

    def end(self) -> None:
        self._program.stdin.close()
        self._program.wait()


class Terminal:
    """What the person sees and types."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._text = ""

    def until(self, *texts: str) -> tuple[str, str]:
        """Return the first of these texts that is shown, and what stood before it; ("", ...) when the tester has ended."""
        while True:
            found = [(self._text.index(text), text) for text in texts if text in self._text]
            if found:
                position, text = min(found)
                before, self._text = self._text[:position], self._text[position + len(text) :]
                return text, before
            try:
                octets = os.read(self._master, 65536)
            except OSError:
                octets = b""
            if not octets:
                return "", self._text
            self._text += octets.decode().replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())


def operate(terminal: Terminal, device: Device) -> None:
    while True:
        step, before = terminal.until(
            "Begin a new session; the device is the ", "skip, refused WORDS.", "Press Enter", "over:"
        )
        if not step:
            return
        if step.startswith("Begin"):
            _, side = terminal.until(".")
            device.call("open", side=side, addresses=["192.0.2.2"])
        elif step.startswith("skip"):
            said = device.call("describe", trickle=False)
            terminal.type(said["sdp"].replace("\r\n", "\n") + ".\n")
        elif step.startswith("Press"):
            kind = "offer" if "Give this offer" in before else "answer"
            text = before.split(_RULE)[-2].strip("\n")
            device.call("accept", type=kind, sdp="".join(f"{line}\r\n" for line in text.split("\n")))
            terminal.type("\n")
        else:
            device.call("close")


def main() -> int:
    split = sys.argv.index("--")
    master, slave = os.openpty()
    tester = subprocess.Popen(sys.argv[split + 1 :], stdin=slave, stderr=slave)
    os.close(slave)
    device = Device(" ".join(sys.argv[1:split]))
    operate(Terminal(master), device)
    device.end()
    return tester.wait()


if __name__ == "__main__":
    sys.exit(main())
