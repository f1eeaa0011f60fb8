"""What tests on several machines share."""

from __future__ import annotations

from conftest import runs, until  # type: ignore[import-not-found]


def on(one: dict, machine: str) -> bool:
    return f"10.77.{'ab'.index(machine) + 1}.2" in one["worker"]


def pieces(machines, *names, **more):
    return [{"name": name, "number": number, "hold": machines.hold(name), **more} for number, name in enumerate(names)]


def begun_on_each(machines, client) -> dict[str, str]:
    """Wait until a piece has begun on each of two machines, program and child; return the pieces' names."""

    def found() -> dict[str, str]:
        return {machine: one["piece"] for machine in "ab" for one in client.events("begun") if on(one, machine)}

    until(lambda: len(found()) == 2, "a piece on each machine")
    until(lambda: all(machines.pids(name) for name in found().values()), "the programs of the pieces")
    return found()


def gone(machines, *names) -> bool:
    return not any(map(runs, machines.pids(*names)))
