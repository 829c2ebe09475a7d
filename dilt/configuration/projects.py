"""Where the workflow's files lie, in a checkout and in an installed package, and what a project that uses them has.

A project includes the rules and copies what people edit. Rules and library are of one version: a copied rule would
call a later library's stages with options that they no longer have.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from dilt.jobs.fingerprint import PACKAGE, ROOT

PACKAGED = ROOT / PACKAGE / "project"  # of an installed package; a checkout has the files beside the package
# What people edit, and what editors check it by; at the same paths as in a checkout, so that each page's commands hold.
COPIED = ("config.yaml", "workflow/presets", "workflow/profiles", "workflow/schemas")
LINKS = {"profiles/default": "../workflow/profiles/local"}
SNAKEFILE = """\
# The workflow is that of the installed package, so that rules and library are of one version. After an upgrade,
# `snakemake -n` tells what the new version makes anew, and why. Rules of your own may stand below.
import dilt


include: dilt.workflow_folder() / "Snakefile"


# Snakemake does not take the default target of an included file.
rule everything:
    default_target: True
    input:
        rules.all.input,
    localrule: True
"""


def workflow_folder() -> Path:
    """The folder that has the workflow's ``Snakefile``: that of a checkout, or one inside the installed package.

    A Snakefile of yours includes it, or has it as a module, and so uses the rules of the version that is installed.
    """
    return PACKAGED if PACKAGED.is_dir() else ROOT


def write_project(folder: Path) -> list[str]:
    """Write a project's files into a folder; those that are there stay. Gives the paths written, from the folder.

    Raises:
        OSError: a file cannot be written.
    """
    source = workflow_folder()
    files = [file for name in COPIED for file in _files(source / name)]
    written = []
    for name in ["Snakefile", *(str(file.relative_to(source)) for file in files), *LINKS]:
        place = folder / name
        if place.is_symlink() or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if name == "Snakefile":
            place.write_text(SNAKEFILE, encoding="utf-8")
        elif name in LINKS:
            place.symlink_to(LINKS[name])
        else:
            shutil.copyfile(source / name, place)
        written.append(name)
    return written


def _files(place: Path) -> list[Path]:
    """A file by itself, or all that a folder has."""
    return sorted(file for file in place.rglob("*") if file.is_file()) if place.is_dir() else [place]
