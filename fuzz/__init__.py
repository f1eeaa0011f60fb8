"""The traffic fuzzer."""
