"""What a person finds when a run has finished."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import xarray

import dilt
from dilt.answers.gathering import TABLES
from dilt.foundations import storage
from dilt.networks.architectures import MLP
from dilt.reporting.drawing import FIGURES
from dilt.tickets.names import TicketName


def test_every_claim_has_a_verdict_and_the_comparisons_behind_it(finished):
    tables = finished.folder / "results/digits/tables"
    claims = dilt.read_claims(tables / "claims.csv")
    verdicts = pd.read_csv(tables / "verdicts.csv")
    assert list(verdicts["claim"]) == ["C1", "C2", "C3"]
    assert set(claims.loc[claims["primary"], "claim"]) == {"C1", "C2", "C3"}
    assert set(claims["verdict"]) == {"inconclusive"}, "one seed cannot answer anything"
    assert {path.stem for path in tables.glob("*.csv")} == {*TABLES, "runtime"}


def test_every_ticket_is_explained_and_has_a_learning_curve(finished):
    tables = finished.folder / "results/digits/tables"
    tickets, curves = (pd.read_csv(tables / f"{name}.csv") for name in ("tickets", "learning_curves"))
    trained = {path.parent.name for path in (finished.folder / "results/digits").glob("seed-0/tickets/*/*/metrics.csv")}
    assert set(tickets["ticket"]) == trained
    assert tickets["what"].str.endswith(".").all()
    assert set(curves.loc[curves["of"] == "ticket", "kind"]) == {TicketName.parse(name).family for name in trained}
    kinds = {"partitions": 2, "siblings": 2, "all classes": 1, "random splits": 2, "COLT": 2}
    runs = curves[curves["of"] == "trajectory"]
    assert dict(zip(runs["kind"], runs["networks"], strict=True)) == kinds
    assert set(runs["round"]) == {1, 2}


def test_a_claim_that_transfers_nothing_can_be_asked_alone(project):
    project.edit("config.yaml", "asked: [C1, C2, C3]", "asked: [C2]")
    project.snakemake("--cores", "2")
    tables = project.folder / "results/digits/tables"
    assert list(pd.read_csv(tables / "verdicts.csv")["claim"]) == ["C2"]
    assert pd.read_csv(tables / "transfer.csv").empty
    assert (project.folder / "results/digits/report.html").exists()


def test_figures_and_report_are_there(finished):
    results = finished.folder / "results/digits"
    assert {path.name for path in (results / "figures").iterdir()} == {
        f"{f}.{e}" for f in FIGURES for e in ("svg", "png")
    }
    assert (results / "report.html").read_text().count("data:image/svg+xml;base64,") == len(FIGURES)


def test_what_every_stage_took_is_told(finished):
    results = finished.folder / "results/digits"
    runtime = pd.read_csv(results / "tables/runtime.csv").set_index("stage")
    told = {path.relative_to(results / "logs").parts[0].partition(".")[0] for path in results.rglob("*.usage.csv")}
    assert set(runtime.index) == told | {"all"}
    assert not runtime[["without_record", "killed"]].any(axis=None)
    assert (runtime[["cpu_s", "peak_memory_mb"]] > 0).all(axis=None)
    assert (runtime["wall_s"] > 0).all()
    assert (runtime.loc[["train", "train_ticket", "transfer_ticket", "all"], "training_share"] > 0).all()
    assert not runtime.loc[["combine", "compare", "snakemake"], "training_share"].any()


def test_every_row_of_a_table_has_its_file(finished):
    results = finished.folder / "results/digits"
    sources = pd.read_csv(results / "tables/sources.csv")
    for name, files in sources.groupby("table"):
        assert files["rows"].sum() == len(pd.read_csv(results / f"tables/{name}.csv"))
    assert [storage.file_digest(results / file) for file in sources["file"]] == list(sources["sha256"])


def test_the_claim_table_is_printed(finished):
    command = [sys.executable, "-m", "dilt.claims", "results/digits/tables"]
    printed = subprocess.run(command, cwd=finished.folder, capture_output=True, text=True, check=True).stdout
    assert "C1 INCONCLUSIVE" in printed
    assert "core - lth@core (transfer)" in printed
    assert "results/digits/report.html" in printed
    (address,) = re.findall(r"python -m webbrowser (file://\S+)", printed)
    assert Path(unquote(urlsplit(address).path)).samefile(finished.folder / "results/digits/report.html")
    brief = subprocess.run(
        [*command, "--brief"], cwd=finished.folder, capture_output=True, text=True, check=True
    ).stdout
    verdicts = pd.read_csv(finished.folder / "results/digits/tables/verdicts.csv")
    assert [line[:2] for line in brief.splitlines() if re.match("C[123] ", line)] == list(verdicts["claim"])
    assert all(words in " ".join(brief.split()) for words in verdicts["words"])
    assert "p above 0" in printed
    assert "p above 0" not in brief


def test_snakemake_reports_with_captions_and_categories(project):
    project.snakemake("--report", "report.zip")
    assert (project.folder / "report.zip").stat().st_size > 10_000


def test_masks_are_values_and_tickets_load_in_one_call(finished):
    tickets = finished.folder / "results/digits/seed-0/tickets/round-1"
    core, union = (dilt.read_mask(tickets / name / "mask.safetensors") for name in ("core", "union"))
    specialists = [dilt.read_mask(tickets / f"specialist-{p}" / "mask.safetensors") for p in ("low", "high")]
    assert core <= union
    assert core | specialists[0] | specialists[1] == union
    model = MLP(64, 10, width=12, depth=2)
    mask = dilt.load_ticket(model, tickets.parents[1] / "theta0.safetensors", tickets / "core/mask.safetensors")
    assert mask == core
    assert int((model.blocks[0].linear.weight != 0).sum()) == core.counts["blocks.0.linear.weight"]


def test_representations_open_in_xarray(finished):
    store = finished.folder / "results/digits/seed-0/representations/round-1/core.zarr"
    tree = xarray.open_datatree(store, engine="zarr", consolidated=False)
    assert tree["blocks.0"]["activations"].dims == ("probe", "feature")
    assert tree["blocks.0"]["activations"].shape == (12, 12)
    assert not tree["blocks.1"]["activations"].isnull().any()
