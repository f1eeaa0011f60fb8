"""Campaigns: the only room of the fuzzer that opens sockets."""
