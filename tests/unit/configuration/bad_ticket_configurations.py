"""The table of bad configurations of pruning and tickets, each with the one line that tells of it before any job."""

from typing import Any

RESNET = {"name": "resnet18", "arguments": {}}
PATTERN = 'should be null, or N:M in quotes, with N from 1 and below M, such as "2:4"'

BAD_TICKETS: list[tuple[str, dict[str, Any], str]] = [
    ("a rate above one", {"pruning/rate": 1.5}, "pruning.rate: 1.5: should be less than 1"),
    ("an unknown scope", {"pruning/scope": "local"}, "pruning.scope: 'local': should be 'global' or 'layerwise'"),
    *(
        (f"a pattern of another form, {text}", {"pruning/pattern": text}, f"pruning.pattern: {text!r}: {PATTERN}")
        for text in ("4:2", "2:2", "2 of 4", "0:4")
    ),
    ("a pattern that YAML reads as a number", {"pruning/pattern": 124}, f"pruning.pattern: 124: {PATTERN}"),
    (
        "a pattern that no layer can have",
        {"pruning/pattern": "2:7"},
        "pruning.pattern: no weight of the model has inputs in whole groups of 7; choose ...",
    ),
    (
        "a pattern that only excluded layers can have",
        {"pruning/pattern": "1:64", "pruning/exclude": ["blocks.0.*"]},
        "pruning.pattern: no weight of the model has inputs in whole groups of 64; choose ...",
    ),
    (
        "a density that leaves no weight",
        {"pruning/rounds": 200},
        "pruning.rounds: density 1.2e-52 ... leaves fewer than 4 of about 36,864 weights, one per layer; prune less",
    ),
    (
        "rewinding to after the end",
        {"pruning/rewind_epoch": 21},
        "pruning.rewind_epoch: 21 is after the last of 20 epochs; lower it",
    ),
    (
        "rewinding to the end",
        {"pruning/rewind_epoch": 20},
        "pruning.rewind_epoch: 20 leaves none of 20 epochs to train; lower it, or set pruning.rewind_schedule to ...",
    ),
    (
        "lines from the end of the schedule",
        {"instability": {"rewind_epochs": [1, 20]}},
        "instability.rewind_epochs: 20 leaves none of 20 epochs to train; lower it, or ...",
    ),
    (
        "lines from one epoch twice",
        {"instability": {"rewind_epochs": [1, 1]}},
        "instability.rewind_epochs: [1, 1]: names 1 twice; name each once",
    ),
    (
        "lines without a middle",
        {"instability": {"points": 10}},
        "instability.points: 10 leave out the middle of the line; take an odd number",
    ),
    (
        "an excluded weight that is not there",
        {"pruning/exclude": ["conv1.weight"]},
        "pruning.exclude: 'conv1.weight' matches no weight of mlp; did you mean 'blocks.3.linear.weight'?",
    ),
    (
        "no weight to prune",
        {"pruning/exclude": ["*"]},
        "pruning.exclude: ['*'] leaves no weight of mlp to prune; exclude fewer",
    ),
    (
        "no weight to prune in timm's model",
        {"model": RESNET, "pruning/exclude": ["*conv*", "*downsample*"]},
        "pruning.exclude: ['*conv*', '*downsample*'] leaves no weight of resnet18 to prune; exclude fewer",
    ),
    (
        "a ticket of the last round",
        {"tickets/rounds": [2, 4, 6]},
        "tickets.rounds: 6 is not below pruning.rounds (6); ... so set pruning.rounds to 7 or more",
    ),
    ("a round twice", {"tickets/rounds": [4, 4]}, "tickets.rounds: [4, 4]: names 4 twice; name each once"),
    ("round zero", {"tickets/rounds": [0, 4]}, "tickets.rounds.0: 0: should be greater than or equal to 1"),
    (
        "one round of all claims, as it was",
        {"tickets/claim_round": 3},
        "tickets.claim_round: is tickets.claim_rounds now, with a round for each claim, such as {C1: 2, C2: 5, C3: 5}",
    ),
    (
        "a round of no claim",
        {"tickets/claim_rounds/C4": 2},
        "tickets.claim_rounds.C4: unknown key; did you mean 'C3'?",
    ),
    (
        "a claim of the last round",
        {"tickets/claim_rounds/C3": 6},
        "tickets.claim_rounds.C3: 6 is not below pruning.rounds (6); ... so set pruning.rounds to 7 or more",
    ),
    (
        "a ticket that there is not",
        {"tickets/names": ["core+specialist-lwo", "lth@core"]},
        "tickets.names: 'core+specialist-lwo' is no ticket of this experiment; did you mean 'core+specialist-low'?",
    ),
    (
        "specialists of two partitions joined, which are the union",
        {"tickets/names": ["core+specialist-low+specialist-high"]},
        "tickets.names: 'core+specialist-low+specialist-high' is no ticket of this experiment; did you mean ...",
    ),
    (
        "a control of what has none",
        {"tickets/names": ["lth@dense"]},
        "tickets.names: 'lth@dense' is no ticket of this experiment; did you mean 'dense'?",
    ),
    (
        "a ticket twice",
        {"tickets/names": ["lth@core", "lth@core"]},
        "tickets.names: ['lth@core', 'lth@core']: names 'lth@core' twice; name each once",
    ),
    # Tickets of the user's own
    (
        "algebra that is none",
        {"tickets/define": {"shared": "low & & high"}},
        "tickets.define.shared: 'low & & high': at character 7, '&': expected a name or '('",
    ),
    (
        "a misspelt trajectory",
        {"tickets/define": {"shared": "core | hgih"}},
        "tickets.define.shared: 'core | hgih': at character 8, 'hgih': no trajectory or ticket of this experiment; "
        "did you mean 'high'?",
    ),
    (
        "a difference without spaces",
        {"tickets/define": {"shared": "lth | low-core"}},
        "tickets.define.shared: 'lth | low-core': at character 7, 'low-core': no trajectory or ticket of this "
        "experiment; the difference is written with spaces, low - core",
    ),
    (
        "a round that there is not",
        {"tickets/define": {"shared": "core[6] & union[7]"}},
        "tickets.define.shared: 'core[6] & union[7]': at character 11, 'union[7]': there are 6 rounds "
        "(pruning.rounds); name one of them",
    ),
    (
        "tickets made of each other",
        {"tickets/define": {"a": "low - b", "b": "high | random@a[2]"}},
        "tickets.define.a: made of itself, as a needs b needs a; define one of them by trajectories and other tickets "
        "alone",
    ),
    (
        "a run that nothing asks for",
        {"tickets/define": {"shared": "lth-same-rounds@core | core"}},
        "tickets.define.shared: ... at character 1, 'lth-same-rounds@core': is pruned only where it is trained, so "
        "nothing can be made of it; name another ticket",
    ),
    (
        "a name that is no folder",
        {"tickets/define": {"a b": "low"}},
        "tickets.define.a b: 'a b': should be a word of letters, digits, - and _, for it names a folder",
    ),
    ("algebra that is a number", {"tickets/define": {"a": 3}}, "tickets.define.a: 3: should be a valid string; ..."),
    *(
        (
            f"a defined ticket called {name}",
            {"tickets/define": {name: "low"}},
            f"tickets.define.{name}: the name '{name}' means something else; choose another",
        )
        for name in ("split-1", "split-core", "snip", "OWN", "not-OTHER", "other-sibling")
    ),
    (
        "a control of a ticket that is not defined",
        {"tickets/define": {"shared": "low & full"}, "tickets/names": ["lth@shard"]},
        "tickets.names: 'lth@shard' is no ticket of this experiment; did you mean 'lth@shared'?",
    ),
    (
        "a draw that there is not",
        {"tickets/names": ["random~3@core"], "tickets/draws": 2},
        "tickets.names: 'random~3@core', but of each there are 2 draw(s) (tickets.draws); raise it",
    ),
    # Tickets whose layers are compared
    (
        "layers of a ticket that there is not",
        {"distances/tickets": ["core", "specialist-hihg"]},
        "distances.tickets: 'specialist-hihg' is no ticket of this experiment; did you mean 'specialist-high'?",
    ),
    (
        "layers of a ticket twice",
        {"distances/tickets": ["core", "core"]},
        "distances.tickets: ['core', 'core']: names 'core' twice; name each once",
    ),
    (
        "layers of a draw that there is not",
        {"distances/tickets": ["random~2@core"]},
        "distances.tickets: 'random~2@core', but of each there are 1 draw(s) (tickets.draws); raise it",
    ),
    (
        "layers of no ticket",
        {"distances/tickets": []},
        "distances.tickets: []: value should have at least 1 item, not 0",
    ),
    *(
        (
            f"{key} where partitions are not known",
            {"source/partitions": {"by": "table", "table": "none.csv"}, key: ["lth@core"]},
            "source.partitions.table: 'none.csv' does not exist; give a CSV with a row per class",
        )
        for key in ("tickets/names", "distances/tickets")
    ),
]
