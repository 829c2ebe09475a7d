"""What is shown: figures, captions, the page, costs.

Imports answers and what that imports.
"""
