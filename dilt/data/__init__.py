"""Prepared data sets: partitioned, split, checked for duplicates, stored, augmented, read in batches."""
