"""Reports, all of them made from the record of verdicts."""
