"""What every job does: its command line, its log, its checkpoints, its GPU, and the fingerprint of its code.

Imports settings and foundations.
"""
