"""`dilt evidence` keeps what a finished run found, and refuses an unfinished one."""

import subprocess
import sys
from pathlib import Path

from dilt.reporting import evidence_folder, evidence_page
from tests.workflow.project import Project


def evidence(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dilt.evidence", *arguments]
    return subprocess.run(command, cwd=project.folder, env=project.environment, capture_output=True, text=True)


def test_a_finished_experiment_is_kept_with_its_configuration_and_a_page(project: Project, tmp_path: Path) -> None:
    told = evidence(project, *project.configuration, "--to", str(tmp_path / "kept"))
    assert told.returncode == 0, told.stderr
    assert {path.name for path in (tmp_path / "kept").glob("*.yaml")} == {
        Path(file).name for file in project.configuration
    }
    kept = evidence_folder.read(tmp_path / "kept")
    page = (tmp_path / "kept/README.md").read_text()
    assert page == evidence_page.render(kept)
    for row in kept.tables["verdicts"].to_dict("records"):
        assert row["words"] in page
    claims = tmp_path / "kept/tables/claims.csv"
    whole = project.folder / "results/digits/tables/claims.csv"
    assert claims.read_text().count("\n") == whole.read_text().count("\n")

    (tmp_path / "kept/README.md").write_text("edited")
    assert evidence(project, "--redraw", str(tmp_path / "kept")).returncode == 0
    assert (tmp_path / "kept/README.md").read_text() == page


def test_an_unfinished_experiment_is_refused_in_a_line(clean: Project, tmp_path: Path) -> None:
    told = evidence(clean, *clean.configuration, "--to", str(tmp_path / "kept"))
    assert told.returncode == 1
    assert "jobs are left" in told.stderr
    assert told.stderr.count("\n") == 1
    assert not (tmp_path / "kept").exists()
