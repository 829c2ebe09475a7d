"""Facts about names of tickets: parsed, they give the same name again, whatever partitions are called."""

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilt.tickets.names import TicketName, read_run
from dilt.tickets.selection import is_possible, possible_names

CORE = TicketName("core")
NAMES = {
    "core": CORE,
    "lth-same-rounds@core": TicketName("lth-same-rounds", reference=CORE),
    "specialist-low": TicketName("specialist", ("low",)),
    "null-specialist-low": TicketName("null-specialist", ("low",)),
    "null-core-low@core": TicketName("null-core", ("low",), reference=CORE),
    "core+null-specialist-low": TicketName("core+null-specialist", ("low",)),
    "null-specialist-low@specialist-low": TicketName(
        "null-specialist", ("low",), reference=TicketName("specialist", ("low",))
    ),
    "core+null-specialist-a-b@core+specialist-a-b": TicketName(
        "core+null-specialist", ("a-b",), reference=TicketName("core+specialist", ("a-b",))
    ),
    "split-core@core": TicketName("split-core", reference=CORE),
    "core+specialist-a-b+specialist-c": TicketName("core+specialist", ("a-b", "c")),
    "core+random@core+specialist-low": TicketName("core+random", reference=TicketName("core+specialist", ("low",))),
    "consensus-2": TicketName("consensus", votes=2),
    "random~2": TicketName("random", draw=2),
    "reinit~12@core": TicketName("reinit", reference=CORE, draw=12),
    "core+random~3@union": TicketName("core+random", reference=TicketName("union"), draw=3),
    "shuffled~2@core+specialist-a": TicketName("shuffled", reference=TicketName("core+specialist", ("a",)), draw=2),
    "reinit@consensus-12": TicketName("reinit", reference=TicketName("consensus", votes=12)),
}
PARTITION = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=12).filter(
    lambda name: name[0] not in "_-"
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_these_parts_and_is_put_together_again(name: str) -> None:
    assert TicketName.parse(name) == NAMES[name]
    assert str(NAMES[name]) == name


@given(st.lists(PARTITION, min_size=2, max_size=4, unique=True))
def test_every_name_of_an_experiment_is_put_together_again(partitions: list[str]) -> None:
    for name in possible_names(partitions):
        parsed = TicketName.parse(name)
        assert str(parsed) == name
        assert set(parsed.partitions) <= set(partitions)
        assert ("@" in name) == (parsed.reference is not None)
        for number, draw in enumerate(parsed.draws(3), start=1):
            assert TicketName.parse(str(draw)) == draw == replace(parsed, draw=number)
            assert is_possible(str(draw), partitions)
            assert draw.first == parsed


@pytest.mark.parametrize(
    ("name", "family"),
    [
        *(("core", "core"), ("specialist-low", "specialist"), ("null-core-low@core", "null-core@core")),
        ("core+random@core+specialist-a", "core+random@core+specialist"),
        ("core+specialist-a+specialist-b", "core+specialist+specialist"),
        *(("random~2@specialist-low", "random@specialist"), ("core+random~2@union", "core+random@union")),
        ("null-specialist-a@specialist-a", "null-specialist@specialist"),
        ("core+null-specialist-a@core+specialist-a", "core+null-specialist@core+specialist"),
        *(("consensus-2", "consensus-2"), ("random@specialist-low", "random@specialist")),
    ],
)
def test_a_family_has_no_partitions(name: str, family: str) -> None:
    assert TicketName.parse(name).family == family
    assert TicketName.parse(family).family == family


def test_re_initialised_tickets_alone_start_anew() -> None:
    names = possible_names(["low", "high"])
    anew = [name for name in names if TicketName.parse(name).starts_anew]
    assert {"reinit@core", "reinit@union", "reinit@lth"} <= set(anew)
    assert anew == [name for name in names if name.startswith("reinit@")]


def test_a_run_is_a_round_and_a_ticket() -> None:
    assert read_run("3/core") == (3, "core")
    assert read_run("12/core+random~2@core+specialist-a") == (12, "core+random~2@core+specialist-a")


@pytest.mark.parametrize("name", ["core", "3/", "/core", "-1/core", "2.0/core", ""])
def test_other_forms_are_no_runs(name: str) -> None:
    with pytest.raises(ValueError, match=f"^'{name}': should be ROUND/TICKET, such as 3/core$"):
        read_run(name)


def test_random_shuffled_and_reinitialised_tickets_are_drawn_again_and_others_are_not() -> None:
    names = ["core", "lth@core", "random", "random@core", "shuffled@lth", "reinit@union", "core+random@union"]
    draws = {name: [str(draw) for draw in TicketName.parse(name).draws(2)] for name in names}
    assert draws == {
        **{"core": ["core"], "lth@core": ["lth@core"], "random": ["random", "random~2"]},
        **{"random@core": ["random@core", "random~2@core"], "shuffled@lth": ["shuffled@lth", "shuffled~2@lth"]},
        "reinit@union": ["reinit@union", "reinit~2@union"],
        "core+random@union": ["core+random@union", "core+random~2@union"],
    }


@pytest.mark.parametrize(
    "name", ["random~1@core", "random~0", "random~02@core", "lth~2@core", "core~2", "random~@core"]
)
def test_other_numbers_after_a_tilde_are_no_draws(name: str) -> None:
    assert TicketName.parse(name).draw == 1
    assert str(TicketName.parse(name)) == name
    assert not is_possible(name, ["low", "high"])
