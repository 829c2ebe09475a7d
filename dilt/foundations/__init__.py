"""What everything stands on: files, randomness, locks, progress, lines of errors."""
