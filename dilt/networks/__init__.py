"""Networks: built, filled with weights, looked through, run on images.

Imports tickets, data and what these import.
"""
