"""Facts about what is proposed for a folder of images, and about the file that says so."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dilt.configuration.explained_yaml import WIDTH, written
from dilt.configuration.proposal import EPOCHS, Network, name_of, networks, proposal
from dilt.data.partitions import find_columns
from dilt.settings.data import TablePartitions
from dilt.sources.survey import HERE, Survey

SMALL = Network(False, 32, {"name": "resnet18", "stem": "cifar"})


def survey(classes: int = 8, images: int = 100, **changes: Any) -> Survey:
    whole = {
        **{"root": Path("photos"), "train_split": HERE, "test_split": None, "class_depth": 1},
        **{"classes": {f"c{number}": images for number in range(classes)}, "test_images": 0},
        **{"sizes": [(640, 480)], "groups": None, "unreadable": []},
    }
    return Survey(**{**whole, **changes})


@pytest.mark.parametrize(
    ("classes", "held_out", "partitions"), [(6, 2, 2), (7, 2, 2), (8, 2, 3), (12, 3, 3), (100, 25, 3)]
)
def test_classes_are_divided_into_source_and_target(classes: int, held_out: int, partitions: int) -> None:
    values = proposal("photos", survey(classes), SMALL).values
    source, target = values["source"], values["targets"]["held-out"]
    assert len(target["classes"]) == held_out
    assert sorted(source["classes"] + target["classes"]) == sorted(f"c{number}" for number in range(classes))
    assert source["partitions"] == {"by": "random", "count": partitions}
    assert {key: source[key] for key in target if key != "classes"} == {
        **{"root": "photos", "train_split": HERE, "image_size": 32, "resize": "crop"}
    }


def test_another_folder_as_the_target_leaves_the_source_all_its_classes() -> None:
    other = survey(root=Path("/data/My cars!"), train_split="train", test_split="val", sizes=[(64, 64)])
    values = proposal("photos", survey(4), SMALL, target=other).values
    assert "classes" not in values["source"]
    assert values["targets"] == {
        "My-cars": {"root": "/data/My cars!", "test_split": "val", "image_size": 32},
    }


@pytest.mark.parametrize(
    ("classes", "target", "line"),
    [
        (5, None, "photos: of 5 classes none can be held out as a target.*--target"),
        (3, survey(), "photos: 3 classes; the smallest experiment has two partitions of two classes each"),
    ],
)
def test_too_few_classes_are_told(classes: int, target: Survey | None, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        proposal("photos", survey(classes), SMALL, target=target)


def test_partitions_by_a_table_keep_two_classes_each(tmp_path: Path) -> None:
    rows = "".join(f"{number};c{number};{'abc'[number % 3]};{number // 9}\n" for number in range(9))
    table = tmp_path / "kinds.csv"
    table.write_text("row;species;kind;year\n" + rows)
    columns = find_columns(table, [f"c{number}" for number in range(9)])
    assert columns == ("species", "kind"), "row is no name, and all years but one class are the same"
    by_table = TablePartitions(by="table", table=str(table), class_column="species", group_column="kind")
    values = proposal("photos", survey(9), SMALL, by_table).values
    kept = [int(name[1:]) % 3 for name in values["source"]["classes"]]
    assert len(kept) == 7
    assert min(map(kept.count, range(3))) >= 2
    assert values["source"]["partitions"] == by_table.model_dump()


def test_a_table_that_names_not_all_classes_is_told(tmp_path: Path) -> None:
    table = tmp_path / "kinds.csv"
    table.write_text("species,kind\nc0,a\nc1,a\n")
    with pytest.raises(ValueError, match=r"kinds.csv: none of its columns \(species, kind\) names all classes"):
        find_columns(table, ["c0", "c1", "c2"])


def test_steps_follow_from_the_number_of_images_and_epochs_from_the_time() -> None:
    few = proposal("photos", survey(8, 20), SMALL)
    assert few.images == 6 * (20 - 5 - 3), "a quarter held out as test, a fifth of the others as validation"
    assert few.values["training"] | {"augmentation": "crop"} == {
        **{"epochs": EPOCHS[1], "batch_size": 16, "augmentation": "crop"}
    }
    many = proposal("photos", survey(8, 10_000), SMALL).values["training"]
    assert (many["epochs"], many["batch_size"]) == (EPOCHS[0], 128)
    hurried = proposal("photos", survey(8, 20), SMALL, most_epochs=20)
    assert hurried.values["training"]["epochs"] == 20
    assert "as there is no time for 60" in hurried.reasons["training"]
    assert proposal("photos", survey(8, 20), SMALL, most_epochs=1).values["training"]["epochs"] == EPOCHS[0]


def test_no_more_probes_than_there_are_validation_images() -> None:
    assert proposal("photos", survey(8, 20), SMALL).values["representations"] == {"probes": 18}
    assert "representations" not in proposal("photos", survey(8, 500), SMALL).values


def test_networks_are_the_costliest_first_and_no_larger_than_the_images() -> None:
    def sizes(gpu: bool, *size: tuple[int, int]) -> list[int]:
        return list(dict.fromkeys(one.image_size for one in networks(survey(sizes=[*size]), gpu, None, None)))

    assert sizes(False, (640, 480)) == [64, 32]
    assert sizes(True, (640, 480)) == [224, 128, 96, 64, 32]
    assert sizes(True, (200, 100), (40, 50), (70, 90)) == [64, 32], "the median of short sides is 70"
    assert sizes(False, (20, 28)) == [20]
    widths = [one.model.get("arguments") for one in networks(survey(), False, None, None) if one.image_size == 32]
    assert widths == [None, {"channels": [32, 64, 128, 256]}, {"channels": [16, 32, 64, 128]}]


def test_a_network_of_the_user_s_choice() -> None:
    vit = next(networks(survey(), True, "vit_tiny_patch16_224", None))
    assert vit.model["arguments"] == {"img_size": 224, "patch_size": 28}
    on_cpu = [one.model["arguments"] for one in networks(survey(), False, "vit_tiny_patch16_224", None)]
    assert [(one["img_size"], one["patch_size"], one.get("depth")) for one in on_cpu] == [
        *((64, 8, None), (64, 8, 4), (32, 4, None), (32, 4, 4))
    ]
    pretrained = next(networks(survey(sizes=[(64, 64)]), False, "resnet50", "mine.safetensors"))
    assert pretrained.model == {"name": "resnet50", "weights": "mine.safetensors"}, "with the stem that its weights fit"
    assert pretrained.training == {"learning_rate": 0.0003}


def test_the_file_says_the_same_as_the_values_and_why() -> None:
    found = survey(30, groups=3.0, class_depth=2, sizes=[(64, 64)])
    one = proposal("photos", found, SMALL)
    text = written(one.values, one.reasons)
    assert yaml.safe_load(text) == one.values
    assert max(map(len, text.splitlines())) <= WIDTH + 2
    told = " ".join(line.strip("# ") for line in text.splitlines() if "#" in line)
    assert all(reason in told for reason in one.reasons.values())
    assert not [
        place for place in one.reasons if place and f"\n{'  ' * place.count('.')}{place.split('.')[-1]}:" not in text
    ]


def test_a_short_file_has_a_dozen_lines() -> None:
    text = written(proposal("photos", survey(8, sizes=[(64, 64)]), SMALL).values, {})
    assert len(text.splitlines()) <= 12


@pytest.mark.parametrize(("folder", "name"), [("/data/My birds!", "My-birds"), ("/", "images"), ("a/b_2", "b_2")])
def test_an_experiment_is_called_like_the_folder(folder: str, name: str) -> None:
    assert name_of(survey(root=Path(folder))) == name
