"""Settings of an experiment that has run, as the folder of its networks keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dilt.foundations import storage
from dilt.foundations.result_paths import Networks
from dilt.settings.networks import Model
from dilt.tickets.pattern import ANY, Pattern


@dataclass(frozen=True)
class Settings:
    """What experiments that share networks agree on."""

    model: Model
    resize: Literal["squash", "crop"]
    crop_share: float = 1.0
    pattern: Pattern = ANY

    @property
    def bare_model(self) -> Model:
        """The network without what loads weights made elsewhere."""
        arguments = {key: value for key, value in self.model.arguments.items() if key != "pretrained"}
        return self.model.model_copy(update={"arguments": arguments, "weights": None})


def read_settings(root: Path) -> Settings:
    """The settings of the experiments whose networks are below a folder, such as ``results/digits``.

    Raises:
        FileNotFoundError: there are none.
        ValueError: they are damaged.
    """
    records = sorted((root / "experiments").glob("*.json"))
    if not records:
        raise FileNotFoundError(
            f"{root / 'experiments'}: no settings of an experiment; give the folder of an experiment's networks, such "
            "as results/digits"
        )
    settings = storage.read_json(records[0])
    try:
        prefix = "model."
        model = {key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)}
        pattern = Pattern.of(settings.get("pruning.pattern"))
        model_settings = Model.model_validate(model)
        return Settings(model_settings, settings["source.resize"], settings["source.crop_share"], pattern)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{records[0]}: not the settings of an experiment; run the workflow again") from error


def missing(path: Path, cure: str) -> FileNotFoundError:
    """The error of a file that is not there: it was removed (jobs.keep), or not made.

    Args:
        cure: of a file that was not made.
    """
    for folder in path.parents:
        record = folder / Path(Networks.REMOVED).name
        place = path.relative_to(folder.parent).as_posix()
        if record.is_file() and place in storage.read_json(record)["networks"]:
            again = f"snakemake results/{folder.absolute().parent.name}/{place} --cores 2"
            return FileNotFoundError(
                f"{path}: removed, as jobs.keep is masks; `{again}` trains it again, to the same bits"
            )
    return FileNotFoundError(f"{path}: no such file; {cure}")
