"""The reference ICE-TCP agent: a core without input and output, a shell with sockets, an adapter, and faults."""
