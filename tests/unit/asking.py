"""The tickets that an experiment with certain partitions trains when it asks all claims of the paper."""

from collections.abc import Sequence

from dilt.answers.asked import asked
from dilt.configuration.reading import parse_config
from tests.unit.configurations import changed


def asked_names(partitions: Sequence[str], more: Sequence[str] = ()) -> list[str]:
    """Their names; with those that the user names."""
    return asked(parse_config(changed({"tickets/names": [*more]}), across=False), list(partitions)).tickets
