"""The default configuration, changed copies of it, and a comparison of what is said of them with what is expected."""

import copy
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
GONE = object()
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
# Values that the tests refer to, whatever the default is tuned to.
DEFAULT["source"]["partitions"] = {"by": "classes", "classes": {"low": ["0", "1", "2"], "high": ["3", "4", "5"]}}
DEFAULT["seeds"] = [0, 1, 2, 3, 4]
DEFAULT["source"]["test_share"] = DEFAULT["targets"]["held-out"]["test_share"] = 0.3
DEFAULT["model"]["arguments"] = {"width": 96, "depth": 4}
DEFAULT["training"] |= {"epochs": 20, "optimizer": "sgd", "learning_rate": 0.1, "warmup_epochs": 0}
DEFAULT["transfer"]["training"] = {"epochs": 15}
DEFAULT["representations"]["probes"] = 72
DEFAULT["jobs"]["group"] = "together"
DEFAULT["pruning"] |= {"rounds": 6, "rate": 0.45, "rewind_epoch": 0}
DEFAULT["tickets"] |= {"rounds": [2, 4], "claim_rounds": {"C1": 4, "C2": 4, "C3": 4}}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The default with other values at some keys (``pruning/rate``), or without them (GONE)."""
    values = copy.deepcopy(DEFAULT)
    for path, value in changes.items():
        *parents, key = path.split("/")
        place = values
        for parent in parents:
            place = place[parent]
        if value is GONE:
            del place[key]
        else:
            place[key] = value
    return values


def assert_told(said: str, line: str) -> None:
    """What was said is this one line; ``...`` stands for any text."""
    assert re.fullmatch(".*".join(map(re.escape, line.split("..."))), said.rstrip("\n")), said
