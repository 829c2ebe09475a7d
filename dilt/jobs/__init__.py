"""What every job does: its command line, log, checkpoints, GPU, cost, and the fingerprint of its code."""
