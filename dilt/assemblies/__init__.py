"""Core and specialists put together without training them together, and how they are read out.

Imports networks and what that imports.
"""
