"""The reference ICE-TCP agent, to be read along RFC 6544.

The core has neither sockets nor a clock: it is told the time, and gives out commands and events (`events`). `agent`
puts its parts together; each imports only what it stands on.

- what there is: `config`, `candidates`, `pairs` with their connections, `checklist`, `stream`
- what may be decided: `decisions`, lawful as they stand; `faults` and `varied` replace some
- candidates: `gathering`, `servers` (with `dialogue`, `allocation`, `servercandidates`), `trickle`
- descriptions: `description` reads the peer's, `writer` writes ours, `exchange` knows whose turn it is, `restart`
- checks: `forming` of check lists, `roles`, `requests`, `checks`, `responses`, `nomination`, `lite`
- afterwards: `completion`, `consent`, `reopening`, `media`, `handshakes` (DTLS), `status`

Around it: `shell` drives it with sockets (`link`, `datagrams`), `adapter` and `rpc` speak the adapter contract.
"""
