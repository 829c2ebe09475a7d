"""The table of bad configurations, each with the one line that tells of it before any job."""

from typing import Any

from bad_claim_configurations import BAD_CLAIMS
from bad_data_configurations import BAD_DATA, CIFAR10, ELSEWHERE
from bad_network_configurations import BAD_NETWORKS
from bad_recipe_configurations import BAD_RECIPES
from bad_ticket_configurations import BAD_TICKETS
from configurations import GONE

# What is wrong, where the default is changed, and the line that tells it; "..." stands for any text.
BAD: list[tuple[str, dict[str, Any], str]] = [
    # The experiment as a whole
    ("a space in a name", {"experiment": "my digits"}, "experiment: 'my digits': should be a word of letters..."),
    ("a slash in a name", {"experiment": "../digits"}, "experiment: '../digits': should be a word of letters..."),
    ("a hidden folder", {"experiment": ".digits"}, "experiment: '.digits': should be a word of letters..."),
    ("letters of Unicode", {"networks": "zählen"}, "networks: 'zählen': should be a word of letters..."),
    ("braces in a name", {"experiment": "a{seed}"}, "experiment: 'a{seed}': should be a word of letters..."),
    (
        "a name too long for a file",
        {"experiment": "x" * 65},
        "experiment: ...: string should have at most 64 characters",
    ),
    (
        "braces in a target's name",
        {"targets": {"{a}": {"name": "digits"}}},
        "targets.{a}: '{a}': should be a word of...",
    ),
    (
        "a space in a partition's name",
        {"source/partitions/classes": {"my own": ["0", "1", "2"], "high": ["3", "4", "5"]}},
        "source.partitions.classes.my own: 'my own': should be a word of letters...",
    ),
    *(
        (f"no {key}", {key: GONE}, f"{key}: missing; config.yaml shows what belongs here")
        for key in ("experiment", "source", "targets")
    ),
    ("no seeds", {"seeds": []}, "seeds: []: list should have at least 1 item, not 0"),
    ("a seed twice", {"seeds": [0, 1, 0]}, "seeds: [0, 1, 0]: names 0 twice; name each once"),
    ("a negative seed", {"seeds": [-1]}, "seeds.0: -1: should be greater than or equal to 0"),
    ("one seed, no list", {"seeds": 4}, "seeds: 4: should be a valid list, such as [4]"),
    ("a truth value as seed", {"seeds": [True]}, "seeds.0: True: should be a valid integer"),
    ("a misspelt section", {"trainning": {}}, "trainning: unknown key; did you mean 'training'?"),
    ("a key's old name", {"jobs/siblings": "apart"}, "jobs.siblings: is called jobs.group now; rename it"),
    ("a section of nobody's", {"zzz": 1}, "zzz: unknown key; remove it"),
    ("a section empty", {"training": None}, "training: None: should be a mapping of keys to values, as in config.yaml"),
    *BAD_DATA,
    # Partitions
    (
        "an unknown way to partition",
        {"source/partitions/by": "size"},
        "source.partitions.by: 'size': should be one of 'classes', 'contiguous', 'random', 'table'",
    ),
    (
        "no way to partition",
        {"source/partitions/by": GONE},
        "source.partitions.by: missing; config.yaml shows what belongs here",
    ),
    (
        "partitions that overlap",
        {"source/partitions/classes/high": ["2", "3", "4", "5"]},
        "source.partitions.classes: class '2' is in 'low' and in 'high'; it may be in one only",
    ),
    (
        "a class twice in a partition",
        {"source/partitions/classes/high": ["3", "4", "5", "5"]},
        "source.partitions.classes: class '5' is twice in 'high'; name it once",
    ),
    (
        "a class in no partition",
        {"source/partitions/classes/high": ["3", "4"]},
        "source.partitions.classes: class '5' is in no partition; add it to one or leave it out of source.classes",
    ),
    (
        "a partition with a class that the data lack",
        {"source/partitions/classes/high": ["3", "4", "5", "x"]},
        "source.partitions.classes: class 'x' of 'high' is not a source class; remove it or correct its name",
    ),
    (
        "one partition",
        {"source/partitions/classes/high": GONE},
        "source.partitions.classes: 1 partition(s) given; two or more are needed, add one",
    ),
    (
        "a partition with one class",
        {"source/partitions/classes": {"low": ["0", "1", "2", "3", "4"], "high": ["5"]}},
        "source.partitions.classes: partition 'high' has 1 class(es); a classifier needs two or more",
    ),
    (
        "an empty partition",
        {"source/partitions/classes/none": []},
        "source.partitions.classes: partition 'none' has 0 class(es); a classifier needs two or more",
    ),
    (
        "a partition called full",
        {"source/partitions/classes": {"low": ["0", "1", "2"], "full": ["3", "4", "5"]}},
        "source.partitions.classes: the name 'full' means something else; choose another",
    ),
    (
        "a partition called like a random part of the images",
        {"source/partitions/classes": {"split-1": ["0", "1", "2"], "high": ["3", "4", "5"]}},
        "source.partitions.classes: the name 'split-1' means something else; choose another",
    ),
    ("a key of other partitions", {"source/partitions/count": 2}, "source.partitions.count: unknown key; remove it"),
    (
        "more partitions than pairs of classes",
        {"source/partitions": {"by": "random", "count": 4}},
        "source.partitions.count: 4 partitions of 6 classes; each needs two classes, so at most 3",
    ),
    (
        "a class table that is not there",
        {"source/partitions": {"by": "table", "table": "none.csv"}},
        "source.partitions.table: 'none.csv' does not exist; give a CSV with a row per class",
    ),
    # Groups and deep classes
    (
        "an unknown way to group",
        {"source/groups": {"by": "name"}},
        "source.groups.by: 'name': should be one of 'pattern', 'folder', 'table'",
    ),
    ("no way to group", {"source/groups": {}}, "source.groups.by: missing; config.yaml shows what belongs here"),
    (
        "no pattern",
        {"source/groups": {"by": "pattern"}},
        "source.groups.pattern: missing; config.yaml shows what belongs here",
    ),
    (
        "a misspelt key of a target's groups",
        {"targets/held-out/groups": {"by": "pattern", "patern": "(.)", "pattern": "(.)"}},
        "targets.held-out.groups.patern: unknown key; did you mean 'pattern'?",
    ),
    (
        "groups of digits",
        {"source/groups": {"by": "pattern", "pattern": "(.)"}},
        "source.groups: images of digits have no file names; set it to null",
    ),
    (
        "deep classes of digits",
        {"source/class_depth": 2},
        "source.class_depth: 2, but digits has its classes as they are; set it to 1",
    ),
    (
        "a limit of one image",
        {"source/images_per_class": 1},
        "source.images_per_class: 1: should be greater than or equal to 2",
    ),
    *BAD_NETWORKS,
    *BAD_RECIPES,
    *BAD_TICKETS,
    *BAD_CLAIMS,
    # Transfer
    (
        "a protocol twice",
        {"transfer/protocols": ["linear", "linear"]},
        "transfer.protocols: ['linear', 'linear']: names 'linear' twice; name each once",
    ),
    (
        "an unknown protocol",
        {"transfer/protocols": ["probe"]},
        "transfer.protocols.0: 'probe': should be 'retrain', 'finetune' or 'linear'",
    ),
    ("a penalty of zero", {"transfer/penalties": [0.1, 0]}, "transfer.penalties.1: 0: should be greater than 0"),
    (
        "a penalty twice",
        {"transfer/penalties": [0.1, 1, 0.1]},
        "transfer.penalties: [0.1, 1, 0.1]: names 0.1 twice; name each once",
    ),
    (
        "no epochs at all",
        {"training/epochs": None},
        "training.epochs: None: should be a valid integer",
    ),
    (
        "a wrong value that transfer would inherit",
        {"training/optimizer": "adam", "transfer/training": {}},
        "training.optimizer: 'adam': should be 'sgd', 'adamw', 'lamb' or 'lion'",
    ),
    (
        "a typo of transfer",
        {"transfer/training/learningrate": 0.1},
        "transfer.training.learningrate: unknown key; did...",
    ),
    (
        "inherited milestones after the end of a shorter transfer",
        {"training/schedule": "step", "training/milestones": [10, 18]},
        "transfer.training.milestones: [10, 18] should be ascending epochs after warm-up (0) and before the last (15); "
        "training has it, from where it is inherited",
    ),
    (
        "inherited warm-up longer than the transfer",
        {"training/warmup_epochs": 15},
        "transfer.training.warmup_epochs: 15 is not below the 15 epochs; lower it; training has it, from where ...",
    ),
    (
        "a transfer in steps without milestones",
        {"transfer/training/schedule": "step"},
        "transfer.training.milestones: missing; a step schedule needs the epochs after which the learning rate ...",
    ),
    (
        "transfer's training no mapping",
        {"transfer/training": None},
        "transfer.training: None: should be a mapping of keys to values, as in config.yaml",
    ),
    (
        "what weight decay spares in words",
        {"training/weight_decay_exclude": "timm"},
        "training.weight_decay_exclude: 'timm': should be true, false or a list of names and patterns ...",
    ),
    (
        "no word on what weight decay spares",
        {"training/weight_decay_exclude": None},
        "training.weight_decay_exclude: None: should be true, false or a list of names and patterns ...",
    ),
    (
        "weight decay that would spare what is not there",
        {"training/weight_decay_exclude": ["*.bias", "pos_embed"]},
        "training.weight_decay_exclude: 'pos_embed' matches no parameter of mlp...",
    ),
    (
        "warm-up of transfer to the end",
        {"transfer/training/warmup_epochs": 15, "transfer/training/epochs": 15},
        "transfer.training.warmup_epochs: 15 is not below the 15 epochs; lower it",
    ),
    # What follows
    (
        "an unknown corruption",
        {"evaluation/corruptions": ["fog"]},
        "evaluation.corruptions.0: 'fog': should be 'noise', 'blur', 'brightness', 'contrast' or 'pixelate'",
    ),
    (
        "a corruption twice",
        {"evaluation/corruptions": ["blur", "blur"]},
        "evaluation.corruptions: ['blur', 'blur']: names 'blur' twice; name each once",
    ),
    (
        "a severity there is not",
        {"evaluation/severity": 6},
        "evaluation.severity: 6: should be less than or equal to 5",
    ),
    ("few probes", {"representations/probes": 4}, "representations.probes: 4: should be greater than or equal to 8"),
    (
        "more probes than validation images",
        {"representations/probes": 5000},
        "representations.probes: 5000 probes, but 6 classes have as few as 25 ... each; ask for at most 150",
    ),
    (
        "more probes than CIFAR-10 has validation images",
        ELSEWHERE | {"source": {**CIFAR10, "validation_share": 0.01}, "representations/probes": 200},
        "representations.probes: 200 probes, but 4 classes have as few as 38 ... each; ask for at most 152",
    ),
    (
        "subsets of few probes",
        {"representations/probes": 72, "distances/probe_subsets": 10},
        "distances.probe_subsets: 10 subsets of 72 probes have fewer than 8 each; ask for 80 probes or ... subsets",
    ),
    ("no subset", {"distances/probe_subsets": 0}, "distances.probe_subsets: 0: should be greater than or equal to 1"),
    (
        "an unknown pooling",
        {"representations/pooling": "max"},
        "representations.pooling: 'max': should be 'mean', 'flat', 'tokens' or 'projection'",
    ),
    (
        "a misspelt layer",
        {"representations/layers": ["block.0"]},
        "representations.layers: 'block.0' is not a block of mlp; did you mean 'blocks.0'?",
    ),
    (
        "a layer twice",
        {"representations/layers": ["blocks.0", "blocks.0"]},
        "representations.layers: ['blocks.0', 'blocks.0']: names 'blocks.0' twice; name each once",
    ),
    (
        "an unknown distance",
        {"distances/cost": "manhattan"},
        "distances.cost: 'manhattan': should be 'euclidean', 'sqeuclidean' or 'cosine'",
    ),
    ("too few shuffles", {"clustering/shuffles": 5}, "clustering.shuffles: 5: should be greater than or equal to 19"),
    (
        "an unknown affinity",
        {"clustering/affinity": "own"},
        "clustering.affinity: 'own': should be 'median' or 'local'",
    ),
    ("one module", {"clustering/number": 1}, "clustering.number: 1: should be greater than or equal to 2"),
    (
        "an unknown cut into jobs",
        {"jobs/group": "both"},
        "jobs.group: 'both': should be 'rounds', 'together' or 'apart'",
    ),
]
