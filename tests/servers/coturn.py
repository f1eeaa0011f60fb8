"""A real TURN server, coturn, for as long as a test needs it: TCP only, on loopback, nothing left behind."""

import contextlib
import shutil
import socket
import subprocess
import time

USER, PASSWORD, REALM = "icetcp", "a long secret", "example.org"
_CONF = """\
listening-ip={ip}
listening-port={port}
relay-ip={ip}
lt-cred-mech
user={user}:{password}
realm={realm}
no-udp
no-tls
no-dtls
no-cli
allow-loopback-peers
stale-nonce={stale}
log-file=stdout
verbose
pidfile={folder}/pid
userdb={folder}/db
"""


@contextlib.contextmanager
def coturn(folder, *, ip="127.0.0.1", stale=600):
    """Run the server; yield its port. Without the program the test fails, and says which package is missing."""
    program = shutil.which("turnserver")
    assert program, "coturn is not installed: apt-get install coturn (icetcp doctor --mend does it)"
    with socket.socket() as probe:
        probe.bind((ip, 0))
        port = probe.getsockname()[1]
    conf = folder / "turnserver.conf"
    conf.write_text(
        _CONF.format(ip=ip, port=port, user=USER, password=PASSWORD, realm=REALM, stale=stale, folder=folder)
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(conf)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            _await_listening(process, ip, port)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_listening(process, ip, port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "coturn ended at once"
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((ip, port), 1):
            return
        time.sleep(0.02)  # it tells nobody when it is ready
    raise AssertionError("coturn does not listen")
