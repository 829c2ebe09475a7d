"""One training under a mask, resumable to the bit.

Imports networks and what that imports.
"""
