"""The table of bad configurations of claims, each with the one line that tells of it before any job."""

from typing import Any

from configurations import GONE

FORM = "should be TICKET - CONTROL on MEASURE, such as 'core - lth@core on transfer'"
ON_ASSEMBLIES = "core - union on assembly, OWN, theta0, retrained"


def own(*comparisons: str, name: str = "mine", round_: int = 4, **more: Any) -> dict[str, Any]:
    """A claim of one's own."""
    texts = list(comparisons or ["core - lth@core on transfer"])
    return {"claims/own": {name: {"statement": "The core is better.", "round": round_, "comparisons": texts, **more}}}


def classes(first: str, second: str) -> dict[str, Any]:
    """Two partitions of these names."""
    return {"source/partitions/classes": {first: ["0", "1", "2"], second: ["3", "4", "5"]}}


BAD_CLAIMS: list[tuple[str, dict[str, Any], str]] = [
    (
        "no claim",
        {"claims/asked": []},
        "claims.asked: empty, and there is no claim in claims.own; ask some of ['C1', 'C2', 'C3'] or write one",
    ),
    ("an unknown claim", {"claims/asked": ["C4"]}, "claims.asked.0: 'C4': should be 'C1', 'C2' or 'C3'"),
    ("a claim twice", {"claims/asked": ["C1", "C1"]}, "claims.asked: ['C1', 'C1']: names 'C1' twice; name each once"),
    ("percent for a share", {"claims/confidence": 95}, "claims.confidence: 95: should be less than 1"),
    ("a negative margin", {"claims/margin": -1}, "claims.margin: -1: should be greater than or equal to 0"),
    *(
        (
            f"looks at {looks}",
            {"claims/looks": looks},
            f"claims.looks: {looks} should be ascending numbers of seeds, each two or more",
        )
        for looks in ([10, 5], [5, 5, 10], [1, 5])
    ),
    ("a look at no seed", {"claims/looks": [0, 5]}, "claims.looks.0: 0: should be greater than or equal to 1"),
    *(
        (
            f"a target called {name}",
            {f"targets/{name}": {"name": "digits", "classes": ["6", "7"], "test_share": 0.3}},
            f"targets.{name}: OWN and OTHER stand for partitions in comparisons; choose another name",
        )
        for name in ("OTHER", "far-OWN")
    ),
    # Claims of one's own
    *(
        (f"a comparison '{text}'", own(text), f"claims.own.mine.comparisons.0: '{text}': {FORM}")
        for text in (
            "core over lth@core",
            "core - lth@core",
            "core-lth@core on transfer",
            "core - lth@core on transfer minus source minus source",
        )
    ),
    (
        "another form besides",
        own(besides=["core > lth on source"]),
        f"claims.own.mine.besides.0: 'core > lth on source': {FORM}",
    ),
    (
        "an unknown ticket in a claim",
        own("core - lth@cor on transfer"),
        "claims.own.mine.comparisons.0: 'core - lth@cor on transfer': 'lth@cor' is no ticket of this experiment; did "
        "you mean 'lth@core'?",
    ),
    (
        "specialists of two partitions in a claim, which are the union",
        own("core+specialist-low+specialist-high - lth on source"),
        "... 'core+specialist-low+specialist-high' is no ticket of this experiment; did you mean ...",
    ),
    (
        "a draw in a claim",
        own("core - random~2@core on source") | {"tickets/draws": 2},
        "claims.own.mine.comparisons.0: 'core - random~2@core on source': draws of a ticket are compared as one, their "
        "mean; write random@core",
    ),
    *(
        (
            f"'{measure}' as a measure",
            own(f"core - lth on {measure}"),
            f"claims.own.mine.comparisons.0: 'core - lth on {measure}': '{told}' is no measure of this experiment; did "
            f"you mean '{meant}'?",
        )
        for measure, told, meant in (
            ("tranfer", "tranfer", "transfer"),
            ("source, hihg", "source, hihg", "source, high"),
            ("transfer, retrian", "transfer, retrian", "transfer, retrain"),
            ("transfer to heldout", "transfer to heldout", "transfer to held-out"),
            ("assembly, OWN, mean, haed", "assembly, low, mean, haed", "assembly, low, mean, head"),
            ("source minus sourc", "sourc", "source"),
        )
    ),
    (
        "a protocol that is not run",
        own("core - lth on transfer, linear") | {"transfer/protocols": ["retrain"]},
        "...: 'transfer, linear' is no measure of this experiment; did you mean ...",
    ),
    (
        "a ticket that is no assembly",
        own("lth - core+specialist-OTHER on assembly, low, mean, head"),
        "claims.own.mine.comparisons.0: 'lth - core+specialist-OTHER on assembly, low, mean, head': 'lth' has no score "
        "by 'assembly, low, mean, head'; choose one of core, ...",
    ),
    (
        "an assembly that is not read out like that",
        own("core - null-core-lwo on assembly, low, mean, head"),
        "...: 'null-core-lwo' has no score by 'assembly, low, mean, head'; did you mean 'null-core-low'?",
    ),
    (
        "assemblies of another round",
        own(ON_ASSEMBLIES, round_=2),
        "claims.own.mine.round: 2, but assemblies are of round 4 (tickets.claim_rounds.C2), so "
        f"'{ON_ASSEMBLIES}' has no score; give a claim of its own that round",
    ),
    (
        "assemblies of another round besides",
        own(besides=[ON_ASSEMBLIES], round_=2),
        "claims.own.mine.round: 2, but assemblies are of round 4 (tickets.claim_rounds.C2), so ...",
    ),
    (
        "a ticket and itself",
        own("core - core on source"),
        "claims.own.mine.comparisons.0: 'core - core on source': compares a ticket with itself; write TICKET - ...",
    ),
    (
        "a measure and itself",
        own("core - lth on source minus source"),
        "claims.own.mine.comparisons.0: 'core - lth on source minus source': compares a ticket with itself; write ...",
    ),
    (
        "a decisive control that is none",
        own(decisive="lth@union"),
        "claims.own.mine.decisive: 'lth@union' is no control of its comparisons; did you mean 'lth@core'?",
    ),
    (
        "a decisive control of a comparison besides",
        own(decisive="random@core", besides=["core - random@core on source"]),
        "claims.own.mine.decisive: 'random@core' is no control of its comparisons; did you mean 'lth@core'?",
    ),
    (
        "a claim with the name of the paper's",
        own(name="C1"),
        "claims.own.C1: is a claim of the paper (claims.asked); choose another name",
    ),
    (
        "a claim's name that is no word",
        own(name="the core"),
        "claims.own.the core: 'the core': should be a word of letters, digits, - and _, for it names a folder",
    ),
    *(
        (
            f"a comparison twice, {where}",
            claim,
            "claims.own.mine: 'core - lth on source' stands there twice; write each comparison once",
        )
        for where, claim in {
            "deciding": own("core - lth on source", "core - lth on source"),
            "deciding and besides": own("core - lth on source", besides=["core - lth on source"]),
            "besides": own(besides=["core - lth on source"] * 2),
        }.items()
    ),
    (
        "a claim beyond the rounds",
        own(round_=6),
        "claims.own.mine.round: 6 is not below pruning.rounds (6); ... so set pruning.rounds to 7 or more",
    ),
    ("a claim at round zero", own(round_=0), "claims.own.mine.round: 0: should be greater than or equal to 1"),
    ("no statement", own(statement=""), "claims.own.mine.statement: '': string should have at least 1 character"),
    (
        "no comparison",
        {"claims/own": {"mine": {"statement": "S.", "round": 4, "comparisons": []}}},
        "claims.own.mine.comparisons: []: list should have at least 1 item, not 0",
    ),
    *(
        (
            f"a claim, and a partition called {name}",
            classes(name, "high") | own(),
            f"source.partitions: '{name}', but OWN and OTHER stand for partitions; choose another name",
        )
        for name in ("OWN", "OTHER", "my-OWN")
    ),
    (
        "a claim where partitions are not known",
        own() | {"source/partitions": {"by": "table", "table": "none.csv"}},
        "source.partitions.table: 'none.csv' does not exist; give a CSV with a row per class",
    ),
    (
        "a claim on one partition",
        own("specialist-OWN - specialist-OTHER on source, OWN") | {"source/partitions/classes/high": GONE},
        "source.partitions.classes: 1 partition(s) given; two or more are needed, add one",
    ),
]
