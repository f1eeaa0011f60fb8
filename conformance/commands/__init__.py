"""The commands of `icetcp`, one module each."""
