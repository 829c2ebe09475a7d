"""Layers' representations, and the Gromov-Wasserstein and other distances between them.

Imports networks and what that imports.
"""
