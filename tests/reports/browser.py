"""A headless Chromium that opens a page of ours, over the DevTools protocol on two pipes."""

import base64
import fcntl
import json
import os
import shutil
import signal
import tempfile
import threading

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]


def _pipe():
    """Return a pipe whose ends are none of the numbers that the browser wants."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 32) for end in ends]
    for end in ends:
        os.close(end)
    return high


class Browser:
    """One page. A context manager; `evaluate` awaits what an expression comes to."""

    def __enter__(self):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs, self._to = _pipe()
        self._from, theirs_too = _pipe()
        command = [CHROMIUM, *_SWITCHES, f"--user-data-dir={self._profile.name}", "about:blank"]
        quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (1, 2)]
        pipes = [(os.POSIX_SPAWN_DUP2, theirs, 3), (os.POSIX_SPAWN_DUP2, theirs_too, 4)]
        self._process = os.posix_spawn(CHROMIUM, command, dict(os.environ), file_actions=[*quiet, *pipes])
        os.close(theirs)
        os.close(theirs_too)
        self._rest, self._number, self._session, self.events = b"", 0, None, []
        self._watch = threading.Timer(
            120, os.kill, (self._process, signal.SIGKILL)
        )  # a browser that hangs ends the test, not the tester
        self._watch.start()
        try:
            self._attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _attach(self):
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self.call("Performance.enable", timeDomain="threadTicks")  # not what other programs take
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def __exit__(self, *_exc):
        self._watch.cancel()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        while b"\0" not in self._rest:
            octets = os.read(self._from, 1 << 20)
            if not octets:
                raise AssertionError("the browser has ended")
            self._rest += octets
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def open(self, address):
        """Open an address and wait until it has loaded: it, and not the page before, whose load may end late."""
        self.events.clear()
        loader = self.call("Page.navigate", url=address)["loaderId"]
        while not any(self._is_loaded(event, loader) for event in self.events):
            self.events.append(self._next())

    @staticmethod
    def _is_loaded(event, loader):
        said = event.get("params", {}) if event.get("method") == "Page.lifecycleEvent" else {}
        return said.get("name") == "load" and said["loaderId"] == loader

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, expression):
        """Wait until an expression is true."""
        return self.evaluate(
            "new Promise((done, fail) => { setTimeout(() => fail(new Error('it did not come true')), 60000);"
            " const look = () => { const found = (" + expression + ");"
            " if (found) done(found); else setTimeout(look, 5); }; look(); })"
        )

    def seconds(self):
        """Return the processor time that the page's main thread has had."""
        metrics = {one["name"]: one["value"] for one in self.call("Performance.getMetrics")["metrics"]}
        return metrics["TaskDuration"]

    def size(self, width, height, *, dark=False, media=""):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[feature])

    def screenshot(self, path):
        octets = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        path.write_bytes(octets)

    def said(self):
        """Return what went wrong on the page: exceptions, refused scripts, requests to anywhere."""
        bad = []
        for event in self.events:
            if event.get("method") == "Runtime.exceptionThrown":
                bad.append(event["params"]["exceptionDetails"])
            elif event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                bad.append(event["params"]["entry"]["text"])
            elif event.get("method") == "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                if not url.startswith(("file:", "blob:", "data:")):
                    bad.append(url)
        return bad
