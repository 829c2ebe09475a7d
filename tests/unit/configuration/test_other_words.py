"""Words of other tools get the line that names the key."""

import re
from typing import Any

import pytest
from configurations import assert_told, changed

from dilt.configuration.other_words import WORDS
from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.settings.experiment import Config


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("training/lr", "training.lr: unknown key; here it is training.learning_rate"),
        ("training/wd", "training.wd: unknown key; here it is training.weight_decay"),
        ("training/bs", "training.bs: unknown key; here it is training.batch_size"),
        ("training/bf16", "training.bf16: unknown key; here it is training.precision"),
        ("training/num-workers", "training.num-workers: unknown key; here it is jobs.workers"),
        (
            "pruning/sparsity",
            "pruning.sparsity: unknown key; here it is pruning.rate, the share of the live weights ...",
        ),
        ("transfer/C", "transfer.C: unknown key; here it is transfer.penalties, inverse ..."),
        ("transfer/training/lr", "transfer.training.lr: unknown key; here it is transfer.training.learning_rate"),
        ("targets/held-out/data_dir", "targets.held-out.data_dir: unknown key; here it is targets.held-out.root"),
        ("source/lr", "source.lr: unknown key; here it is training.learning_rate"),
        ("dataset", "dataset: unknown key; here it is source"),
        ("Seed", "Seed: unknown key; here it is seeds, a list"),
        ("output_dir", "output_dir: unknown key; here it is experiment: results lie in results/<experiment>"),
        ("source/img_size", "source.img_size: unknown key; here it is source.image_size"),
        ("model/arch", "model.arch: unknown key; here it is model.name"),
        ("transfer/name", "transfer.name: unknown key; remove it"),
        ("training/learning_rat", "training.learning_rat: unknown key; did you mean 'learning_rate'?"),
    ],
)
def test_a_word_of_another_tool_is_told_its_key(place: str, line: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(changed({place: 1}), "mine.yaml")
    assert_told(str(raised.value), f"mine.yaml: {line}")


def test_every_key_that_is_told_exists_and_no_word_is_given_for_two() -> None:
    for told in WORDS:
        place: Any = Config
        for name in re.split("[,:]", told)[0].split("."):
            assert name in place.model_fields, told
            place = place.model_fields[name].annotation
    words = " ".join(WORDS.values()).lower().split()
    assert len(words) == len(set(words))
