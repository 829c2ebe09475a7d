"""Facts about the stage `cluster`: it groups tickets' layers, no references, and uses subsets of probes and stages."""

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pipeline
import pytest
import small_run

from dilt.foundations import storage

LAYERS = 9
TICKETS = ("dense", "core", "random@core")
REFERENCES = ("untrained", "trained-low")
BLOCKS = np.array([1, 1, 1, 8, 1, 1, 8, 1, 1.0])
NODES = [(name, depth, f"layer{depth}") for name in (*TICKETS, *REFERENCES) for depth in range(LAYERS)]


def points(subset: int = 0) -> np.ndarray:
    """Every network's layers on a line of its own, in blocks but for the untrained twin and the random ticket."""
    draws = np.random.default_rng(subset)
    chains = []
    for index, name in enumerate((*TICKETS, *REFERENCES)):
        smooth = name in ("untrained", "random@core")
        chain = np.zeros((LAYERS, 20))
        chain[:, 0] = np.cumsum(np.ones(LAYERS) if smooth else BLOCKS)
        chain[:, 1] = index
        chains.append(chain + 0.05 * draws.normal(size=chain.shape))
    return np.concatenate(chains)


def rows(subset: int = 0, nodes: Sequence[tuple[str, int, str]] = NODES) -> list[dict[str, object]]:
    places = points(subset)
    found = []
    for (i, a), (j, b) in combinations(enumerate(nodes), 2):
        ends = {f"{key}_a": value for key, value in zip(("ticket", "depth", "layer"), a, strict=True)}
        ends |= {f"{key}_b": value for key, value in zip(("ticket", "depth", "layer"), b, strict=True)}
        found.append({"seed": 0, "round": 1} | ends | {"gw_distance": float(np.linalg.norm(places[i] - places[j]))})
    return found


def written(folder: Path) -> pipeline.Arguments:
    """The stage's arguments, with all the tables that it can read."""
    job = pipeline.cluster(folder) | {"options": json.dumps({"clustering": {"shuffles": 39}})}
    job |= {"subsets": folder / "geometry/subset_distances.csv", "layers": folder / "geometry/layers.csv"}
    storage.write_rows(job["distances"], rows())
    storage.write_rows(job["subsets"], [row | {"subset": b} for b in range(3) for row in rows(b)])
    stages = [
        {"seed": 0, "round": 1, "ticket": t, "depth": d, "layer": layer, "stage": f"stage {np.digitize(d, [3, 6])}"}
        for t, d, layer in NODES
    ]
    storage.write_rows(job["layers"], stages)
    return job


@pytest.fixture
def job(tmp_path: Path) -> pipeline.Arguments:
    """A job to run."""
    return written(tmp_path)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Arguments:
    """A job that has run, in a process that then had not loaded torch."""
    job = written(tmp_path_factory.mktemp("clustered"))
    code = f"""
import sys
sys.argv = ["dilt.cluster", *{small_run.command_line(job)}]
from dilt import cluster
cluster.main()
assert not {{"torch", "timm", "ot", "matplotlib"}} & set(sys.modules)
"""
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, stdout=subprocess.DEVNULL)
    return job


def table(path: object) -> list[dict[str, str]]:
    with open(str(path), newline="") as file:
        return list(csv.DictReader(file))


def summary_of(job: pipeline.Arguments) -> dict[str, Any]:
    return json.loads(Path(str(job["summary"])).read_text())


def test_tickets_are_grouped_and_references_are_not(done: pipeline.Arguments) -> None:
    assert {row["ticket"] for row in table(done["clusters"])} == set(TICKETS)
    assert {row["ticket_a"] for row in table(done["stability"])} == set(TICKETS)
    assert [row["ticket"] for row in table(done["chains"])] == [*TICKETS, *REFERENCES]
    agreement = summary_of(done)["agreement"]
    assert set(agreement) == {"layer", "stage", "ticket"}
    assert agreement["stage"]["p"] <= 0.05


def test_every_network_has_a_verdict_by_itself(done: pipeline.Arguments) -> None:
    chains = {row["ticket"]: row for row in table(done["chains"])}
    told = {name: (row["module_verdict"], row["explained_by"]) for name, row in chains.items()}
    assert told["dense"] == told["core"] == told["trained-low"] == ("modules", "")
    assert told["untrained"] == ("smooth", "smooth drift")
    assert told["random@core"][0] == "smooth"
    assert float(chains["core"]["random_tickets_p"]) <= 0.05
    assert chains["dense"]["random_tickets_p"] == "", "dense has no random ticket of its density"
    assert float(chains["core"]["untrained_twin_ari"]) < 1
    assert (chains["untrained"]["runs"], chains["untrained"]["runs_p"]) == ("", "")
    assert int(chains["core"]["runs"]) >= 1


def test_stability_is_over_subsets_of_the_probes_where_there_are_some(done: pipeline.Arguments) -> None:
    summary = summary_of(done)
    assert (summary["stability_over"], summary["replicates"]) == ("subsets of the probes", 3)
    assert {row["together"] for row in table(done["stability"])} <= {"0.0", str(1 / 3), str(2 / 3), "1.0"}


def test_references_change_no_group_and_one_subset_gives_no_stability(
    done: pipeline.Arguments, job: pipeline.Arguments
) -> None:
    tickets = [row for row in rows() if not {row["ticket_a"], row["ticket_b"]} & set(REFERENCES)]
    storage.write_rows(job["distances"], tickets)
    storage.write_rows(job["subsets"], [row | {"subset": 0} for row in rows()])
    pipeline.run("cluster", job)
    for now, before in zip(table(job["clusters"]), table(done["clusters"]), strict=True):
        assert now | {"stability": ""} == before | {"stability": ""}
    summary = summary_of(job)
    assert (summary["stability_over"], summary["replicates"]) == ("subsets of the layers", 20)


def test_subsets_of_other_layers_are_refused(job: pipeline.Arguments, capsys: pytest.CaptureFixture[str]) -> None:
    renamed = [(name, depth, f"other{depth}") for name, depth, _ in NODES]
    storage.write_rows(job["subsets"], [row | {"subset": b} for b in range(2) for row in rows(b, renamed)])
    with pytest.raises(SystemExit):
        pipeline.run("cluster", job)
    assert "subset_distances.csv: has other layers than the table of distances" in capsys.readouterr().err
