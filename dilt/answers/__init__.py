"""From tables of scores to verdicts on the claims."""
