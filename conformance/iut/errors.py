"""What can go wrong with an adapter or a stack, in words that name the remedy where there is one."""

from __future__ import annotations


class StackError(Exception):
    """A stack cannot be used: unknown, not built, not installed."""


class UnknownStack(StackError):
    """No stack has this name."""


class AdapterError(Exception):
    """An adapter does not keep the contract."""


class AdapterDied(AdapterError):
    """The adapter's process ended while something was asked of it."""


class AdapterHung(AdapterError):
    """The adapter did not answer, or did not read, in time."""


class AdapterClosed(AdapterHung):
    """The adapter closed its stdout and went on running."""


class AdapterGarbage(AdapterError):
    """The adapter wrote something that is not JSON-RPC 2.0."""


class AdapterFlooded(AdapterGarbage):
    """The adapter wrote a line without end, or more than anybody can read."""


class RpcError(AdapterError):
    """The adapter answered with an error object (JSON-RPC 2.0 section 5.1)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
