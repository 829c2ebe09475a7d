"""The rows of the table of bad configurations that are about how trainings change images and take steps."""

from typing import Any

BAD_RECIPES: list[tuple[str, dict[str, Any], str]] = [
    (
        "a policy that timm does not have",
        {"training/auto_augment": "randaugment"},
        "training.auto_augment: timm has no policy 'randaugment'; take trivial, original, 3a, ...",
    ),
    (
        "a policy of one target's training",
        {"transfer/training/auto_augment": "rand-x1"},
        "transfer.training.auto_augment: timm has no policy 'rand-x1'; take trivial, ...",
    ),
    (
        "Nesterov's momentum for AdamW",
        {"training/optimizer": "adamw", "training/nesterov": True},
        "training.nesterov: true, but the optimizer is adamw; set it to false",
    ),
    (
        "Nesterov's momentum without momentum",
        {"training/optimizer": "sgd", "training/momentum": 0.0, "training/nesterov": True},
        "training.nesterov: true, but the optimizer is sgd without momentum; set it to false",
    ),
    (
        "crops of files without crops",
        {"training/crop_from": "file"},
        "training.crop_from: file, but augmentation is none; set that to resized-crop",
    ),
    (
        "crops of files that are not there",
        {
            "training/crop_from": "file",
            "training/augmentation": "resized-crop",
            "transfer/training/crop_from": "prepared",
        },
        "training.crop_from: file, but images of digits are not read from files; set it to prepared",
    ),
    (
        "a share of images that are not cropped",
        {"source/crop_share": 0.875},
        "source.crop_share: 0.875, but images are not cropped; set resize to crop, and image_size",
    ),
    (
        "pairs that two GPUs cannot share",
        {"training/batch_size": 50, "training/mixup": 0.2, "jobs/gpus": 2},
        "training.batch_size: 50 images, which are mixed in pairs, cannot be shared by 2 GPUs evenly; take ...",
    ),
    (
        "more steps of warm-up than training on a target has",
        {"transfer/training/warmup_epochs": "5000it"},
        "transfer.training.warmup_epochs: 5000it is not below the 15 epochs of targets.held-out; lower it",
    ),
    (
        "a magnitude that timm would cut",
        {"training/auto_augment": "rand-m99"},
        "training.auto_augment: timm has no policy 'rand-m99' (timm would cut a magnitude above 10); take trivial, ...",
    ),
    (
        "a part of a policy that timm would pass over",
        {"training/auto_augment": "rand-m9-mstd"},
        "training.auto_augment: timm has no policy 'rand-m9-mstd' (timm would pass over a part ...); take ...",
    ),
    (
        "fixed positions of a perceptron",
        {"model/positions": "sincos2d"},
        "model.positions: sincos2d, but mlp has none; set it to learned",
    ),
    (
        "fixed positions of a ResNet",
        {"model": {"name": "resnet18", "positions": "sincos2d"}},
        "model.positions: resnet18 has no learnt positions of patches; set it to learned",
    ),
    (
        "a length in other words",
        {"pruning/rewind_epoch": "500 steps"},
        "pruning.rewind_epoch: '500 steps': should be a whole number of epochs, from 0, or of steps, such as '500it'",
    ),
    (
        "a negative length",
        {"training/warmup_epochs": -1},
        "training.warmup_epochs: -1: should be a whole number of epochs, from 0, or of steps, such as '500it'",
    ),
    (
        "no steps of warm-up, in steps",
        {"training/warmup_epochs": "0it"},
        "training.warmup_epochs: '0it': should be a whole number of epochs, from 0, or of steps, such as '500it'",
    ),
    (
        "more steps of rewinding than a partition's training has",
        {"pruning/rewind_epoch": "5000it"},
        "pruning.rewind_epoch: 5000it is after the last of 20 epochs; lower it",
    ),
    (
        "more steps of warm-up than a partition's training has",
        {"training/warmup_epochs": "5000it", "transfer/training/warmup_epochs": 0},
        "training.warmup_epochs: 5000it is not below the 20 epochs; lower it",
    ),
    (
        "one of the lengths that are tried",
        {"instability/rewind_epochs": [1, "5000it"]},
        "instability.rewind_epochs: 5000it is after the last of 20 epochs; lower it",
    ),
    (
        "a share of mixing",
        {"training/mixed_steps": 1.5},
        "training.mixed_steps: 1.5: should be less than or equal to 1",
    ),
]
