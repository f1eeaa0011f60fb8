"""The lower tester of one case: an ICE-TCP peer that does what its script says.

It has credentials, candidates and connections of its own. What the script leaves open it does as a lawful full agent
would: it accepts connections on its passive candidates and answers valid checks with success. It sends nothing by
itself but those answers; every check, every nomination is the script's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from conformance.peer import describe
from conformance.peer.addresses import family_of
from conformance.peer.connecting import Connecting
from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess
from conformance.peer.identity import DIRECTION_PREFERENCE
from conformance.verdict import Failed, Inconclusive, Missing
from conformance.wire.candidate import Candidate, priority, tcp_local_preference
from conformance.wire.layers import RFC4571

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.peer.connection import Connection
    from conformance.peer.events import Frame
    from conformance.peer.identity import Credentials
    from conformance.wire.sdp import SessionDescription

DISCARD = 9
_HOST = 126
_NO_PUNCTUATION = {ord(mark): None for mark in ".:"}


class Peer(Connecting):
    """The lower tester of a case: what its scripts say, in the order of a session."""

    # -- candidates and descriptions -----------------------------------------------------------------------------

    def candidate(
        self,
        tcptype: str,
        *,
        component: int = 1,
        address: str | None = None,
        port: int | None = None,
        other: int = 8191,
        **change: Any,
    ) -> Candidate:
        """Return a host candidate by the recommended formula (RFC 6544 section 4.2).

        A passive one gets a listening socket, an active one port 9. `change` overrides any field.
        """
        address = address or self.address
        if port is None:
            port = DISCARD if tcptype == "active" else self.listen(component, address=address).port
        local = tcp_local_preference(DIRECTION_PREFERENCE[tcptype], other)
        fields: dict[str, Any] = {
            "foundation": f"{tcptype}{address}".translate(_NO_PUNCTUATION)[:32],
            "component": component,
            "transport": "TCP",
            "priority": priority(_HOST, local, component),
            "address": address,
            "port": port,
            "type": "host",
            "tcptype": tcptype,
        }
        return Candidate(**{**fields, **change})

    def candidates(self, tcptypes: str, components: int = 1) -> list[Candidate]:
        """Return one candidate per word of `tcptypes` and component."""
        return [
            self.candidate(tcptype, component=component)
            for component in range(1, components + 1)
            for tcptype in tcptypes.split()
        ]

    def offer(
        self,
        tcptypes: str = "active passive",
        *,
        components: int = 1,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return an offer with these candidates; the peer becomes controlling, unless it is lite (RFC 8445 6.1.1)."""
        self.controlling = not wishes.get("ice_lite", False)
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes, components) if candidates is None else list(candidates)
        return describe.offer(self, chosen, **wishes)

    def answer(
        self,
        to: SessionDescription,
        tcptypes: str = "active passive",
        *,
        components: int = 1,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return an answer that mirrors the IUT's media section; the peer becomes controlled, beside a lite IUT not."""
        self.controlling = to.ice_lite and not wishes.get("ice_lite", False)
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes, components) if candidates is None else list(candidates)
        return describe.answer(self, to, chosen, **wishes)

    def selecting_offer(self, theirs: Candidate) -> SessionDescription:
        """Return a lite agent's new offer that selects the pair of our active candidate and one of the IUT's.

        RFC 6544 section 6.1, RFC 8839 section 4.4.1.3.
        """
        named = f"remote-candidates:{theirs.component} {theirs.address} {theirs.port}"
        ours = [self.candidate("active", component=theirs.component)]
        return describe.later_offer(self, ours, ice_lite=True, setup="active", attributes=[named])

    def settled_offer(self, selected: Iterable[Connection], **wishes: Any) -> SessionDescription:
        """Return a later offer when ICE has completed: of each nominated pair our candidate alone.

        RFC 8839 section 4.4.1.2.2. Where we control, a=remote-candidates names the IUT's ones.
        """
        selected = list(selected)
        attributes = []
        if self.controlling:
            ends = ((c.component, c.remote_address.ip, c.remote_address.port) for c in selected)
            attributes.append("remote-candidates:" + " ".join(str(word) for end in ends for word in end))
        attributes += wishes.pop("attributes", [])
        mine = list(map(self._selected_candidate, selected))
        wishes = {**self._settled_place(selected[0], offered=True), **wishes}
        return describe.later_offer(self, mine, attributes=attributes, **wishes)

    def settled_answer(
        self, to: SessionDescription, selected: Iterable[Connection], **wishes: Any
    ) -> SessionDescription:
        """Return the answer to a later offer of the IUT's when ICE has completed."""
        selected = list(selected)
        mine = list(map(self._selected_candidate, selected))
        return describe.answer(self, to, mine, **{**self._settled_place(selected[0], offered=False), **wishes})

    def _selected_candidate(self, connection: Connection) -> Candidate:
        """Return our candidate of a nominated pair; that of a connection of ours is peer-reflexive."""
        address, port, component = connection.local_address.ip, connection.local_address.port, connection.component
        if not connection.outgoing:
            return self.candidate("passive", component=component, address=address, port=port)
        related: dict[str, Any] = {"type": "prflx", "related_address": address, "related_port": DISCARD}
        return self.candidate("active", component=component, address=address, port=port, **related)

    def _settled_place(self, connection: Connection, *, offered: bool) -> dict[str, Any]:
        """Return what a media section says of a nominated pair whose connection exists (RFC 4145 section 5)."""
        if self.profile != "plain":
            return {}
        setup = "active" if connection.outgoing else "passive"
        place = {"address": connection.local_address.ip, "port": connection.local_address.port}
        return {**place, "connection": "existing", **({"setup": setup} if offered else {})}

    def restart_offer(
        self,
        tcptypes: str = "active passive",
        *,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return an offer that restarts ICE; the roles stay (RFC 8445 section 9)."""
        self.renew()
        return self.updated_offer(tcptypes, candidates=candidates, **wishes)

    def updated_offer(
        self,
        tcptypes: str = "active passive",
        *,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return a later offer: our credentials, the roles and what was negotiated stay (RFC 3264 section 8)."""
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes) if candidates is None else list(candidates)
        return describe.later_offer(self, chosen, **wishes)

    def restart_answer(
        self,
        to: SessionDescription,
        tcptypes: str = "active passive",
        *,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return the answer to an offer that restarts ICE; the roles stay (RFC 8445 section 9)."""
        self.renew()
        return self.later_answer(to, tcptypes, candidates=candidates, **wishes)

    def later_answer(
        self,
        to: SessionDescription,
        tcptypes: str = "active passive",
        *,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return a later answer: our credentials and the roles stay."""
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes) if candidates is None else list(candidates)
        return describe.answer(self, to, chosen, **wishes)

    # -- preamble ------------------------------------------------------------------------------------------------

    def complete(self, iut: Credentials, connection: Connection) -> Connection:
        """Bring ICE to its end on this connection: validated both ways and nominated. Preamble: inconclusive.

        Returns the selected connection, which a controlling IUT with several addresses may have opened beside it.
        """
        connection.iut = iut
        self._let_the_iut_claim_its_role(connection)
        former = [one for one in self.connections if one.selected and one is not connection]

        def selected() -> Connection | None:
            new = (one for one in (connection, *self.connections) if one.selected and one not in former)
            return next((one for one in new if one.component == connection.component), None)

        try:
            if self.controlling:
                self._nominate(iut, connection)
            else:
                if not connection.checked:
                    connection.send(RFC4571() / self.check(iut, component=connection.component))
                self._accompany(iut)
                if not self.wait_for_nomination(lambda: selected() is not None):
                    raise Inconclusive(f"the controlling IUT did not nominate {connection}")
        except Failed as failure:
            raise Inconclusive(f"ICE did not complete: {failure}") from failure
        return selected() or connection

    def _let_the_iut_claim_its_role(self, connection: Connection) -> None:
        """Where roles are switched, wait for the check for which the IUT has opened a connection, and refuse it.

        Else it would depend on the machine which of two checks that cross each other brings the conflict to light.
        """
        if self.shape.roles == "switched" and not (connection.outgoing or self.role_is_told) and self._decides_roles():
            self._pump.wait(lambda: bool(self.checks()) or not connection.is_open, self.pixit.response)

    def wait_for_own_check(self, iut: Credentials, connection: Connection) -> None:
        """Give a full IUT the time to send its own check on a connection, which is answered."""
        if not iut.lite:
            self._pump.wait(lambda: connection.checked, self.pixit.response)

    def wait_for_nomination(self, nominated: Callable[[], bool]) -> bool:
        """Wait until a controlling IUT has nominated, as long as it may take; return whether it has.

        RFC 8445 section 8.1.1 leaves the criteria to it, and by RFC 8863 it may wait for a timer: so it is waited for
        longer where connections are still open on which it might nominate.
        """
        if self._pump.wait(nominated, self.pixit.complete):
            return True
        end = self.described_at + self.pixit.decides
        left = max(0.0, end - time.monotonic())
        self._pump.wait(lambda: nominated() or not any(connection.is_open for connection in self.connections), left)
        return nominated()

    def _accompany(self, iut: Credentials) -> None:
        """Check the further components of the IUT's stream: it may nominate none before each has a valid pair.

        RFC 8445 section 8.1.1. Components to which the IUT can connect itself are left to it.
        """
        mine = {connection.component for connection in self.connections} | {at.component for at in self.listeners}
        for candidate in iut.hosts("passive"):
            if candidate.component not in mine and family_of(candidate.address) == family_of(self.address):
                mine.add(candidate.component)
                further = self.connect_if_possible(candidate)
                further.send(RFC4571() / self.check(iut, component=candidate.component))

    def expect_nomination(self, connection: Connection) -> Frame:
        """Expect that a controlling IUT nominates on a connection, however long it may lawfully take."""
        wanted = BindingRequest(use_candidate=True)
        self.wait_for_nomination(lambda: connection.has(wanted) or not connection.is_open)
        return connection.expect(wanted, within=0)

    def expect_any_nomination(self, *, after: Frame | None = None) -> None:
        """Expect that a controlling IUT nominates on some connection, however long it may lawfully take.

        `after`: by a check that comes later than this one.
        """
        if not self.wait_for_nomination(lambda: self._has_nomination(after)):
            raise Missing(
                "the IUT nominated no pair",
                expected="a Binding request with USE-CANDIDATE",
                actual=f"none on any of {len(self.connections)} connections",
                wanted=BindingRequest(use_candidate=True),
            )

    def await_any_nomination(self) -> None:
        """Wait until a controlling IUT nominates on some connection (preamble)."""
        if not self.wait_for_nomination(self._has_nomination):
            raise Inconclusive(f"the IUT nominated none of {len(self.connections)} connections")

    def _has_nomination(self, after: Frame | None = None) -> bool:
        nominating = BindingRequest(use_candidate=True)
        later = (check for check in self.checks() if after is None or check.time > after.time)
        return any(nominating.fulfilled_by(check) for check in later)

    def await_nomination(self, connection: Connection) -> Frame:
        """Wait until a controlling IUT nominates on a connection (preamble)."""
        try:
            return self.expect_nomination(connection)
        except Failed as failure:
            raise Inconclusive(str(failure)) from failure

    def settle(self, connection: Connection) -> None:
        """Wait until the IUT has taken in what we have sent on a connection, the answer to a nomination say.

        It answers a check only after what came before it. One that answers none gets the time that it would have had;
        on a connection that either side has closed nothing comes.
        """
        if not connection.in_use:
            return
        assert self.iut is not None
        of_stream = connection.iut is not None and connection.iut.ufrag in self.iut.fragments  # else ICE has restarted
        iut = connection.iut if connection.iut is not None and of_stream else self.iut
        request = self.check(iut, component=connection.component)
        connection.send(RFC4571() / request)
        identifier = bytes(request)[8:20]

        def answered() -> bool:
            return bool(connection.messages(transaction_id=identifier))

        self._pump.wait(lambda: answered() or not connection.is_open, self.pixit.response)
        connection.pass_over(transaction_id=identifier)

    def lose(self, selected: Connection, end: str) -> None:
        """End a selected connection by "FIN" or "RST"; only what connects after this is expected as a connection.

        Not before the IUT knows that it is selected: RST would take our answer to its nomination away from it. Where
        the IUT has opened several connections for the selected pair, all are ended: it could go on with another.
        """
        self.settle(selected)
        self.forget_arrivals()
        for connection in (selected, *self.alike(selected)):
            connection.close(reset=end == "RST")

    def revive(self, iut: Credentials, connection: Connection) -> Connection:
        """Check a connection in a lost one's place both ways (RFC 6544 section 11.1). A preamble: inconclusive.

        Where we control, the pair is nominated once more, for agents that send nothing before that. Returns the
        connection on which the IUT has checked: it may have opened several to the same candidate.
        """

        def checked() -> Connection | None:
            return next((one for one in self.alike(connection) if one.checked), None)

        try:
            connection.send(RFC4571() / self.check(iut, component=connection.component))
            connection.expect(BindingSuccess, within=self.pixit.response)
            if not self._pump.wait(lambda: checked() is not None, self.pixit.response):
                raise Inconclusive(_unchecked(connection))
            connection = checked() or connection
            if self.controlling:
                connection.send(RFC4571() / self.check(iut, component=connection.component, use_candidate=True))
                connection.expect(BindingSuccess, within=self.pixit.response)
        except Failed as failure:
            raise Inconclusive(f"the reopened connection was not checked both ways: {failure}") from failure
        return connection

    def complete_any(self, iut: Credentials) -> Connection:
        """Bring ICE to its end on the connection that the controlling side prefers; ours is the last one opened."""
        if self.controlling:
            return self.complete(iut, self.connections[-1])
        if not self.wait_for_nomination(lambda: any(c.selected for c in self.connections)):
            raise Inconclusive(f"the controlling IUT nominated none of {len(self.connections)} connections")
        return next(connection for connection in self.connections if connection.selected)

    def expect_others_closed(self, selected: Connection, *, within: float) -> None:
        """Wait until the IUT has ended every connection but this one. Inconclusive if there is no other.

        An IUT that nominates several (RFC8445-8.1.1/one_pair_is_nominated judges that) selects the one that it keeps.
        """
        if not any(connection is not selected for connection in self.connections):
            raise Inconclusive("no second connection came about")

        def unselected() -> list[Connection]:
            still = [connection for connection in self.connections if connection.is_open]
            kept = [connection for connection in still if connection.selected and not selected.is_open][:1]
            return [connection for connection in still if connection not in (selected, *kept)]

        self._pump.wait(lambda: not unselected(), within)
        still_open = [str(connection) for connection in unselected()]
        if still_open:
            raise Failed(
                f"{', '.join(still_open)} is still open beside the selected {selected}",
                expected="the IUT closes every connection but the selected one",
                actual=f"after {within:g} s still open: {', '.join(still_open)}",
            )

    def expect_all_closed(self, connections: Iterable[Connection], *, within: float) -> None:
        """Wait until the IUT has ended every one of these connections."""
        for connection in connections:
            connection.expect_end(within=within)

    def _nominate(self, iut: Credentials, connection: Connection) -> None:
        component = connection.component
        connection.send(RFC4571() / self.check(iut, component=component))
        self._pump.wait(lambda: connection.has(AnyResponse()) or not connection.is_open, self.pixit.response)
        if connection.has(BindingError(401)):
            self.wait(self.pixit.silence)  # Firefox, when it has told new credentials, now and then takes them later
            connection.pass_over_all()
            connection.send(RFC4571() / self.check(iut, component=component))
        connection.expect(BindingSuccess, within=self.pixit.response)
        if not (iut.lite or self._pump.wait(lambda: connection.checked, self.pixit.response)):
            raise Inconclusive(_unchecked(connection))
        connection.send(RFC4571() / self.check(iut, component=component, use_candidate=True))
        connection.expect(BindingSuccess, within=self.pixit.response)
        connection.selected = True


def _unchecked(connection: Connection) -> str:
    if connection.refused:
        return f"the IUT's check on {connection} was refused: {connection.refused}"
    return f"the IUT sent no check of its own on {connection}"
