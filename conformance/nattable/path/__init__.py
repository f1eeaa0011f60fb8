"""The path between two agents: NATs, delay, loss, reordering, MTU and held SYNs, as values; one network of namespaces.

Everything but `network` and `server` is pure: packets and the time go in, packets come out.
"""
