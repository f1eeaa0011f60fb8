"""The lower tester: connections, frames and segments as the script says."""
