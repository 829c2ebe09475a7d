"""The rows of the table of bad configurations that are about the network and its training."""

import datetime
from typing import Any

NAN, INF = float("nan"), float("inf")

BAD_NETWORKS: list[tuple[str, dict[str, Any], str]] = [
    # Model
    (
        "a misspelt model",
        {"model/name": "resnet81"},
        "model.name: 'resnet81' is neither mlp nor a timm model; did you mean 'resnet18'?",
    ),
    (
        "weights of the perceptron",
        {"model/name": "mlp.small"},
        "model.name: 'mlp.small' is neither mlp nor a timm model; did you mean 'mvitv2_small'?",
    ),
    (
        "a misspelt argument",
        {"model/arguments": {"wdith": 96}},
        "model.arguments.wdith: unknown argument of mlp; did you mean 'width'?",
    ),
    (
        "a layer without units",
        {"model/arguments": {"width": 0}},
        "model.arguments.width: 0: should be a whole number of 1 or more",
    ),
    (
        "a truth value as width",
        {"model/arguments": {"width": True}},
        "model.arguments.width: True: should be a whole number of 1 or more",
    ),
    ("no layer", {"model/arguments": {"depth": 0}}, "model.arguments.depth: 0: should be a whole number of 1 or more"),
    (
        "a stem for small images that a ViT has not",
        {"model": {"name": "vit_tiny_patch16_224", "stem": "cifar"}},
        "model.stem: vit_tiny_patch16_224 has no cifar stem; remove it and give ... {img_size: 32, patch_size: 4}",
    ),
    (
        "a stem for small images that a ConvNeXt has not",
        {"model": {"name": "convnext_atto", "stem": "cifar"}},
        "model.stem: convnext_atto has no cifar stem; remove it and give ... {patch_size: 1}",
    ),
    ("a stem of mlp", {"model/stem": "cifar"}, "model.stem: cifar, but mlp has no stem; set it to standard"),
    ("an unknown stem", {"model/stem": "small"}, "model.stem: 'small': should be 'standard' or 'cifar'"),
    (
        "pretrained weights that are not there",
        {"model": {"name": "resnet18", "weights": "gone.safetensors"}},
        "model.weights: 'gone.safetensors' does not exist; give the path of a safetensors file",
    ),
    (
        "pickled weights",
        {"model": {"name": "resnet18", "weights": "resnet18.pth"}},
        "model.weights: 'resnet18.pth' is no .safetensors file; pickled weights can run code: convert ...",
    ),
    (
        "pretrained weights of mlp",
        {"model/weights": "mlp.safetensors"},
        "model.weights: a file of timm's models, but the model is mlp; set it to null",
    ),
    (
        "a checkpoint among the arguments",
        {"model": {"name": "resnet18", "arguments": {"checkpoint_path": "resnet18.pth"}}},
        "model.arguments.checkpoint_path: would be loaded again by every job; give the file as model.weights",
    ),
    (
        "an argument that timm's model lacks",
        {"model": {"name": "resnet18", "arguments": {"wdith": 2}}},
        "model.arguments: resnet18 cannot be built ... unexpected keyword argument 'wdith'); correct the arguments",
    ),
    (
        "the classes as argument",
        {"model": {"name": "resnet18", "arguments": {"num_classes": 10}}},
        "model.arguments.num_classes: follows from the data; leave it out",
    ),
    (
        "the channels as argument",
        {"model": {"name": "resnet18", "arguments": {"in_chans": 1}}},
        "model.arguments.in_chans: follows from the data; leave it out",
    ),
    (
        "a number in quotes among timm's arguments",
        {"model": {"name": "resnet18", "arguments": {"drop_rate": "1e-5"}}},
        "model.arguments.drop_rate: '1e-5': text, which was hardly meant; write it without quotes",
    ),
    (
        "a truth value in quotes, deep among timm's arguments",
        {"model": {"name": "resnet18", "arguments": {"act_layer": [{"inplace": "yes"}]}}},
        "model.arguments.act_layer.0.inplace: 'yes': text, which was hardly meant; write it without quotes",
    ),
    (
        "Python's None among timm's arguments",
        {"model": {"name": "resnet18", "arguments": {"norm_layer": "None"}}},
        "model.arguments.norm_layer: 'None': text; write null",
    ),
    (
        "NaN among timm's arguments",
        {"model": {"name": "resnet18", "arguments": {"drop_rate": NAN}}},
        "model.arguments.drop_rate: nan: should be a finite number",
    ),
    (
        "a date among timm's arguments",
        {"model": {"name": "resnet18", "arguments": {"tag": datetime.date(2020, 1, 1)}}},
        "model.arguments.tag: 2020-01-01: a date; put it in quotes",
    ),
    (
        "a number that names an argument",
        {"model": {"name": "resnet18", "arguments": {1: 2}}},
        "model.arguments.1: 1: should be a valid string; put it in quotes",
    ),
    # Training
    ("no epochs", {"training/epochs": 0}, "training.epochs: 0: should be greater than or equal to 1"),
    ("a truth value as number", {"training/epochs": True}, "training.epochs: True: should be a valid integer"),
    (
        "a number in quotes",
        {"training/epochs": "20"},
        "training.epochs: '20': should be a valid integer; write it without quotes",
    ),
    (
        "a truth value in quotes",
        {"training/deterministic": "true"},
        "training.deterministic: 'true': should be a valid boolean; write it without quotes",
    ),
    (
        "a rate in quotes",
        {"training/learning_rate": "0.1"},
        "training.learning_rate: '0.1': should be a valid number; write it without quotes",
    ),
    ("a negative rate", {"training/learning_rate": -0.1}, "training.learning_rate: -0.1: should be greater than 0"),
    ("a rate of zero", {"training/learning_rate": 0}, "training.learning_rate: 0: should be greater than 0"),
    ("a rate of NaN", {"training/learning_rate": NAN}, "training.learning_rate: nan: should be a finite number"),
    ("an infinite rate", {"training/learning_rate": INF}, "training.learning_rate: inf: should be a finite number"),
    ("an infinite decay", {"training/weight_decay": INF}, "training.weight_decay: inf: should be a finite number"),
    (
        "a rate too large for a float",
        {"transfer/finetune_learning_rate": "1e999"},
        "transfer.finetune_learning_rate: inf: should be a finite number",
    ),
    (
        "an unknown optimizer",
        {"training/optimizer": "adam"},
        "training.optimizer: 'adam': should be 'sgd', 'adamw', 'lamb' or 'lion'",
    ),
    ("a typo", {"training/learningrate": 0.1}, "training.learningrate: unknown key; did you mean 'learning_rate'?"),
    ("long warm-up", {"training/warmup_epochs": 20}, "training.warmup_epochs: 20 is not below the 20 epochs; lower it"),
    (
        "steps without milestones",
        {"training/schedule": "step"},
        "training.milestones: missing; a step schedule needs the epochs after which the learning rate decays",
    ),
    (
        "milestones of a cosine",
        {"training/milestones": [5]},
        "training.milestones: [5], but the schedule is cosine; leave them out or set it to step",
    ),
    (
        "a milestone after the end",
        {"transfer/training/schedule": "step", "transfer/training/milestones": [5, 15]},
        "transfer.training.milestones: [5, 15] should be ascending epochs after warm-up (0) and before the last (15)",
    ),
    (
        "a batch that two GPUs cannot share",
        {"training/batch_size": 33, "jobs/gpus": 2},
        "training.batch_size: 33 cannot be shared by 2 GPUs (jobs.gpus) evenly",
    ),
    (
        "several GPUs and several jobs on each",
        {"jobs/per_gpu": 2, "jobs/gpus": 2},
        "jobs.per_gpu: 2, but a job has 2 GPUs; share GPUs among jobs with one each",
    ),
    ("half an image", {"training/batch_size": 3.5}, "training.batch_size: 3.5: should be a valid integer"),
]
