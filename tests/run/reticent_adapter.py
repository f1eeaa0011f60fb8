"""An adapter that tells little of its stack: the reference agent without the notifications and PICS named here.

    reticent_adapter.py [--hide NOTIFICATION ...] [--drop KEY ...] [--only] -- arguments of the agent

`--only` keeps of the PICS only the keys named by `--drop`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading


def main() -> int:
    """Pass lines on in both directions until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hide", action="append", default=[])
    parser.add_argument("--drop", action="append", default=[])
    parser.add_argument("--only", action="store_true")
    options, more = parser.parse_known_args()
    command = [sys.executable, "-m", "conformance.agent", *(word for word in more if word != "--")]
    agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    threading.Thread(target=_back, args=(agent, options), daemon=True).start()
    assert agent.stdin is not None
    for line in sys.stdin.buffer:
        agent.stdin.write(line)
        agent.stdin.flush()
    agent.stdin.close()
    return agent.wait()


def _back(agent: subprocess.Popen[bytes], options: argparse.Namespace) -> None:
    """Hand on what the agent says, but for what is to be hidden."""
    assert agent.stdout is not None
    for line in agent.stdout:
        message = json.loads(line)
        if message.get("method") in options.hide:
            continue
        pics = (message.get("result") or {}).get("pics")
        if pics is not None:
            kept = {key: value for key, value in pics.items() if (key in options.drop) is options.only}
            if "reports" in kept:
                kept["reports"] = [what for what in kept["reports"] if what not in options.hide]
            message["result"]["pics"] = kept
            line = json.dumps(message).encode() + b"\n"
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
