"""Start-up is a cost that every job pays: heavy libraries are loaded only where they are used."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import dilt

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(file.stem for file in (ROOT / "dilt").glob("*.py") if file.stem not in ("__init__", "console"))


def loaded(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running some code."""
    told = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\n{told}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_the_library_costs_nothing_to_import() -> None:
    assert not loaded("import dilt") & {"torch", "pandas", "sklearn", "ot", "zarr", "timm", "numpy", "pydantic"}


def test_every_name_of_the_library_can_be_had() -> None:
    for name in dilt.__all__:
        assert getattr(dilt, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Masks'; it has Mask, "):
        _ = dilt.Masks


def test_type_checkers_see_the_same_names_at_the_same_homes() -> None:
    tree = ast.parse((ROOT / "dilt/__init__.py").read_text())
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dilt.")
    ]
    seen = {alias.asname: f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    assert seen == {name: f"dilt.{home}.{name}" for name, home in dilt._HOMES.items()}


def test_every_command_explains_itself_without_loading_anything_heavy() -> None:
    code = f"""
import contextlib, io, runpy, sys
for stage in {COMMANDS}:
    sys.argv, out = ["dilt." + stage, "--help"], io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_module("dilt." + stage, run_name="__main__")
    except SystemExit as done:
        assert done.code == 0, stage
    else:
        raise AssertionError(stage + " went on after --help")
    assert "python -m dilt." + stage in out.getvalue()
"""
    assert not loaded(code) & {"torch", "timm", "ot", "sklearn", "pandas", "matplotlib"}


def test_optimal_transport_does_not_load_torch() -> None:
    code = """
import numpy as np
from dilt.geometry.gromov_wasserstein import Geometry, gromov_wasserstein
cloud = np.random.default_rng(0).normal(size=(2, 300, 3))
first, second = (Geometry.of(np.linalg.norm(one[:, None] - one, axis=-1)) for one in cloud)
assert gromov_wasserstein(first, second).loss > 0
"""
    packages = loaded(code)
    assert "ot" in packages
    assert "torch" not in packages
