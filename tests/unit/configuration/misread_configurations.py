"""The table of values that YAML reads as something else than is meant, each with the line that tells so."""

# What is changed in the text of the default, and the line that tells it: what YAML makes of unquoted text.
MISREAD: list[tuple[str, str, str]] = [
    (
        "\nexperiment: digits",
        "\nexperiment: 010",
        "experiment: 010: YAML reads it as the number 8; write it in quotes, '010', ...",
    ),
    (
        "\nexperiment: digits",
        "\nexperiment: 1_000",
        "experiment: 1_000: YAML reads it as the number 1000; write it in quotes: '1_000'",
    ),
    (
        "\nexperiment: digits",
        "\nexperiment: 2020-01-01",
        "experiment: 2020-01-01: YAML reads it as a date; write it in quotes: ...",
    ),
    (
        "\nexperiment: digits",
        "\nexperiment: 12:30",
        "experiment: 12:30: YAML reads it as the number 750; write it in quotes, '12:30'...",
    ),
    (
        "\nexperiment: digits",
        "\nexperiment: 1.0",
        "experiment: 1.0: YAML reads it as the number 1.0; write it in quotes: '1.0'",
    ),
    (
        "\nexperiment: digits",
        "\nexperiment: 1e3",
        "experiment: 1e3: YAML reads it as the number 1000.0; write it in quotes: '1e3'",
    ),
    ("\nexperiment: digits", "\nexperiment: ~", "experiment: ~: YAML reads it as nothing; write it in quotes: '~'"),
    (
        "\nexperiment: digits",
        "\nexperiment:",
        "experiment: null: YAML reads it as nothing; nothing stands there; write a name",
    ),
    (
        "\nnetworks: digits",
        "\nnetworks: off",
        "networks: off: YAML reads it as the truth value false; write it in quotes: 'off'",
    ),
    (
        '["0", "1", "2", "3", "4", "5"]',
        '["0", "1", 0x2, "3"]',
        "source.classes.2: 0x2: YAML reads it as the number 2; write it in quotes: '0x2'",
    ),
    (
        '["0", "1", "2", "3", "4", "5"]',
        '["0", "1", 2.0]',
        "source.classes.2: 2.0: YAML reads it as the number 2.0; write it in quotes: '2.0'",
    ),
    (
        '["0", "1", "2", "3", "4", "5"]',
        '["0", "1", yes]',
        "source.classes.2: yes: YAML reads it as the truth value true; write it in quotes: 'yes'",
    ),
    (
        '["0", "1", "2", "3", "4", "5"]',
        '["0", "1", null]',
        "source.classes.2: null: YAML reads it as nothing; write it in quotes: 'null'",
    ),
    (
        'classes: ["6", "7"',
        "classes: [010, '7'",
        "targets.held-out.classes.0: 010: YAML reads it as the number 8; write it in quotes, '010', ...",
    ),
    (
        'high: ["4", "5"]',
        'high: ["4", 05]',
        "source.partitions.classes.high.1: 05: YAML reads it as the number 5; write ...",
    ),
    (
        "\n      high: [",
        "\n      2024-05-01: [",
        "source.partitions.classes.2024-05-01: 2024-05-01: YAML reads it as a date; write it in quotes: ...",
    ),
    (
        "\n      high: [",
        "\n      07: [",
        "source.partitions.classes.07: 07: YAML reads it as the number 7; write it in quotes, ...",
    ),
    ("\n  held-out:", "\n  on:", "targets.on: on: YAML reads it as the truth value true; write it in quotes: 'on'"),
    (
        "seeds: [0, 1, 2, 3, 4, 5, 6, 7]",
        "seeds: [0, 010]",
        "seeds.1: 010: YAML reads it as the number 8; write it in quotes, '010', ... and 8 if it is that number",
    ),
    ("epochs: 25", "epochs: 1:30", "training.epochs: 1:30: YAML reads it as the number 90; write it in quotes, ..."),
    (
        "{width: 96, depth: 6}",
        "{width: 0100, depth: 6}",
        "model.arguments.width: 0100: YAML reads it as the number 64; write it in quotes...",
    ),
]
