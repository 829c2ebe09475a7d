"""Training under a mask, resumable to the bit."""
