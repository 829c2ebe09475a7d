"""Networks of a finished experiment out into other people's code, and back.

Imports anything below; no stage imports it.
"""
