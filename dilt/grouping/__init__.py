"""Layers grouped into modules by their distances, and whether the modules are real."""
