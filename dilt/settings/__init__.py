"""The typed configuration: a module per group of sections.

Imports nothing of dilt, so that an edit reruns only what reads the section.
"""
