"""An adapter that tells little of its stack: the reference agent without the notifications and PICS named here.

    reticent_adapter.py [--hide NOTIFICATION ...] [--drop KEY ...] [--only] [--say KEY=JSON ...] [--deaf] [--refuse METHOD ...] [--without ADDRESS] -- arguments

`--only` keeps of the PICS only the keys named by `--drop`; `--say` gives one another value. `--deaf`: what the application sends before the stack is
connected is lost. `--refuse METHOD`: there is no such method. `--without ADDRESS`: the stack leaves this one out, whatever it is told.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading

_speaking = threading.Lock()


def main() -> int:
    """Pass lines on in both directions until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hide", action="append", default=[])
    parser.add_argument("--drop", action="append", default=[])
    parser.add_argument("--say", action="append", default=[])
    parser.add_argument("--only", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--refuse", action="append", default=[])
    parser.add_argument("--without")
    options, more = parser.parse_known_args()
    command = [sys.executable, "-m", "conformance.agent", *(word for word in more if word != "--")]
    agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    connected: set[str] = set()
    threading.Thread(target=_back, args=(agent, options, connected), daemon=True).start()
    assert agent.stdin is not None
    for line in sys.stdin.buffer:
        call = json.loads(line)
        if options.deaf and call["method"] == "send" and call["params"]["session"] not in connected:
            _say({"jsonrpc": "2.0", "id": call["id"], "result": {}})
            continue
        if call["method"] in options.refuse:
            _say({"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32601, "message": "no such method"}})
            continue
        if options.without and call["method"] == "open":
            kept = [address for address in call["params"]["addresses"] if address != options.without]
            line = json.dumps({**call, "params": {**call["params"], "addresses": kept}}).encode() + b"\n"
        agent.stdin.write(line)
        agent.stdin.flush()
    agent.stdin.close()
    return agent.wait()


def _say(message: object) -> None:
    with _speaking:
        sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
        sys.stdout.buffer.flush()


def _back(agent: subprocess.Popen[bytes], options: argparse.Namespace, connected: set[str]) -> None:
    """Hand on what the agent says, but for what is to be hidden."""
    assert agent.stdout is not None
    for line in agent.stdout:
        message = json.loads(line)
        if message.get("method") == "state" and message["params"]["state"] in ("connected", "completed"):
            connected.add(message["params"]["session"])
        if message.get("method") in options.hide:
            continue
        pics = (message.get("result") or {}).get("pics")
        if pics is not None:
            kept = {key: value for key, value in pics.items() if (key in options.drop) is options.only}
            if "reports" in kept:
                kept["reports"] = [what for what in kept["reports"] if what not in options.hide]
            said = (word.partition("=") for word in options.say)
            message["result"]["pics"] = kept | {key: json.loads(value) for key, _, value in said}
        _say(message)


if __name__ == "__main__":
    sys.exit(main())
