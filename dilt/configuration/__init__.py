"""A configuration read, checked and cut into what each rule depends on, before any job; what the Snakefile asks.

Imports anything below; no stage imports it but `summarise` and `report` for what they are given.
"""
