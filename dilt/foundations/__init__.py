"""What everything stands on: files, randomness, locks, progress, lines of errors.

Imports nothing of dilt.
"""
