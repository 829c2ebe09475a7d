"""Where tickets start: theta0, or for a control of it another initialisation.

Apart from `making` and `selection`, so that what trains tickets does not depend on how their masks are made.
"""

ANEW = "reinit"


def starts_anew(ticket: str) -> bool:
    """Whether the ticket is a mask with another initialisation, as ``reinit@core``."""
    return ticket.partition("@")[0] == ANEW
