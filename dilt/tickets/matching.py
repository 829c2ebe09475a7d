"""Numbers of weights at which a control has as many effective weights as its reference.

A weight is effective if it is on a path from an input to an output of the network (arXiv 2107.02306), which
`networks.paths` finds out; here only how many there are counts. `making` decides which tickets are matched.
"""

from collections.abc import Callable, Mapping

from dilt.tickets.masks import Mask
from dilt.tickets.pruning import apportion


def nearest(at: Callable[[int], Mask], wanted: int, bounds: tuple[int, int], effective: Callable[[Mask], Mask]) -> Mask:
    """The mask whose number of effective weights is nearest to the wanted one, by bisection of its number of weights.

    The number of effective weights must grow with that of weights, as it does where masks are nested. It grows in
    jumps, since a weight can bring others onto a path: where it jumps over the wanted number, the nearer end of the
    jump is taken; of two equally near ones, the sparser. About 2 log2 of the number of weights are tried.

    Args:
        at: gives the mask of a number of weights.
        wanted: number of effective weights.
        bounds: the smallest and largest number of weights that there is a mask of.
        effective: gives a mask's effective weights.
    """
    best: tuple[int, int, Mask] | None = None

    def falls_short(count: int) -> bool:
        nonlocal best
        mask = at(count)
        found = effective(mask).count
        tried = (abs(found - wanted), count, mask)
        best = min(best or tried, tried, key=lambda one: one[:2])
        return found < wanted

    largest = bounds[1]
    low = high = min(max(wanted, bounds[0]), largest)  # a mask has at least its effective weights
    step = max(1, low // 16)
    while falls_short(high) and high < largest:
        low, high, step = high, min(high + step, largest), 2 * step
    assert best is not None
    while high - low > 1 and best[0] > 0:
        middle = (low + high) // 2
        low, high = (middle, high) if falls_short(middle) else (low, middle)
    return best[2]


def scaled(counts: Mapping[str, int], room: Mapping[str, int], total: int) -> dict[str, int]:
    """Whole numbers in proportion to ``counts``, none larger than its ``room``, that add up to ``total``.

    Rounded by largest remainder; of equal ones, the first. What has no room in a layer goes to the others in
    proportion; only when all layers with a count are full, to those without.

    Raises:
        ValueError: there is not room for so many.
    """
    if total > sum(room.values()):
        raise ValueError(f"{total} weights to keep, but there are only {sum(room.values())}")
    found = dict.fromkeys(counts, 0)
    weights = {name: count for name, count in counts.items() if count}
    while (left := total - sum(found.values())) > 0:
        if not weights:  # all that have a count are full
            weights = {name: room[name] for name in counts if found[name] < room[name]}
        whole = sum(weights.values())
        full = [name for name, weight in weights.items() if weight * left >= room[name] * whole]
        if not full:
            return found | apportion(weights, left)
        found |= {name: room[name] for name in full}
        weights = {name: weight for name, weight in weights.items() if name not in full}
    return found
