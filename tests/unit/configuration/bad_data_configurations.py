"""The part of the table of bad configurations that is about data sets: source and targets."""

from typing import Any

from configurations import DEFAULT

ELSEWHERE = {"targets/held-out": {"name": "hfds/other"}}  # a target that goes with a source of larger images
TORCH = {"source/name": "torch/mnist", "source/root": "."}
CIFAR10: dict[str, Any] = {
    "name": "torch/cifar10",
    "root": ".",
    "classes": ["cat", "dog", "frog", "ship"],
    "partitions": {"by": "random"},
}

# What is wrong, where the default is changed, and the line that tells it; "..." stands for any text.
BAD_DATA: list[tuple[str, dict[str, Any], str]] = [
    # Source and targets
    (
        "an unknown data set",
        {"source/name": "cifar10"},
        "source.name: 'cifar10' is not a data set; choose digits, folder, imagenet, ..., or one of torch/NAME...",
    ),
    (
        "a folder without root",
        ELSEWHERE | {"source/name": "folder"},
        "source.root: missing; a folder data set needs the folder of its images",
    ),
    (
        "a root that is not there",
        ELSEWHERE | {"source/name": "folder", "source/root": "/nowhere"},
        "source.root: '/nowhere' does not exist; give the folder that holds 'train'",
    ),
    (
        "torchvision's data without root",
        ELSEWHERE | {"source/name": "torch/mnist"},
        "source.root: missing; give the folder that torchvision keeps torch/mnist in",
    ),
    (
        "torchvision's data that are not there",
        ELSEWHERE | {"source/name": "torch/mnist", "source/root": "/no"},
        "source.root: '/no' is no folder; give the folder that torchvision keeps torch/mnist in",
    ),
    (
        "trained and tested on one split",
        ELSEWHERE | {"source/name": "hfds/x", "source/test_split": "train"},
        "source.test_split: 'train' is the training split; name another, or set it to null",
    ),
    (
        "trained on torchvision's test half",
        ELSEWHERE | TORCH | {"source/train_split": "all"},
        "source.train_split: 'all' would be the test images of torch/mnist; set it to train",
    ),
    (
        "tested on torchvision's training half",
        ELSEWHERE | TORCH | {"source/test_split": "training"},
        "source.test_split: 'training' would be the training images of torch/mnist; set it to test",
    ),
    ("a number as root", {"source/root": 7}, "source.root: 7: should be a valid string; put it in quotes"),
    (
        "a test split of digits",
        {"source/test_split": "test"},
        "source.test_split: 'test', but digits have no splits; set it to null to hold out test_share",
    ),
    (
        "digits of another size",
        {"targets/held-out/image_size": 16},
        "targets.held-out.image_size: 16, but digits are 8 x 8 and stay so; set it to null",
    ),
    (
        "digits streamed",
        {"source/storage": "streamed"},
        "source.storage: streamed, but images of digits cannot be read in any order; set it to auto",
    ),
    (
        "data streamed that come one after the other",
        ELSEWHERE | {"source/name": "wds/x", "source/storage": "streamed"},
        "source.storage: streamed, but images of wds/x cannot be read in any order; set it to auto",
    ),
    (
        "more than all of the memory",
        {"jobs/memory_share": 1.5},
        "jobs.memory_share: 1.5: should be less than 1",
    ),
    (
        "a class that the data lack",
        {"source/classes": ["0", "1", "2", "five"], "source/partitions/classes/high": ["2", "five"]}
        | {"source/partitions/classes/low": ["0", "1"]},
        "source.classes: 'five' is not a class of digits; choose one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    ),
    (
        "a class that CIFAR-10 lacks",
        ELSEWHERE | {"source": {**CIFAR10, "classes": ["cat", "dogg", "frog", "ship"]}},
        "source.classes: 'dogg' is not a class of torch/cifar10; did you mean 'dog'?",
    ),
    (
        "a class twice",
        {"source/classes": ["0", "0", "1", "2", "3", "4", "5"]},
        "source.classes: ['0', '0', '1', '2', '3', '4', '5']: names '0' twice; name each once",
    ),
    ("one class", {"source/classes": ["0"]}, "source.classes: ['0']: value should have at least 2 items, not 1"),
    (
        "a class name that YAML takes for a truth value",
        {"source/classes": [False, "1"]},
        "source.classes.0: False: should be a valid string; put it in quotes",
    ),
    ("all images held out", {"source/test_share": 1.0}, "source.test_share: 1.0: should be less than 1"),
    ("no image for choices", {"source/validation_share": 0}, "source.validation_share: 0: should be greater than 0"),
    (
        "too much held out",
        {"source/test_share": 0.99, "source/validation_share": 0.9},
        "source.classes: '0' has 178 image(s) (and 5 more); too few to hold out 176 for test...; add images or...",
    ),
    ("no target", {"targets": {}}, "targets: {}: dictionary should have at least 1 item, not 0"),
    (
        "a target with source classes",
        {"targets/held-out/classes": ["5", "6"]},
        "targets.held-out.classes: ['5'] are source classes too; a target must be new to the tickets",
    ),
    (
        "a target that is the source",
        {"targets/held-out/classes": ["0", "1", "2", "3", "4", "5"]},
        "targets.held-out: equal to the source; choose another data set or other classes",
    ),
    (
        "two targets that are equal",
        {"targets/again": {"name": "digits", "classes": ["9", "8", "7", "6"]}},
        "targets.again: the same data and classes as targets.held-out; remove one",
    ),
    (
        "a target with a space in its name",
        {"targets/held out": {"name": "digits", "classes": ["6", "7"]}},
        "targets.held out: 'held out': should be a word of letters, digits, - and _, for it names a folder",
    ),
    (
        "a target called source",
        {"targets": {"source": DEFAULT["targets"]["held-out"]}},
        "targets.source: the name means something else; choose another",
    ),
    (
        "a target of other images",
        {"targets/other": {"name": "hfds/x"}},
        "targets.other.image_size: images differ from the source's in kind or size; tickets need the same",
    ),
]
