"""Facts about fingerprints: they follow the code that runs, not how it is written down."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULES = {
    "__init__": "",
    "stage": '"""A stage."""\nfrom dilt import plain\n\ndef run(x):\n    """Runs."""\n    return plain.double(x)\n',
    "plain": "def double(x):\n    return 2 * x\n",
    "late": "VALUE = 1\n",
    "near": "VALUE = 2\n",
    "typed": "VALUE = 3\n",
}


@pytest.fixture
def fingerprints(tmp_path: Path) -> ModuleType:
    """The module under test, looking at a small package in ``tmp_path``."""
    spec = importlib.util.spec_from_file_location("fingerprint_under_test", ROOT / "dilt/jobs/fingerprint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "dilt").mkdir()
    for name, text in MODULES.items():
        (tmp_path / "dilt" / f"{name}.py").write_text(text)
    module.ROOT = tmp_path
    return module


def after(fingerprints: ModuleType, stage: str | None = None, **others: str) -> list[str]:
    """The stage's fingerprint when some modules have changed."""
    for name, text in (others | ({"stage": stage} if stage is not None else {})).items():
        (fingerprints.ROOT / "dilt" / f"{name}.py").write_text(text)
    fingerprints._parsed.cache_clear()
    return list(fingerprints.fingerprint("dilt.stage"))


def names(fingerprint: list[str]) -> list[str]:
    return [entry.split(":")[0].removeprefix("dilt.") for entry in fingerprint]


@pytest.mark.parametrize(
    "same",
    [
        MODULES["stage"] + "\n# a comment\n",
        MODULES["stage"].replace("A stage.", "Another description.").replace("Runs.", "Runs it."),
        MODULES["stage"].replace('"""A stage."""\n', "").replace('    """Runs."""\n', ""),
        MODULES["stage"].replace("plain.double(x)", "(\n        plain.double(\n            x\n        )\n    )"),
    ],
    ids=["comment", "docstrings changed", "docstrings removed", "layout"],
)
def test_what_does_not_run_does_not_count(fingerprints: ModuleType, same: str) -> None:
    assert after(fingerprints) == after(fingerprints, same)


@pytest.mark.parametrize(
    "other",
    [
        MODULES["stage"].replace("double(x)", "double(x) + 1"),
        MODULES["stage"].replace("def run(x)", "def run(x, y=1)"),
        MODULES["stage"] + "run(1)\n",
        MODULES["stage"].replace("return plain.double(x)", "return 'plain.double(x)'"),
    ],
)
def test_what_runs_counts(fingerprints: ModuleType, other: str) -> None:
    before = after(fingerprints)
    changed = after(fingerprints, other)
    assert [name for name, a, b in zip(names(before), before, changed, strict=True) if a != b] == ["stage"]


TELLING = """
def checked(x, options):
    if x < 0:
        raise ValueError(f"x: {x}; " + "give another", 3)
    options.add("--x", default=2, help="a number")
    return options.field(1, description=f"what {x} is")
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("give another", "name another", True),
        ("x: {x}; ", "x is {x}, ", True),
        ('help="a number"', 'help="any number"', True),
        ('description=f"what {x} is"', 'description="what it is"', True),
        ("ValueError", "TypeError", False),
        ('another", 3', 'another", 4', False),
        ("if x < 0", "if x < 1", False),
        ("default=2", "default=3", False),
        ('"--x"', '"--y"', False),
        ('help="a number"', "help=x", False),
        ("field(1", "field(2", False),
    ],
)
def test_words_for_people_do_not_count(fingerprints: ModuleType, old: str, new: str, same: bool) -> None:
    assert old in TELLING
    assert (after(fingerprints, TELLING) == after(fingerprints, TELLING.replace(old, new))) == same


def test_what_changes_no_result_does_not_count_nor_what_it_alone_imports(fingerprints: ModuleType) -> None:
    for folder, module, text in (("jobs", "checkpoints", "import dilt.near\n"), ("foundations", "locks", "")):
        (fingerprints.ROOT / "dilt" / folder).mkdir()
        (fingerprints.ROOT / "dilt" / folder / "__init__.py").touch()
        (fingerprints.ROOT / "dilt" / folder / f"{module}.py").write_text(text)
    text = "from dilt.jobs import checkpoints\nfrom dilt.foundations.locks import held\n"
    assert names(after(fingerprints, text)) == ["foundations", "jobs", "stage"]
    assert "jobs.checkpoints" in names(fingerprints.fingerprint("dilt.jobs.checkpoints")), "asked for by name"


def test_a_change_below_is_named_by_its_module(fingerprints: ModuleType) -> None:
    before, code = after(fingerprints), fingerprints.code_digest("dilt.stage")
    changed = after(fingerprints, plain="def double(x):\n    return 3 * x\n")
    assert names(before) == names(changed) == ["plain", "stage"]
    assert [a == b for a, b in zip(before, changed, strict=True)] == [False, True]
    assert fingerprints.code_digest("dilt.stage") != code
    assert after(fingerprints, late="VALUE = 9\n") == changed


@pytest.mark.parametrize(
    "text",
    [
        "import dilt.late",
        "import dilt.late as other",
        "from dilt import late",
        "from dilt.late import VALUE",
        "from . import late",
        "from .late import VALUE",
        "def run():\n    from dilt.late import VALUE\n    return VALUE",
        "class Stage:\n    def run(self):\n        import dilt.late",
        "try:\n    import dilt.late\nexcept ImportError:\n    pass",
    ],
)
def test_every_form_of_import_is_followed(fingerprints: ModuleType, text: str) -> None:
    assert names(after(fingerprints, text)) == ["late", "stage"]


def test_imports_of_imports_are_followed_and_circles_end(fingerprints: ModuleType) -> None:
    found = after(fingerprints, "import dilt.late", late="import dilt.near", near="import dilt.stage")
    assert names(found) == ["late", "near", "stage"]


def test_imports_for_type_checkers_alone_are_not_followed(fingerprints: ModuleType) -> None:
    text = "from typing import TYPE_CHECKING\nimport dilt\nif TYPE_CHECKING:\n    from dilt import typed\n"
    assert names(after(fingerprints, text)) == ["stage"]


def test_what_runs_instead_of_type_checking_is_followed(fingerprints: ModuleType) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import dilt.typed\nelse:\n    import dilt.late\n"
    assert names(after(fingerprints, text)) == ["late", "stage"]


def test_other_packages_are_left_out(fingerprints: ModuleType) -> None:
    assert names(after(fingerprints, "import numpy, json, dilt, diltlike.late")) == ["stage"]


def test_the_stages_of_this_repository_depend_on_what_they_import() -> None:
    spec = importlib.util.spec_from_file_location("fingerprint_here", ROOT / "dilt/jobs/fingerprint.py")
    assert spec is not None
    assert spec.loader is not None
    here = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(here)
    assert {"training.session", "networks.building", "tickets.masks"} <= set(names(here.fingerprint("dilt.train")))
    assert not {"training.session", "networks.building", "grouping.clustering"} & set(
        names(here.fingerprint("dilt.prune"))
    )


def test_what_is_said_to_change_no_result_is_there() -> None:
    from dilt.jobs.fingerprint import WITHOUT_RESULT, _path

    assert [name for name in WITHOUT_RESULT if not _path(name).is_file()] == []


def test_any_byte_of_the_sources_counts_for_their_digest(fingerprints: ModuleType) -> None:
    before = fingerprints.sources_digest()
    assert fingerprints.sources_digest() == before
    (fingerprints.ROOT / "dilt" / "plain.py").write_text(MODULES["plain"] + "# a comment\n")
    assert fingerprints.sources_digest() != before
