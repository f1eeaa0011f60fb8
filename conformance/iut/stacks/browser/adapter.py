# SPDX-License-Identifier: GPL-2.0-or-later
"""The adapter of browsers: starts one headless, puts session.js into it, and carries lines to and fro.

In Firefox it goes into the parent process: only there its ICE (nICEr) has passive and simultaneous-open candidates, a
web page's has active ones alone. Chromium has active ones only.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = {"open", "describe", "accept", "trickle", "send", "restart", "close"}
PICS = {
    "agent": ["full"],
    "sides": ["offerer", "answerer"],
    "transports": ["tcp", "udp"],
    "families": [4, 6],
    "obeys": [],
    "role": "stack",
    "components": 2,
    "streams": 3,
    "restart": True,
    "updates": True,
    "trickle": True,
    "consent": True,
    "turn_over_tcp": True,
    "sdp": "full",
    "profile": "webrtc",
    "payload": "dtls",
    "reports": ["state", "data"],
    "sessions": 16,
}
PREFERENCES = {  # of Firefox
    "marionette.port": 0,
    "media.peerconnection.ice.tcp": True,
    "media.peerconnection.ice.tcp_so_sock_count": 5,  # connections of an S-O candidate
    "media.peerconnection.ice.default_address_only": False,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.mtransport_process": False,
    "network.process.enabled": False,
    # one process beside the parent, and nothing of its own on the network
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.region.network.url": "",
    "browser.safebrowsing.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.ipc.processCount": 1,
    "dom.ipc.processPrelaunch.enabled": False,
    "dom.push.connection.enabled": False,
    "extensions.update.enabled": False,
    "fission.autostart": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.manage-offline-status": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "",
}
SWITCHES = [  # of Chromium
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--js-flags=--expose-gc",  # a page may have 500 connections, closed ones included until they are collected
    "--allow-loopback-in-peer-connection",
    "--remote-debugging-pipe",
]
STARTED_WITHIN = 30.0  # seconds
EARLY_WITHIN = 6.0  # for what is answered without it
ENDS_WITHIN = 5.0  # for its process, once its connection is closed


def script(*names: str) -> str:
    """Return scripts of this folder, one after the other."""
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


class Marionette:
    """Firefox's remote control: LENGTH:[0, number, command, parameters] and LENGTH:[1, number, error, result]."""

    def __init__(self, port: int) -> None:
        self._stream = socket.create_connection(("127.0.0.1", port)).makefile("rwb")
        self._number = 0
        self._read()  # its greeting

    def call(self, command: str, **parameters: object) -> object:
        """Call a command. Raises `SystemExit` with Firefox's words if it fails."""
        self._number += 1
        octets = json.dumps([0, self._number, command, parameters]).encode()
        self._stream.write(b"%d:%s" % (len(octets), octets))
        self._stream.flush()
        _, _, error, result = self._read()
        if error:
            raise SystemExit(f"{command}: {error['error']}: {error['message']}")
        return result

    def _read(self) -> Any:
        digits = b""
        while (octet := self._stream.read(1)) != b":":
            if not octet:
                raise SystemExit("Marionette ended")
            digits += octet
        return json.loads(self._stream.read(int(digits)))


class Firefox:
    """Firefox, controlled by Marionette until session.js runs in it; what follows goes through a Unix socket."""

    program, name = "firefox-esr", "Firefox (nICEr)"
    offers = ("active", "passive", "so")

    def __init__(self, folder: Path) -> None:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
        (folder / "user.js").write_text("".join(lines), encoding="utf-8")
        command = [self.program, "--headless", "--no-remote", "--profile", str(folder), "--marionette"]
        command += ["--remote-allow-system-access", "about:blank"]
        environment = {**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)
        self._folder = folder

    def enter(self) -> None:
        """Start session.js in the parent process."""
        path = self._folder / "socket"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            self._marionette = Marionette(self._port())  # its session must last
            self._marionette.call("WebDriver:NewSession", capabilities={"alwaysMatch": {"pageLoadStrategy": "none"}})
            self._marionette.call("Marionette:SetContext", value="chrome")
            where = f"const SOCKET = {json.dumps(str(path))}"
            text = "\n".join([script("contract.js", "peerconnection.js", "session.js"), where, script("firefox.js")])
            run = {"script": text, "args": [], "sandbox": "system", "newSandbox": True}
            self._marionette.call("WebDriver:ExecuteScript", **run)
            self._connection, _ = server.accept()

    def _port(self) -> int:
        """Return the port that Marionette listens at: Firefox writes it into its profile."""
        end = time.monotonic() + STARTED_WITHIN
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return int((self._folder / "MarionetteActivePort").read_text(encoding="ascii"))
            except (OSError, ValueError):  # there is no event to wait for in another process's file
                time.sleep(0.05)
        raise SystemExit(f"Firefox did not start: {self.process.poll()}")

    def send(self, line: bytes) -> None:
        """Give session.js a line."""
        self._connection.sendall(line)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that session.js writes, until Firefox ends."""
        yield from self._connection.makefile("rb")


class Chromium:
    """Chromium, whose debugging protocol goes through a pair of pipes, each message ended by a null octet."""

    program, name = "chromium", "Chromium (libwebrtc)"
    offers = ("active",)

    def __init__(self, folder: Path) -> None:
        (theirs_in, out), (into, theirs_out) = os.pipe(), os.pipe()
        command = [self.program, *SWITCHES, f"--user-data-dir={folder}", "about:blank"]
        # Chromium reads from descriptor 3 and writes to 4, which it inherits from a shell
        shell = ["/bin/sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh", *command]
        environment = {**os.environ, "HOME": str(folder)}
        self.process = subprocess.Popen(
            shell, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, pass_fds=(theirs_in, theirs_out)
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._folder = folder
        self._out, self._in = os.fdopen(out, "wb"), os.fdopen(into, "rb")
        self._rest = b""
        self._number = 0
        self._page: dict[str, str] = {}
        self._writing = threading.Lock()

    def enter(self) -> None:
        """Start session.js in a page."""
        # what may use microphones may know all addresses, and only then Chromium has TCP candidates
        self._call("Browser.grantPermissions", permissions=["audioCapture", "videoCapture"])
        page = self._folder / "page.html"
        page.touch()
        target = self._call("Target.createTarget", url=page.as_uri())["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._page = {"sessionId": session}
        self._call("Runtime.enable")
        self._call("Runtime.addBinding", name="write")
        done = self._call("Runtime.evaluate", expression=script("contract.js", "peerconnection.js", "session.js"))
        if "exceptionDetails" in done:
            raise SystemExit(f"session.js: {done['exceptionDetails']}")

    def send(self, line: bytes) -> None:
        """Give session.js a line."""
        self._command("Runtime.evaluate", expression=f"serve({json.dumps(line.decode())})")

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that session.js writes, until Chromium ends."""
        for message in self._messages():
            if message.get("method") == "Runtime.bindingCalled":
                yield message["params"]["payload"].encode() + b"\n"

    def _command(self, method: str, **parameters: object) -> int:
        with self._writing:
            self._number += 1
            call = {"id": self._number, "method": method, "params": parameters, **self._page}
            self._out.write(json.dumps(call).encode() + b"\0")
            self._out.flush()
            return self._number

    def _call(self, method: str, **parameters: object) -> Any:
        number = self._command(method, **parameters)
        for message in self._messages():
            if message.get("id") == number:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]
        raise SystemExit("Chromium did not start")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            *whole, self._rest = self._rest.split(b"\0", 1) if b"\0" in self._rest else [self._rest]
            if whole:
                yield json.loads(whole[0])
                continue
            octets = os.read(self._in.fileno(), 1 << 16)
            if not octets:
                return
            self._rest += octets


def say(line: bytes) -> None:
    """Write a line to stdout in one piece, whichever thread it comes from."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def answer(call: dict[str, Any], **content: object) -> None:
    """Answer a call ourselves."""
    say(json.dumps({"jsonrpc": "2.0", "id": call["id"], **content}).encode() + b"\n")


def hello(kind: type[Firefox | Chromium]) -> dict[str, object]:
    """Return what there is to say of a browser."""
    words = subprocess.run([kind.program, "--version"], capture_output=True, text=True, check=True).stdout.split()
    version = next(word for word in words if word[0].isdigit())
    return {"name": kind.name, "version": version, "pics": {**PICS, "offers": kind.offers, "connects": kind.offers}}


def carry_in(browser: Firefox | Chromium, ready: Future[None], over: threading.Event) -> None:
    """Carry calls from stdin to session.js once it is there. When stdin ends, so does the browser, and then we do."""
    for line in sys.stdin.buffer:
        call = json.loads(line)
        if call["method"] == "hello":
            result = hello(type(browser))
            wait([ready], EARLY_WITHIN)  # if it is not there by then, the next call waits for it
            answer(call, result=result)
        elif call["method"] not in METHODS and not wait([ready], EARLY_WITHIN).done:
            answer(call, error={"code": -32601, "message": "no such method"})
        else:
            ready.result()
            browser.send(line)
    over.set()
    browser.process.kill()


def main() -> str:
    """Serve until stdin ends; return how the browser ended before that, if it did."""
    kinds: dict[str, type[Firefox | Chromium]] = {"firefox": Firefox, "chromium": Chromium}
    with tempfile.TemporaryDirectory(prefix="icetcp-", ignore_cleanup_errors=True) as folder:
        browser = kinds[sys.argv[1]](Path(folder))
        ready: Future[None] = Future()
        over = threading.Event()
        threading.Thread(target=carry_in, args=[browser, ready, over], daemon=True).start()
        try:
            browser.enter()
            ready.set_result(None)
            for line in browser.lines():
                say(line)
            return "" if over.is_set() else f"{browser.name} {ended(browser.process)}"
        finally:
            browser.process.kill()
            browser.process.wait()


def ended(process: subprocess.Popen[bytes]) -> str:
    """Return how a browser ended whose connection is closed."""
    try:
        status = process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        return "closed the connection to its adapter"
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


if __name__ == "__main__":
    try:
        trouble = main()
    except SystemExit as error:
        trouble = str(error)
    if trouble:
        sys.stderr.write(f"{trouble}\n")
        sys.stderr.flush()
    os._exit(1 if trouble else 0)  # a thread still reads stdin, and Python would abort at its ordinary end
