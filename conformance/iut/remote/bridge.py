"""Stands for an adapter behind a port: stdin goes there, what comes from there goes to stdout.

    python -m conformance.iut.remote.bridge HOST PORT

The end of stdin half-closes the connection, as the contract's end of input; the adapter then ends the connection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading

_WITHIN = 8.0  # seconds to connect in: a hello has ten
_CHUNK = 1 << 16
_REMEDIES = {
    ConnectionRefusedError: "nothing listens there; start it, as in: socat TCP-LISTEN:{port},fork EXEC:./adapter",
    TimeoutError: "no answer within 8 s; is the address right, and does a firewall let port {port} through?",
}


def main(host: str, port: int) -> int:
    """Carry octets both ways until the other side ends the connection."""
    try:
        connection = socket.create_connection((host, port), _WITHIN)
    except OSError as error:
        remedy = next(
            (f"; {text.format(port=port)}" for kind, text in _REMEDIES.items() if isinstance(error, kind)), ""
        )
        _say(f"cannot connect to {host} port {port}: {error.strerror or error}{remedy}")
        return 1
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    threading.Thread(target=_send, args=(connection,), daemon=True).start()
    return _receive(connection, f"{host} port {port}")


def _send(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while octets := os.read(0, _CHUNK):
            connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)


def _receive(connection: socket.socket, name: str) -> int:
    try:
        while octets := connection.recv(_CHUNK):
            view = memoryview(octets)
            while view:
                view = view[os.write(1, view) :]
    except BrokenPipeError:
        return 0  # the tester does not read any more
    except OSError as error:
        _say(f"the connection to {name} broke: {error.strerror}")
        return 1
    _say(f"{name} ended the connection")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
