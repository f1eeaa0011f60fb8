"""What hangs on descriptions: candidates and their priorities, credentials, later offers and answers."""

from __future__ import annotations

from conformance.mutants.reach_row import Reach, breaking, reaching

ROWS: tuple[Reach, ...] = (
    breaking(
        "a type preference is part of each priority: of lite agents, of either transport, whatever the direction",
        "type-pref-127 type-pref-by-direction host-type-pref-100 types-share-preference",
        "RFC6544-4.2 RFC8445-5.1.2 RFC8445-5.2",
    ),
    breaking(
        "preferences that are equal for one reason are equal for any, and they put pairs into another order",
        "other-pref-shared local-preference-shared relays-share-preference priorities-shared "
        "families-with-one-preference lite-priorities-shared",
        "RFC6544-4.2 RFC8445-5.1.2 RFC8445-5.2 RFC8445-6.1.2.3 RFC8421-4 RFC8421-5",
    ),
    breaking(
        "without candidates of component 2 there is nothing of RTCP, in any mode and of any type",
        "rtcp-without-candidates no-rtcp-candidates components-from-2 second-component-on-one-address "
        "lite-without-rtcp",
        "RFC4571-4 RFC6544-4.1 RFC8445-5.1.1.1 RFC8445-5.2 RFC8839-4.2.2 RFC8839-5.1 RFC8839-5.2",
    ),
    reaching("who numbers components otherwise has data of another one", "rtp-is-component-2", "RFC6544-10.1"),
    breaking("one foundation for all addresses is a lite agent's as well", "one-foundation", "RFC8445-5.2"),
    breaking("a pair from a reflexive candidate is one that comes late, too", "reflexive-pairs-checked", "RFC8838"),
    breaking("a candidate of one's own has a port of its own", "components-share-port", "RFC8445-5.1.1.1"),
    breaking("a first offer that says no connection is one of RFC 4145, too", "connection-missing", "RFC4145-5.1"),
    breaking(
        "a default of port 9 belongs to an active candidate", "no-active-candidate", "RFC8839-4.2.1.2 RFC8839-4.4.1.2"
    ),
    reaching("a candidate without a tcptype is told of by no tester that reads it", "tcptype-missing", "RFC8838"),
    breaking(
        "a default that is no candidate's is none in any description",
        "default-is-no-candidate offer-with-port-0",
        "RFC6544-4.3 RFC8839-4.3.2 RFC3264",
    ),
    breaking(
        "a fragment and a password belong to every check and to every description",
        "one-fragment-two-passwords offer-without-password answer-without-password long-fragment "
        "restart-keeps-password restart-offer-keeps-password restart-keeps-fragment lite-restart-keeps-password",
        "RFC6544-7.1 RFC6544-7.2 RFC8839-4.3 RFC8839-4.4 RFC8839-5.4 RFC8445-5.3 RFC8445-6.1.1 RFC8445-7 RFC8445-9",
    ),
    breaking(
        "a relayed candidate that is left out is not the one that an allocation gives",
        "no-passive-relayed-candidate offer-without-one-address",
        "RFC8445-5.1.1.2",
    ),
    breaking(
        "a later default is one of a lite agent, too",
        "later-default-is-no-candidate lite-default-stays",
        "RFC8839-4.4.1.3",
    ),
    breaking("a default without a=setup says no direction", "setup-missing", "RFC6544-4.3-03"),
    breaking(
        "a candidate that is told behind the end is told behind the nomination",
        "candidate-behind-the-end",
        "RFC8838-13",
    ),
    breaking(
        "an address that is left out has no relayed candidate either",
        "offer-without-one-address answer-without-one-address",
        "RFC6544-5-01",
    ),
    breaking(
        "a candidate of no use is one too many, and is missing from later offers",
        "port-0-stated broadcast-address-stated unspecified-address-stated",
        "RFC8445-5.2 RFC8839-4.4.1.2 RFC8839-4.4.1.3-01",
    ),
    reaching(
        "who refuses 0.0.0.0 as a default refuses each offer that says so, whatever it is about",
        "zero-default-is-a-mismatch",
        "RFC6544-3 RFC6544-4.5 RFC6544-7 RFC6544-10 RFC7983 RFC8839",
    ),
    breaking(
        "the candidates that are left out are those of the default", "lite-default-without-candidate", "RFC8839-4.4"
    ),
    reaching(
        "who takes no answer without ICE takes no later one", "ice-without-the-answers", "RFC8839-4.4.3.1 RFC8839-4.4.1"
    ),
    reaching(
        "beside an agent that is taken for lite nobody else nominates",
        "full-says-lite",
        "RFC6544-6 RFC6544-8 RFC8445-6.1.1 RFC8445-7.3 RFC8445-8",
    ),
    breaking(
        "a connection that a later exchange closes is not kept",
        "update-closes-connection",
        "RFC6544-6.1 RFC8839-4.4.3.1-05",
    ),
    breaking("a pair across components is one of a component that has none", "components-cross-paired", "RFC4571-4"),
    breaking(
        "sections in another order answer others than they stand for",
        "answer-in-another-order",
        "RFC3264-8.2-02 RFC8839-4.2.1.6-02 RFC8839-4.4.1.1.2-01",
    ),
    breaking(
        "remote candidates of a first offer are named in later ones as well",
        "remote-candidates-at-once",
        "RFC8839-4.4.1.1.1-s01 RFC8839-4.4.1.2.2-03 RFC8839-4.4.1.3-06 RFC8839-5.2-01",
    ),
    breaking(
        "an active candidate's port that is not 9 is that of an active default as well",
        "active-port-allocated",
        "RFC4145-4.1-03",
    ),
    breaking("an answer without a password has none in any section", "answer-without-password", "RFC8839-4.2.1.6-01"),
    breaking(
        "an address without a=setup says no direction of a lite agent's default", "setup-missing", "RFC6544-4.3-04"
    ),
    breaking("a foundation that is too long is against the grammar", "foundation-of-33", "RFC8839-5.1-s01"),
    breaking("what has a foundation of its own has it as a lite agent too", "foundation-of-its-own", "RFC8445-5.2-05"),
    breaking(
        "the candidate that is lost is that of the default destination",
        "later-offer-loses-a-candidate lite-later-offer-loses-a-candidate",
        "RFC8839-4.4.1.2.1-04 RFC8839-4.4.1.3-05",
    ),
    breaking("a section that is left out does not stay", "later-offer-of-one-section", "RFC3264-8-10"),
    breaking("a removed stream that goes on has a port", "removed-stream-goes-on", "RFC3264-8-10"),
    breaking(
        "a related address that is missing or another one is not the base, whoever told of the mapping",
        "reflexive-related-to-others reflexive-without-related-address",
        "RFC6544-5.3-s01",
    ),
    breaking(
        "remote candidates that are others, missing or swapped name our ends in no later offer",
        "remote-candidates-are-its-own remote-candidates-forgotten rtp-is-component-2 lite-offerer-controlled",
        "RFC8839-4.4.1.3-06 RFC8839-5.2-01",
    ),
    breaking("a fragment that is kept comes again", "second-restart-keeps-fragment", "RFC8445-5.3-06"),
    breaking(
        "a=ice-lite is one of the attributes that stay",
        "update-says-lite",
        "RFC8839-4.4.1.1.1-07 RFC8839-4.4.2.1-03",
    ),
    breaking(
        "a candidate where nobody listens is one that is not accepted at",
        "site-local-candidate compatible-candidate",
        "RFC6544-7.2-01",
    ),
    breaking(
        "host candidates of a direction that there is not are missing with mappings and without",
        "no-active-candidate no-passive-candidate",
        "RFC6544-4.1-02",
    ),
)
