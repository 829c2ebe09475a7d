"""From tables of scores to verdicts on the claims.

Imports grouping, assemblies, tickets and what these import.
"""
