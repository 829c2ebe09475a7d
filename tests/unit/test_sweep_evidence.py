"""Every number and the figure of a sweep's evidence follow from the tables that lie beside its page."""

import shutil
from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images

from dilt import evidence as command
from dilt.answers.statistics import paired_interval
from dilt.answers.sweep_tables import sweep_by_seed, sweep_table, table_of
from dilt.configuration import sweeps
from dilt.foundations import storage
from dilt.reporting import evidence_page, style, sweep_evidence
from dilt.reporting.sweep_evidence import SweepEvidence
from tests.conftest import ROOT
from tests.unit.test_evidence import ALIKE

FOLDERS = sorted(path.parent for path in (ROOT / "docs/evidence").glob(f"*/{sweep_evidence.RECORD}"))
POINT = ROOT / "docs/evidence/cifar10-cpu"  # an experiment that stands for two points of a made sweep
TEXT = "core - lth@core on transfer"


@pytest.fixture(scope="module", params=["made", *FOLDERS], ids=["made", *(folder.name for folder in FOLDERS)])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param != "made":
        return request.param
    folder = tmp_path_factory.mktemp("sweep")
    values, folders = [{"epoch": "0.10"}, {"epoch": "2"}], [POINT, POINT]
    tables = {
        "sweep": sweep_table(TEXT, values, folders),
        "sweep_by_seed": sweep_by_seed(TEXT, values, folders),
    }
    record = {
        **{"sweep": "made", "comparison": TEXT, "axes": ["epoch"], "model": {"name": "resnet18", "arguments": {}}},
        **{"data": {"name": "d", "classes": ["a", "b"], "images": {"train": 1, "test": 1}}, "seeds": [0, 1, 2, 3, 4]},
        **{"pruning": {"rounds": 5, "rate": 0.5}, "confidence": 0.95, "cpu_hours": 1.0, "machine": {"cores": 2}},
        **{"date": "2026-11-30", "dilt": "0.1.0", "file": "sweep.yaml"},
    }
    sweep_evidence.write(folder, SweepEvidence(record, tables))
    command.show(folder)
    return folder


@pytest.fixture(scope="module")
def evidence(folder: Path) -> SweepEvidence:
    return sweep_evidence.read(folder)


def test_intervals_over_seeds_are_those_of_each_seed_s_difference(evidence: SweepEvidence) -> None:
    axes, by_seed = evidence.record["axes"], evidence.tables["sweep_by_seed"]
    for row in evidence.tables["sweep"].to_dict("records"):
        same = (by_seed[axes] == [row[axis] for axis in axes]).all(axis=1)
        found = paired_interval(by_seed.loc[same, "difference_points"].to_numpy(), evidence.record["confidence"])
        told = [row[key] for key in ("difference_points", "low_points", "high_points")]
        assert [found.mean, found.low, found.high] == pytest.approx(told, abs=1e-9)
        assert found.num_seeds == row["seeds"] == len(evidence.record["seeds"])


def test_the_page_of_a_sweep_is_that_of_its_tables(folder: Path, evidence: SweepEvidence) -> None:
    page = (folder / "README.md").read_text()
    assert page == sweep_evidence.render(evidence)
    for row in evidence.tables["sweep"].to_dict("records"):
        values = " | ".join(row[axis] for axis in evidence.record["axes"])
        assert f"| {values} | {evidence_page.points(row['difference_points'])} |" in page


def test_its_figure_is_that_of_its_table(folder: Path, evidence: SweepEvidence, tmp_path: Path) -> None:
    drawn, kept = tmp_path / "drawn.png", tmp_path / "kept.png"
    style.save_bitmap(evidence.figure(), drawn, evidence_page.DOTS_PER_INCH)
    shutil.copyfile(folder / "figures/sweep.png", kept)  # the comparison writes beside it
    assert compare_images(str(kept), str(drawn), ALIKE) is None


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_the_sweep_beside_it_has_these_points(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    evidence = sweep_evidence.read(folder)
    sweep, points = sweeps.grid(ROOT / evidence.record["file"])
    assert (sweep.sweep, sweep.comparison, list(sweep.axes)) == (
        *(evidence.record["sweep"], evidence.record["comparison"], evidence.record["axes"]),
    )
    assert [point.values for point in points] == evidence.tables["sweep"][list(sweep.axes)].to_dict("records")


def test_a_sweep_without_a_table_is_told_to_be_run(tmp_path: Path) -> None:
    sweep, points = sweeps.read(ROOT / "docs/evidence/digits-rewinding/sweep.yaml")
    with pytest.raises(FileNotFoundError, match=r"tables/sweep\.csv.*run workflow/sweep\.smk first"):
        command.gathered_of_sweep(sweep, points, tmp_path, {})


def test_a_finished_sweep_is_gathered_and_one_whose_points_changed_is_not(tmp_path: Path) -> None:
    sweep, points = sweeps.read(ROOT / "docs/evidence/digits-rewinding/sweep.yaml")
    data = {"classes": ["a", "b"], "images": {"train": 3, "validation": 1, "test": 2}}
    folders = [tmp_path / point.experiment for point in points]
    for folder in folders:
        shutil.copytree(POINT / "tables", folder / "tables")
        storage.write_json(folder / "data/source/dataset.json", data)
    table = sweep_table(sweep.comparison, [point.values for point in points], folders)
    made = table_of(tmp_path / sweep.sweep, "sweep")
    made.parent.mkdir(parents=True)
    table.to_csv(made, index=False, lineterminator="\n")
    found = command.gathered_of_sweep(sweep, points, tmp_path, {"date": "today"})
    assert found.record["data"] == {"name": "digits", **data}
    assert found.record["cpu_hours"] == pytest.approx(len(points) * 10469.8 / 3600)  # its runtime.csv
    assert len(found.tables["sweep_by_seed"]) == 5 * len(points)
    table.assign(difference_points=0.0).to_csv(made, index=False, lineterminator="\n")
    with pytest.raises(ValueError, match="not what its points found; run the sweep again"):
        command.gathered_of_sweep(sweep, points, tmp_path, {})
