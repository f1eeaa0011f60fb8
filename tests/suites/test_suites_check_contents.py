"""Which of an IUT's checks the cases about their contents look at."""

from __future__ import annotations

from types import SimpleNamespace

from conformance.suites import check_contents


class PeerOfBoth:
    """A tester with connections to both of the components that an IUT describes, though one was asked for."""

    def __init__(self) -> None:
        self.connections = ["component 1", "component 2"]
        self.aside: list[str] = []

    def set_aside(self, connection: str) -> None:
        self.connections.remove(connection)
        self.aside.append(connection)

    def connect(self, candidate: str) -> str:
        self.connections.append(f"to {candidate}")
        return self.connections[-1]


def test_no_connection_of_before_a_restart_counts(monkeypatch) -> None:
    """The checks on it have credentials of before, rightly."""
    tester = PeerOfBoth()
    restarted = SimpleNamespace(candidate=lambda **_kind: "the new candidate")
    monkeypatch.setattr(check_contents, "establish", lambda *_words, **_more: tester.connections[0])
    monkeypatch.setattr(check_contents, "restart", lambda *_words: restarted)
    monkeypatch.setattr(check_contents, "drive", lambda _peer, _iut, connections: tester.aside.append(connections[0]))
    assert check_contents.exchange_checks(None, tester, "offerer", "restarted") is restarted
    assert tester.connections == ["to the new candidate"]
    assert tester.aside == ["component 1", "component 2", "to the new candidate"]
