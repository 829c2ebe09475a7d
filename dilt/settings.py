"""The sections of the configuration: every key, its type and its limits.

A stage reads its sections from ``--options``; the whole file is `config`'s. Whether sections agree with each other and
with what is installed is checked by `consistency`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

FEWEST_PROBES = 8  # that layers are compared on
MLP_DEFAULTS = {"width": 96, "depth": 4}  # arguments of the model mlp
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


def _number(value: Any) -> Any:
    """YAML takes 1e-3, which has no point, for text."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+\.?\d*[eE][+-]?\d+", value):
        return float(value)
    return value


def _class_name(value: Any) -> Any:
    """A number that stands for a class; but not ``no``, ``on`` or ``true``, which YAML takes for booleans."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _exclusion(value: Any) -> Any:
    """One message where pydantic would have one of the truth value and others of the list."""
    if isinstance(value, bool) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return value
    raise ValueError("should be true, false or a list of names and patterns such as ['*.bias']")


Name = Annotated[str, Field(pattern=NAME, max_length=64, description="a name that can be a folder")]
YAML_FLOAT = BeforeValidator(_number)
Share = Annotated[float, Field(gt=0, lt=1), YAML_FLOAT]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
ClassName = Annotated[str, BeforeValidator(_class_name)]
Protocol = Literal["retrain", "finetune", "linear"]
Claim = Literal["C1", "C2", "C3"]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, true and "3" are no numbers, values are fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PatternGroups(Section):
    """Groups of images by their names."""

    by: Literal["pattern"]
    pattern: str = Field(
        min_length=1,
        description="regular expression, searched in an image's path from root; its parentheses hold the group",
    )


class FolderGroups(Section):
    """Groups of images by a folder."""

    by: Literal["folder"]
    folder: Literal["below", "above"] = Field("below", description="CLASS/GROUP/images, or GROUP/CLASS/images")


class TableGroups(Section):
    """Groups of images by a table."""

    by: Literal["table"]
    table: str = Field(description="CSV with a row per image")
    image_column: str = Field("image", description="its path or the end of it, with or without extension")
    group_column: str = "group"


GroupChoice = Annotated[PatternGroups | FolderGroups | TableGroups, Field(discriminator="by")]


class DataSet(Section):
    """A data set by name, how it is split, and the classes used."""

    name: str = Field(
        description="digits, folder, imagenet, tiny-imagenet, stanford-cars, or a name of timm's create_dataset"
    )
    root: str | None = Field(None, description="folder (or tar file) of the images")
    classes: list[ClassName] | None = Field(None, min_length=2, description="classes used; null: all")
    class_depth: Count = Field(1, description="folders that name a class: 2 for alphabet/character")
    images_per_class: Annotated[int, Field(ge=2)] | None = Field(
        None, description="training and validation images of a class at most, for quick trials; null: all"
    )
    groups: GroupChoice | None = Field(
        None, description="images that stay on one side of every split; null: each alone"
    )
    train_split: str = Field("train", description="name of the training split")
    test_split: str | None = Field(None, description="name of the test split; null: hold out a share")
    test_share: Share = Field(0.25, description="share held out as test data where there is no test split")
    validation_share: Share = Field(0.2, description="share of the training data held out for choices")
    split_seed: Seed = Field(0, description="draws the held-out images; the same for every seed of the experiment")
    image_size: Count | None = Field(None, description="side in pixels that images are resized to; null: as they are")
    resize: Literal["squash", "crop"] = Field("squash", description="whole images made square, or their middle square")
    storage: Literal["auto", "decoded", "streamed"] = Field(
        "auto", description="decoded once, or at every use from their files; auto: by size. Changes no number"
    )


class ListedPartitions(Section):
    """Partitions as lists of classes."""

    by: Literal["classes"]
    classes: dict[Name, list[ClassName]] = Field(description="partition name to its classes")


class SplitPartitions(Section):
    """Partitions of neighbouring or random classes, as equal in size as can be."""

    by: Literal["contiguous", "random"]
    count: Annotated[int, Field(ge=2)] = 2
    seed: Seed = Field(0, description="draws the groups of a random split")


class TablePartitions(Section):
    """Partitions by a column of a class table."""

    by: Literal["table"]
    table: str = Field(description="CSV with a row per class")
    class_column: str = "class"
    group_column: str = "group"


PartitionChoice = Annotated[ListedPartitions | SplitPartitions | TablePartitions, Field(discriminator="by")]


class Source(DataSet):
    """The data that the tickets are found on, and how its classes are partitioned."""

    partitions: PartitionChoice


class Model(Section):
    """The network."""

    name: str = Field(description="mlp, or any model name of timm")
    arguments: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the model")
    stem: Literal["standard", "cifar"] = Field("standard", description="cifar: the stem for images of 32 to 64 pixels")
    weights: str | None = Field(None, description="safetensors file of a pretrained model of that name; null: none")


class Training(Section):
    """One training from theta0 (or on from trained weights)."""

    epochs: Count
    batch_size: Count
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Annotated[float, Field(gt=0), YAML_FLOAT]
    momentum: Annotated[float, Field(ge=0, lt=1), YAML_FLOAT] = 0.9
    weight_decay: Annotated[float, Field(ge=0), YAML_FLOAT] = 0.0
    weight_decay_exclude: Annotated[
        bool | list[str],
        Field(description="parameters without decay; true: as timm's optimizer factory has it; false: none"),
        BeforeValidator(_exclusion),
    ] = True
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    milestones: list[Count] = Field(default_factory=list, description="of step: epochs after which the rate decays")
    decay: Annotated[float, Field(gt=0, lt=1, description="of step: factor at each milestone"), YAML_FLOAT] = 0.1
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    label_smoothing: Annotated[float, Field(ge=0, lt=1), YAML_FLOAT] = 0.0
    augmentation: Literal["none", "crop-flip", "crop", "resized-crop"] = "none"
    precision: Literal["float32", "tf32", "bfloat16", "auto"] = "float32"
    deterministic: bool = True
    compile: Literal["auto", "never", "always"] = "auto"
    batch_norm: Literal["local", "synchronised"] = "local"


def _inheriting() -> dict[str, Any]:
    """The JSON schema of a training that has another's values wherever it gives none."""
    whole = Training.model_json_schema()
    properties = {
        key: {part: told for part, told in value.items() if part != "default"}
        for key, value in whole["properties"].items()
    }
    described = "As training on the source, whose values it has where it gives none."
    return {name: part for name, part in whole.items() if name != "required"} | {
        "properties": properties,
        "description": described,
    }


class Pruning(Section):
    """Iterative magnitude pruning."""

    rounds: Count
    rate: Share
    scope: Literal["global", "layerwise"] = "global"
    rewind_epoch: Annotated[int, Field(ge=0)] = 0
    exclude: list[str] = Field(default_factory=list, description="weights never pruned, by name or shell pattern")


class Tickets(Section):
    """Which tickets there are, which rounds' are trained, and where claims are read."""

    rounds: list[Count] = Field(min_length=1)
    claim_round: Count
    names: list[str] = Field(default_factory=list, description="tickets besides baselines; completed as claims need")


def _may_lack_training(schema: dict[str, Any]) -> None:
    schema["required"].remove("training")


class Transfer(Section):
    """How tickets are judged on targets."""

    model_config = ConfigDict(json_schema_extra=_may_lack_training)

    protocols: list[Protocol] = Field(min_length=1)
    training: Annotated[Training, WithJsonSchema(_inheriting())]
    finetune_learning_rate: Annotated[float, Field(gt=0), YAML_FLOAT]
    penalties: list[Annotated[float, Field(gt=0), YAML_FLOAT]] = Field(min_length=1)


class Representations(Section):
    """Activations of each block on a fixed set of probe images."""

    probes: Annotated[int, Field(ge=FEWEST_PROBES)]
    layers: list[str] | None = Field(None, min_length=1)
    pooling: Literal["mean", "flat", "tokens", "projection"] = "mean"
    projected_features: Count = 512
    flat_limit_mb: Count = Field(default=256, description="flattened layers above it are kept as inner products")


class Distances(Section):
    """How Gromov-Wasserstein distances are measured."""

    cost: Literal["euclidean", "sqeuclidean", "cosine"] = "euclidean"
    scaling: Literal["mean", "max", "none"] = "mean"
    solver: Literal["standard", "thorough"] = "standard"
    probe_subsets: Count = Field(default=1, description="disjoint subsets of the probes, compared in place of all")


class Clustering(Section):
    """Spectral clustering of layers into modules."""

    affinity: Literal["median", "local"] = "median"
    neighbour: Count = 7
    chooser: Literal["silhouette", "eigengap"] = "silhouette"
    number: Annotated[int, Field(ge=2)] | None = None
    max_modules: Annotated[int, Field(ge=2)] = 8
    subsamples: Count = 20
    shuffles: Annotated[int, Field(ge=19)] = 99
    seed: Seed = 0


class Claims(Section):
    """Which claims are asked, and the rule that turns paired differences into verdicts."""

    asked: list[Claim] = Field(default=["C1", "C2", "C3"], min_length=1)
    confidence: Annotated[float, Field(ge=0.5, lt=1), YAML_FLOAT] = 0.95
    margin: Annotated[float, Field(ge=0, description="percentage points"), YAML_FLOAT] = 1.0
    resamples: Annotated[int, Field(ge=100, description="of the test images")] = 4000


class Jobs(Section):
    """How work is cut into jobs; changes no number in the results."""

    siblings: Literal["together", "apart"] = "together"
    threads: Count = 1
    gpus: Annotated[int, Field(ge=1, description="GPUs of a job that trains; without any, CPU processes")] = 1
    per_gpu: Annotated[int, Field(ge=1, description="jobs that share a GPU")] = 1
    mem_mb: Annotated[int | None, Field(ge=1, description="of jobs with networks; null: as predicted")] = None
    runtime: Count = 60
    memory_share: Annotated[Share, Field(description="of the memory, above which a data set is streamed")] = 0.5
    workers: Annotated[int | None, Field(ge=0, description="processes that decode images; null: one a thread")] = None
    checkpoint_minutes: Annotated[float, Field(gt=0), YAML_FLOAT] = 5.0
    compare_threads: Count = Field(default=1, description="processes of a job that compares layers")
    compare_jobs: Count = Field(default=1, description="jobs that the comparison of a seed's layers is cut into")
