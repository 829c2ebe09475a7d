"""Layers grouped into modules by their distances, and whether these are real.

Imports geometry and what that imports.
"""
