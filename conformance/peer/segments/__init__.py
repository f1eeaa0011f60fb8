"""A TCP of our own above raw packets: what a kernel's sockets cannot be made to do (RFC 9293)."""
