"""Facts about randomness: a draw follows from seed and purpose, and purposes are told apart."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from dilt.foundations.randomness import derive_seed, generator

PURPOSES = st.lists(st.sampled_from(["", "a", "ab", "1"]) | st.integers(0, 2), max_size=3)


@given(st.integers(0, 2), PURPOSES, st.integers(0, 2), PURPOSES)
def test_seeds_agree_exactly_where_seed_and_purpose_do(seed: int, purpose: list, other: int, another: list) -> None:
    same = (seed, purpose) == (other, another)
    assert (derive_seed(seed, *purpose) == derive_seed(other, *another)) == same
    assert 0 <= derive_seed(seed, *purpose) < 2**63


def test_words_and_numbers_do_not_run_together() -> None:
    distinct = [(0, "ab", "c"), (0, "a", "bc"), (0, "abc"), (0, "1"), (0, 1), (1, 0), (10,), (0,), (0, "")]
    assert len({derive_seed(*purpose) for purpose in distinct}) == len(distinct)


def test_asking_twice_gives_the_same_draws() -> None:
    assert generator(3, "order", 1).permutation(50).tolist() == generator(3, "order", 1).permutation(50).tolist()
    assert generator(3, "order", 1).permutation(50).tolist() != generator(3, "order", 2).permutation(50).tolist()


def test_another_process_derives_the_same_seed() -> None:
    code = "from dilt.foundations.randomness import derive_seed; print(derive_seed(3, 'order', 'full', 1))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(told.stdout) == derive_seed(3, "order", "full", 1)
