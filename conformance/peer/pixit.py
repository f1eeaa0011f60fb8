"""PIXIT: how long the lower tester waits, in seconds.

One figure scales them all (`icetcp run --timeout`), because a slow machine or a stack under a sanitizer is slow
throughout. An expectation that is met ends its wait at once; only failures and silences take the whole time.
"""

from __future__ import annotations

from dataclasses import dataclass

RESPONSE = 3.0
_DECIDING = 5.0  # a controlling agent's own criteria (RFC 8445 section 8.1.1), for one to wait for better pairs
_FREEING = 3.0  # RFC 8445 section 8.3: so long an agent waits before it frees what was not selected


@dataclass(frozen=True, slots=True)
class Pixit:
    """Deadlines of a run, in seconds.

    response: an answer to a check, data through an open connection.
    connect: the first connection or check of the IUT after it has both descriptions.
    complete: nomination by a controlling IUT (RFC 8445 section 8.1.1 leaves it its own criteria).
    decides: how long a controlling IUT may take at most before it has nominated, from the exchange of descriptions:
        until all transactions and the timer of RFC 8863 are over (39.5 s). Only a slow IUT is waited for that long.
    close: closing what is no longer needed (RFC 8445 section 8.3 lets an agent wait three seconds first).
    silence: how long nothing must come before it counts as not coming.
    retransmission: how long a retransmission, were there one, would at most keep us waiting (RFC 8445 section 14.3:
        the first after 500 ms, the second a second later).
    attempts: for as many attempts as the IUT wants to make at once, one each Ta (50 ms: RFC 8445 section 14.2).
    drip: between two parts of a frame that the IUT shall read separately.
    consent: the news that a connection is lost, of an IUT that notices by its consent alone, which lasts 30 s
        (RFC 7675 section 5.1).
    hopeless: the news that nothing can succeed any more: transactions and the timer of RFC 8863 take 39.5 s.
    idle: how long a selected pair may carry nothing before it counts as not kept alive (RFC 8445 section 11: 15 s by
        default, but an agent may choose more).
    keepalives: for one keepalive, and the next were it to come too soon: they are 15 s apart (RFC 8445 section 11).
    adapter: one call to the adapter, gathering included.
    """

    response: float = RESPONSE
    connect: float = 5.0
    complete: float = 8.0
    decides: float = 39.5
    close: float = 6.0
    silence: float = 0.4
    retransmission: float = 1.2
    attempts: float = 1.0
    drip: float = 0.02
    consent: float = 32.0
    hopeless: float = 46.0
    idle: float = 60.0
    keepalives: float = 16.0
    adapter: float = 15.0

    @classmethod
    def scaled(cls, response: float) -> Pixit:
        """Return deadlines in proportion to the one for a response, but for what has nothing to do with speed.

        That is the time an agent may wait by its own lights before it nominates or closes, and silences, which would
        no longer show what comes late. `attempts` and `drip` are paces, no deadlines.
        """
        factor = response / RESPONSE
        default = cls()
        return cls(
            response=response,
            connect=default.connect * factor,
            complete=_DECIDING + (default.complete - _DECIDING) * factor,
            decides=max(default.decides, default.decides * factor),
            close=_FREEING + (default.close - _FREEING) * factor,
            silence=default.silence * max(1.0, factor),
            retransmission=default.retransmission * max(1.0, factor),
            attempts=default.attempts,
            drip=default.drip,
            hopeless=max(default.hopeless, default.hopeless * factor),
            idle=default.idle,
            keepalives=default.keepalives,
            consent=max(default.consent, default.consent * factor),
            adapter=max(default.adapter, default.adapter * factor),
        )
