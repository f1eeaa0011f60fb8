"""The loop that the adapters in JavaScript share, in Node."""

import json
import shutil
import subprocess

import pytest

from conformance.iut.stacks.toolchains import SHARED_SCRIPT

ADAPTER = """
const { main, Refused, rejecting, NO_PARAMS } = require(process.argv[2])
class Session {
  constructor (name) { this.name = name; this.calls = [] }
  async open (p) { if (p.components > 1) throw new Refused(NO_PARAMS, 'one component'); return {} }
  async describe (p) { await new Promise(done => setTimeout(done, p.after)); this.calls.push(p.after); return { calls: this.calls } }
  async accept (p) { await rejecting(Promise.reject(new Error('no \u00e4'))) }
  async close () { tell('state', { session: this.name, state: 'closed' }); const error = new Error('odd'); error.code = 17; throw error }
}
const tell = main(Session, { name: 'small', version: '1', pics: {} })
"""


@pytest.fixture
def ask(tmp_path):
    if shutil.which("node") is None:
        pytest.skip("Node is not installed, without which no adapter in JavaScript runs")
    (tmp_path / "adapter.js").write_text(ADAPTER)

    def run(*calls, at_once=True):
        lines = [json.dumps({"jsonrpc": "2.0", "id": n, "method": m, "params": p}) for n, (m, p) in enumerate(calls)]
        command = ["node", str(tmp_path / "adapter.js"), str(SHARED_SCRIPT)]
        # its input stays open until all is answered: the adapter ends with it
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            answers, told = {}, []
            while len(answers) < len(calls):
                if lines and (at_once or len(answers) == len(calls) - len(lines)):
                    process.stdin.write(lines.pop(0) + "\n")
                    process.stdin.flush()
                    if at_once:
                        continue
                line = process.stdout.readline()
                assert line.isascii()
                message = json.loads(line)
                if "id" in message:
                    answers[message["id"]] = message.get("result", message.get("error"))
                else:
                    told.append(message)
            process.stdin.close()
            assert process.wait(10) == 0
        return [answers[number] for number in range(len(calls))], told

    return run


def test_calls_of_a_session_are_served_in_order_and_those_of_another_do_not_wait(ask):
    s, t = {"session": "s"}, {"session": "t"}
    answers, _ = ask(
        ("hello", {}),
        ("open", s),
        ("open", t),
        ("describe", {**s, "after": 200}),
        ("describe", {**s, "after": 0}),
        ("describe", {**t, "after": 0}),
    )
    assert answers[0]["name"] == "small"
    assert answers[4] == {"calls": [200, 0]}
    assert answers[5] == {"calls": [0]}


def test_errors_have_the_codes_of_the_contract(ask):
    s = {"session": "s"}
    answers, told = ask(
        ("describe", s),
        ("open", {**s, "components": 2}),
        ("describe", s),
        ("open", s),
        ("accept", s),
        ("send", s),
        ("constructor", s),
        ("invented", s),
        ("close", s),
        ("close", s),
        at_once=False,
    )
    no_session = {"code": -32602, "message": "no such session"}
    no_method = {"code": -32601, "message": "no such method"}
    rejected, odd = {"code": -32010, "message": "no ä"}, {"code": -32603, "message": "odd"}
    assert answers == [
        no_session,
        {"code": -32602, "message": "one component"},
        no_session,
        {},
        rejected,
        no_method,
        no_method,
        no_method,
        odd,
        no_session,
    ]
    assert [message["params"]["state"] for message in told] == ["closed"]
