"""Every number and figure of docs/evidence follows from the tables and single images that lie beside it."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.testing.compare import compare_images

from dilt.answers.answering import answer
from dilt.reporting import evidence_folder, evidence_page, style
from dilt.reporting.drawing import draw
from dilt.reporting.evidence_folder import Evidence
from tests.conftest import ROOT

FOLDERS = sorted(path.parent for path in (ROOT / "docs/evidence").glob("*/settings.json"))
ALIKE = 3.0  # root mean square of the differences of bitmaps, of 255: another version of Matplotlib draws a little else


@pytest.fixture(scope="module", params=FOLDERS, ids=[folder.name for folder in FOLDERS])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(scope="module")
def evidence(folder: Path) -> Evidence:
    return evidence_folder.read(folder)


def test_claims_and_verdicts_are_those_of_the_scores_and_single_images(evidence: Evidence, tmp_path: Path) -> None:
    found = answer(dict(evidence.tables), evidence.partitions, evidence.config)
    for name in ("claims", "verdicts", "terms"):
        found[name].to_csv(tmp_path / "table.csv", index=False)
        again = evidence_folder.read_table(tmp_path / "table.csv")
        pd.testing.assert_frame_equal(again, evidence.tables[name], rtol=1e-9, atol=1e-9)


def test_the_page_is_that_of_the_tables(folder: Path, evidence: Evidence) -> None:
    assert (folder / "README.md").read_text() == evidence_page.render(evidence)


def test_figures_are_those_of_the_tables(folder: Path, evidence: Evidence, tmp_path: Path) -> None:
    drawn = draw(evidence.tables, evidence.config, evidence_page.FIGURES)
    assert {path.stem for path in (folder / "figures").iterdir()} == set(drawn)
    for name, figure in drawn.items():
        style.save_bitmap(figure, tmp_path / f"{name}.png", evidence_page.DOTS_PER_INCH)
        kept = tmp_path / f"kept-{name}.png"  # the comparison writes beside it
        kept.write_bytes((folder / f"figures/{name}.png").read_bytes())
        assert compare_images(str(kept), str(tmp_path / f"{name}.png"), ALIKE) is None


def test_the_configuration_beside_it_has_these_settings(folder: Path, evidence: Evidence) -> None:
    from dilt.configuration.reading import parse_config
    from dilt.configuration.yaml_files import gather

    files = [ROOT / file for file in evidence.record["files"]]
    assert all(file.parent == folder for file in files)
    assert parse_config(gather(files).values, across=False) == evidence.config
