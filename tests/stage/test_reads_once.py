"""Stages read each network once, build few, and show images to several at once; results stay the same bytes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pipeline
import pytest
import small_run

from dilt.data.batches import Feed
from dilt.data.prepared import read_split
from dilt.foundations import storage
from dilt.networks import building

JOBS = {
    "represent": lambda results: pipeline.represent(results, pipeline.FEW),
    "assemble": pipeline.assemble,
    "evaluate_assemblies": pipeline.evaluate_assemblies,
    "transfer": lambda results: pipeline.transfer(results, pipeline.FEW),
    "evaluate tickets": pipeline.evaluate_tickets,
    "evaluate transfer": lambda results: pipeline.evaluate_transfer(results, pipeline.FEW),
}
RETRAINED = 2 * len(pipeline.FEW)  # networks that `transfer` trains, each of which begins anew
BUILT = {"transfer": 1 + RETRAINED, "assemble": 2, "evaluate_assemblies": 2}  # a head for each partition's classes


@pytest.mark.parametrize("job", JOBS)
def test_a_stage_reads_each_network_once_and_builds_few(
    results: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    read: Counter[Path] = Counter()
    built = []
    read_tensors, build = storage.read_tensors, building.build

    def counted(path: Path, *more: Any) -> Any:
        read[Path(path)] += 1
        return read_tensors(path, *more)

    monkeypatch.setattr(storage, "read_tensors", counted)
    monkeypatch.setattr(building, "build", lambda *given: built.append(given) or build(*given))
    arguments, stage = JOBS[job](results), job.partition(" ")[0]
    files = small_run.outputs(stage, arguments)
    for file in files:
        file.unlink()
    pipeline.run(stage, arguments)
    given = [
        path for name in ("weights", "sibling-weights", "networks", "retrained") for path in arguments.get(name, [])
    ]
    wanted = [path for path in given if path not in files]
    assert wanted
    assert {read[path] for path in wanted} == set(read.values()) == {1}
    assert len(built) == BUILT.get(job, 1)
    for file in files:
        assert file.read_bytes() == (finished / file.relative_to(results)).read_bytes(), file


@pytest.mark.parametrize("job", ["assemble", "evaluate_assemblies", "evaluate tickets", "evaluate transfer"])
def test_where_reading_costs_networks_see_images_side_by_side_to_the_same_bytes(
    results: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    seen = []
    batches = Feed.batches

    def counted(feed: Feed, chosen: Any) -> Iterator[Any]:
        for batch in batches(feed, chosen):
            seen.append(len(batch))
            yield batch

    monkeypatch.setattr(Feed, "batches", counted)
    monkeypatch.setattr("dilt.data.batches.reading_costs", lambda *given: True)
    monkeypatch.setattr("dilt.networks.shells.SIDE_BY_SIDE", 100)
    arguments, stage = JOBS[job](results), job.partition(" ")[0]
    files = small_run.outputs(stage, arguments)
    for file in files:
        file.unlink()
    pipeline.run(stage, arguments)
    splits = {"assemble": ("train", "validation")}.get(stage, ("test",))
    dataset = Path(arguments["data"])
    looks = 2 if stage == "evaluate_assemblies" else 1  # those put together, and those retrained
    assert sum(seen) == looks * sum(len(read_split(dataset, split)) for split in splits)
    for file in files:
        assert file.read_bytes() == (finished / file.relative_to(results)).read_bytes(), file
