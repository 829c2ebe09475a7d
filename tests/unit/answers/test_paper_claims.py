"""Facts about the claims of the paper: they are written as own claims are, and the docs show them as they are."""

import re
from pathlib import Path

import yaml

from dilt.answers.claim_language import Text
from dilt.answers.paper_claims import paper_claims
from dilt.settings.answers import OwnClaim
from dilt.settings.tickets import CLAIMS, ClaimRounds

ROUNDS = ClaimRounds(C1=2, C2=5, C3=5)
DOCS = Path(__file__).resolve().parents[3] / "docs" / "claims.md"


def test_the_docs_show_the_claims_as_they_are() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    shown = {name: OwnClaim(**claim) for name, claim in yaml.safe_load(block)["claims"]["own"].items()}
    assert shown == paper_claims(ROUNDS)


def test_each_has_its_decisive_control_and_round() -> None:
    found = paper_claims(ROUNDS)
    assert tuple(found) == CLAIMS
    assert [claim.round for claim in found.values()] == [2, 5, 5]
    for claim in found.values():
        assert claim.decisive in {Text.parse(text).control for text in claim.comparisons}
        texts = claim.comparisons + claim.besides
        assert len(set(texts)) == len(texts)


def test_only_those_asked_and_what_the_user_names_is_compared_besides() -> None:
    named = ["snip@core", "snip@union", "random@core", "consensus-2", "lth@specialist-low"]
    found = paper_claims(ROUNDS, ["C3", "C1"], ["birds"], ["linear"], named)
    assert list(found) == ["C1", "C3"]
    assert "core - snip@core on transfer" in found["C1"].besides
    assert "union - snip@union on source" in found["C3"].besides
    assert not any("consensus" in text or "specialist-low" in text for text in found["C1"].besides)
    assert found["C1"].comparisons == paper_claims(ROUNDS)["C1"].comparisons
    assert "core - lth@core on transfer to birds, linear" in found["C1"].besides
