"""Masks, pruning, and the tickets that are made of masks. NumPy only."""
