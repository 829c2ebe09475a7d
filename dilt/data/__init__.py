"""Prepared data sets: partitioned, split, checked for duplicates, stored, and read in batches.

Imports sources and what that imports.
"""
