# SPDX-License-Identifier: GPL-2.0-or-later
"""The adapter of Janus: it starts a server and speaks with it by HTTP; each session is one handle of the echo test.

Janus answers offers and makes none. It gathers on every interface but loopback and cannot be told to leave UDP out.
Full and lite agents are two servers; each is started when it is first needed.
"""

from __future__ import annotations

import atexit
import http.client
import itertools
import json
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.iut.stacks.contract import INTERNAL, NO_PARAMS, REJECTED, Refused, Session, serve
else:  # a copy lies beside the built adapter
    from contract import INTERNAL, NO_PARAMS, REJECTED, Refused, Session, serve

ROOT = "/usr/lib"
WITHIN = 12.0  # seconds for an answer
STARTING = 10.0  # seconds for a server to start in
PICS = {
    "agent": ["full", "lite"],
    "sides": ["answerer"],
    "offers": ["active", "passive"],
    "connects": ["active", "passive"],
    "transports": ["tcp", "udp"],
    "families": [4, 6],
    "obeys": [],
    "role": "stack",
    "components": 1,
    "restart": True,
    "updates": True,
    "trickle": True,
    "consent": False,
    "sdp": "full",
    "profile": "webrtc",
    "payload": "dtls",
    "reports": [],
    "sessions": 16,
}
OF_SDP = (464, 465)  # Janus's codes of a description that it does not take
TRANSACTIONS = itertools.count(1)


def folder_of(kind: str) -> str:
    """Return where Debian keeps one kind of Janus's modules."""
    found = sorted(Path(ROOT).glob(f"*/janus/{kind}"))
    return str(found[0]) if found else f"{ROOT}/janus/{kind}"


class Server:
    """A Janus of our own, full or lite, with its HTTP API at a port of loopback."""

    def __init__(self, *, lite: bool) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="icetcp-janus-")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._port = port
        configuration = self._configured(port, lite=lite)
        command = ["janus", "-F", self._folder.name, "-C", str(configuration)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr)
        atexit.register(self.stop)
        self._await_start()

    def _configured(self, port: int, *, lite: bool) -> Path:
        folder = Path(self._folder.name)
        unused = sorted(file.name for file in Path(folder_of("plugins")).glob("*.so") if "echotest" not in file.name)
        others = sorted(file.name for file in Path(folder_of("transports")).glob("*.so") if "http" not in file.name)
        (folder / "janus.jcfg").write_text(
            f"""general: {{
  configs_folder = "{folder}"
  plugins_folder = "{folder_of("plugins")}"
  transports_folder = "{folder_of("transports")}"
  events_folder = "{folder_of("events")}"
  loggers_folder = "{folder_of("loggers")}"
  debug_level = 3
  debug_colors = false
}}
media: {{ ipv6 = true }}
nat: {{
  ice_tcp = true
  ice_lite = {str(lite).lower()}
  full_trickle = false
}}
plugins: {{ disable = "{",".join(unused)}" }}
transports: {{ disable = "{",".join(others)}" }}
""",
            encoding="utf-8",
        )
        (folder / "janus.transport.http.jcfg").write_text(
            f"""general: {{
  json = "plain", base_path = "/janus", http = true, port = {port}, ip = "127.0.0.1", https = false
}}
admin: {{ admin_http = false }}
""",
            encoding="utf-8",
        )
        (folder / "janus.plugin.echotest.jcfg").write_text("general: {}\n", encoding="utf-8")
        return folder / "janus.jcfg"

    def _await_start(self) -> None:
        end = time.monotonic() + STARTING
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise Refused(INTERNAL, f"janus ended with status {self._process.returncode}; its log says why")
            try:
                self._exchange("GET", "/info", "", 1)
                return
            except OSError:
                time.sleep(0.05)
        raise Refused(INTERNAL, "janus did not start")

    def _exchange(self, method: str, path: str, body: str, within: float) -> Any:
        """Return what a request is answered, which is JSON. Raises `OSError` and `ValueError`."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=within)
        try:
            connection.request(method, f"/janus{path}", body or None, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        except http.client.HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()

    def call(self, path: str, method: str, **more: Any) -> dict[str, Any]:
        """Send a request of Janus's API and return what it answers at once. Raises `Refused`."""
        asked = {"janus": method, "transaction": f"t{next(TRANSACTIONS)}", **more}
        try:
            answer = self._exchange("POST", path, json.dumps(asked), WITHIN)
        except (OSError, ValueError) as error:
            raise Refused(INTERNAL, f"janus: {error}") from None
        if answer.get("janus") == "error":
            said = answer["error"]
            raise Refused(REJECTED if said.get("code") in OF_SDP else INTERNAL, f"janus: {said.get('reason')}")
        assert isinstance(answer, dict)
        return answer

    def events(self, path: str) -> list[dict[str, Any]]:
        """Wait for events of a session; none when it has ended."""
        found = self._exchange("GET", f"{path}?maxev=5", "", 60)
        return found if isinstance(found, list) else [found]

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._folder.cleanup()


class Servers:
    """The servers of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[bool, Server] = {}

    def get(self, *, lite: bool) -> Server:
        """Return the server for full or lite agents; it is started when it is first asked for."""
        with self._lock:
            if lite not in self._made:
                self._made[lite] = Server(lite=lite)
            return self._made[lite]


SERVERS = Servers()


class Handle(Session):
    """A session of Janus with one handle of its echo test."""

    def open(self, params: dict[str, Any]) -> None:
        """Make the handle."""
        if params["side"] != "answerer" or params.get("components", 1) > 1 or params.get("media") == "bytes":
            raise Refused(NO_PARAMS, "Janus answers; one component, packets")
        if params.get("ice_servers"):
            raise Refused(NO_PARAMS, "its ICE servers are not a session's")
        self._server = SERVERS.get(lite=params.get("agent") == "lite")
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._session = f"/{self._server.call('', 'create')['data']['id']}"
        handle = self._server.call(self._session, "attach", plugin="janus.plugin.echotest")["data"]["id"]
        self._handle = f"{self._session}/{handle}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Take the session's events until it is over."""
        while True:
            try:
                events = self._server.events(self._session)
            except (OSError, ValueError):
                return
            for event in events:
                if (
                    event.get("jsep")
                    or event.get("janus") == "error"
                    or "error" in event.get("plugindata", {}).get("data", {})
                ):
                    self._answers.put(event)
                elif event.get("janus") in ("hangup", "webrtcup", "slowlink"):
                    sys.stderr.write(f"{self.name}: {event['janus']} {event.get('reason', '')}\n")

    def accept(self, params: dict[str, Any]) -> None:
        """Give it an offer."""
        jsep = {"type": params["type"], "sdp": params["sdp"], "trickle": "a=end-of-candidates" not in params["sdp"]}
        self._server.call(self._handle, "message", body={"audio": False, "video": False}, jsep=jsep)

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Wait for its answer, which holds all its candidates."""
        try:
            event = self._answers.get(timeout=WITHIN)
        except queue.Empty:
            raise Refused(INTERNAL, "janus gave no answer") from None
        if "jsep" not in event:
            said = event.get("error") or event.get("plugindata", {}).get("data", {})
            raise Refused(REJECTED, str(said.get("reason") or said.get("error") or said))
        if params.get("trickle"):
            self.tell("candidate", candidate="", mid="0")
        return {"type": event["jsep"]["type"], "sdp": event["jsep"]["sdp"]}

    def trickle(self, params: dict[str, Any]) -> None:
        """Give it a candidate."""
        told = {"candidate": params["candidate"], "sdpMid": params.get("mid") or "0", "sdpMLineIndex": 0}
        self._server.call(self._handle, "trickle", candidate=told if params["candidate"] else {"completed": True})

    def close(self, _params: dict[str, Any]) -> None:
        """End the session."""
        self._server.call(self._session, "destroy")


def main() -> None:
    """Serve stdin until it ends."""
    said = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "janus"], capture_output=True, text=True, check=False
    )
    serve(Handle, {"name": "Janus", "version": said.stdout, "pics": PICS})


if __name__ == "__main__":
    main()
