"""Networks of a finished experiment out into other people's code, and back."""
