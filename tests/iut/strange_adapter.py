"""An adapter that misbehaves as told: from its start by its argument, or in a session by a method's name."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

MODE = sys.argv[1] if len(sys.argv) > 1 else ""
HELLO = {"name": "strange", "version": "1", "pics": {"sessions": int(os.environ.get("SESSIONS", "1"))}}
SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
stdout = sys.stdout.buffer
writing = threading.Lock()


def write(text):
    with writing:
        stdout.write(text.encode() if isinstance(text, str) else text)
        stdout.flush()


def put(**message):
    write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")


def answer(request, result):
    put(id=request["id"], result=result)


def notify(session, text="", method="data"):
    put(method=method, params={"session": session, "data": text})


def grandchild(request, **options):
    child = subprocess.Popen(SLEEPER, **options)
    answer(request, {"pid": child.pid})


def serve(request, session):
    method, params = request["method"], request["params"]
    if method == "echo":
        notify(session, params.get("text", ""))
        answer(request, {"text": params.get("text", "")})
    elif method == "after":  # answers when it has served the next call
        held.append(request)
    elif method == "exit":
        print("the last thing it said", file=sys.stderr, flush=True)
        os._exit(params.get("status", 3))
    elif method == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif method == "hang":
        pass
    elif method == "stop":
        time.sleep(60)
    elif method == "write":
        write((params["text"] * params.get("times", 1)).encode("latin-1"))
        answer(request, {})
    elif method == "flood":
        block = "".join(json.dumps(note(params["session"], "x" * 1000)) + "\n" for _ in range(1000))
        while True:
            write(block)
    elif method == "stray":
        block = json.dumps(note("nobody", "")) + "\n"
        while True:
            write(block * 1000)
    elif method == "say":
        print(params["text"] * params.get("times", 1), file=sys.stderr, flush=True)
        answer(request, {})
    elif method == "hush":
        os.close(1)
        time.sleep(60)
    elif method == "orphan":
        grandchild(request)
    elif method == "escape":
        grandchild(request, start_new_session=True)
    elif method == "result":
        put(id=request["id"], **params["message"])
    elif method == "pid":
        answer(request, {"pid": os.getpid()})
    else:
        put(id=request["id"], error={"code": -32601, "message": f"no {method} here"})
        return
    if held and held[0] is not request:
        answer(held.pop(), {})


def note(session, text):
    return {"jsonrpc": "2.0", "method": "data", "params": {"session": session, "data": text}}


held = []
if MODE == "exit":
    sys.exit("no licence found")
if MODE == "mute":
    time.sleep(60)
if MODE == "banner":
    print("Welcome!", flush=True)
if MODE == "grandchild-at-start":
    subprocess.Popen(SLEEPER)
    sys.exit(4)
for line in sys.stdin:
    call = json.loads(line)
    if call["method"] == "hello":
        if MODE == "stays":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if MODE == "refuses-version":
            put(id=call["id"], error={"code": -32602, "message": "only protocol 7 here"})
        else:
            more = {"version-7": {"protocol": 7}, "no-pics": {"pics": None}, "no-sessions": {"pics": {"sessions": 0}}}
            answer(call, {**HELLO, **more.get(MODE, {})})
    elif MODE == "yes":
        answer(call, {})
    elif MODE == "wrong-code":
        put(id=call["id"], error={"code": -1, "message": "what?"})
    else:
        serve(call, call["params"].get("session"))
if MODE == "stays":
    time.sleep(60)
