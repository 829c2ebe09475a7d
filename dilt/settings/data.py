"""The sections ``source`` and ``targets``: data sets, how they are split, and how their classes are partitioned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dilt.settings.base import YAML_FLOAT, ClassName, Count, Distinct, Name, Section, Seed, Share


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
    group_column: str = Field("group", description="its group")


GroupChoice = Annotated[PatternGroups | FolderGroups | TableGroups, Field(discriminator="by")]


class DataSet(Section):
    """A data set by name, how it is split, and the classes used."""

    name: str = Field(
        "folder",
        description="digits, folder, imagenet, tiny-imagenet, stanford-cars, or a name of timm's create_dataset",
    )
    root: str | None = Field(None, description="folder (or tar file) of the images")
    classes: Distinct[ClassName] | None = Field(None, min_length=2, description="classes used; null: all")
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
    crop_share: Annotated[float, Field(gt=0, le=1), YAML_FLOAT] = Field(
        1.0, description="of crop: side of the square as a share of the image's shorter side"
    )
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
    count: Annotated[int, Field(ge=2, description="how many partitions")] = 2
    seed: Seed = Field(0, description="draws the groups of a random split")


class TablePartitions(Section):
    """Partitions by a column of a class table."""

    by: Literal["table"]
    table: str = Field(description="CSV with a row per class")
    class_column: str = Field("class", description="the class, or a part of its name that several share")
    group_column: str = Field("group", description="its partition")


PartitionChoice = Annotated[ListedPartitions | SplitPartitions | TablePartitions, Field(discriminator="by")]


class Source(DataSet):
    """The data that the tickets are found on, and how its classes are partitioned."""

    partitions: PartitionChoice = SplitPartitions(by="random", count=3)
