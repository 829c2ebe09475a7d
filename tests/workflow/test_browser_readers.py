"""The report in a real browser for every reader: on one screen, narrow, dark, printed, by keyboard, read aloud."""

from itertools import pairwise

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from dilt.answers import outlook, wording
from dilt.reporting import captions
from dilt.reporting.page import Glance, PageTable, render
from dilt.settings.answers import Claims
from tests.workflow.windows import HEIGHT, WIDTH, Seen

NARROW = 400
A4 = 718  # pixels between margins of a centimetre
FIRST_SCREEN = ("h1", "#verdicts .answers li", "#verdicts .verdict", "#verdicts .answers p", "#verdicts .glances dd")


@pytest.fixture
def opened(chromium, finished):
    """Opens the report of the finished run, as often as asked, in a browser of a width and with its settings."""
    windows = []

    def open_(width=WIDTH, **context):
        windows.append(Seen(chromium, finished.folder, width, **context))
        return windows[-1]

    yield open_
    for window in windows:
        window.page.context.close()


def lowest(page, selectors=FIRST_SCREEN):
    """How far down the lowest of these things ends, in pixels; all of them have to be there and be seen."""
    ends = []
    for selector in selectors:
        found = page.locator(selector).all()
        assert found, selector
        for one in found:
            assert one.is_visible(), selector
            box = one.bounding_box()
            ends.append(box["y"] + box["height"])
    return max(ends)


def test_one_screen_has_verdicts_what_decided_and_would_change_them_training_and_cost(opened):
    page = opened().page
    assert lowest(page) <= HEIGHT
    for answer in page.locator("#verdicts .answers li").all():
        assert "What is open. A verdict needs two or more seeds" in answer.inner_text(), "the tests' run has one"
        assert "What would change it. A new experiment of two or more seeds" in answer.inner_text()
    assert page.locator("#verdicts .glances dt").all_inner_texts() == ["Did controls train?", "What did it cost?"]
    assert "CPU hours" in page.locator("#verdicts .glances").inner_text()


def long_words(claim, seeds=8):
    """The words on a claim as long as they get in the default: long names of controls, intervals, a flag."""
    row = {"claim": claim, "ticket": "core+specialist-OWN", "measure": "source, OWN", "primary": True, "decisive": True}
    row |= {"difference_points": 12.34, "low_points": 10.1, "high_points": 14.2, "seeds": seeds, "seeds_needed": 121.0}
    row |= {"bootstrap_low_points": 10.1, "bootstrap_high_points": 14.2, "p_larger": 0.4, "p_no_better_holm": 0.012}
    row |= {"level": 0.025, "flag": "", "collapsed_seeds": 3, "headroom_points": 0.25}
    row |= {"control": "core+null-specialist-OWN@core+specialist-OWN"}
    verdicts = {"C1": "supported", "C2": "not supported", "C3": "inconclusive"}
    rows = [row | {"verdict": verdicts[claim]}] * 3
    rows += [row | {"verdict": "inconclusive", "flag": "ceiling", "control": "lth-same-rounds@core"}] * (claim != "C1")
    return {
        "claim": claim,
        "statement": "The union performs better than COLT's consensus and than other tickets of exactly its density.",
        "verdict": verdicts[claim],
        "words": wording.reason(rows, Claims(), seeds),
        "change": outlook.change(rows, Claims()),
    }


def test_one_screen_has_room_for_words_as_long_as_they_get(chromium, tmp_path):
    verdicts = pd.DataFrame([long_words(claim) for claim in ("C1", "C2", "C3")])
    compared = verdicts.assign(primary=True, ticket="core", control="lth@core", measure="source")
    told = (
        "Of the 512 trained networks that the verdicts rest on 12 collapsed (at chance, or not better than after the "
    )
    told += "first epoch): random@core in round 3 on held-out, retrain, 2 of 8; lth-same-rounds@core in round 3 on the "
    told += "source, 1 of 8. The least accurate on the source is random@core in round 3, with 71.2% on average."
    page = render(
        "digits",
        verdicts,
        compared,
        [],
        [],
        [],
        {},
        PageTable("sources", "A file.", pd.DataFrame({"file": ["a.csv"]})),
        glances=[
            Glance("Did controls train?", told, "collapsed"),
            Glance("What did it cost?", told[:90], "runtime"),
        ],
    )
    (tmp_path / "results/digits").mkdir(parents=True)
    (tmp_path / "results/digits/report.html").write_text(page)
    window = Seen(chromium, tmp_path)
    assert lowest(window.page) <= HEIGHT
    window.page.context.close()


@pytest.mark.parametrize("width", [WIDTH, NARROW])
def test_nothing_scrolls_sideways_but_boxes_of_their_own(opened, width):
    window = opened(width)
    for _ in ("folded", "unfolded"):
        assert window.page.evaluate("document.documentElement.scrollWidth") <= width
        window.unfold()
    wider = window.page.evaluate(
        """width => [...document.querySelectorAll("body *")]
            .filter(one => one.getBoundingClientRect().right > width + 1 && !one.closest(".scroll, pre, .skip"))
            .map(one => one.outerHTML)""",
        width,
    )
    assert wider == []


def test_on_a_narrow_screen_text_is_not_small_and_tables_scroll_in_their_boxes(opened):
    window = opened(NARROW)
    window.open("claims")
    box = window.page.locator("#table-claims [role=region]")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.evaluate("box => { box.scrollLeft = 100; }")
    assert box.evaluate("box => box.scrollLeft") == 100
    sizes = window.page.locator("#verdicts p").evaluate_all(
        "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 14
    image = window.page.locator("#figure-accuracy_over_density img")
    assert image.evaluate("image => image.getBoundingClientRect().width / image.naturalWidth") > 0.9


def brightness(colour):
    """Of rgb(...), from 0 to 255."""
    red, green, blue = (float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colours(page, selector):
    """Of text and ground."""
    return [
        brightness(page.locator(selector).first.evaluate(f"one => getComputedStyle(one).{of}"))
        for of in ("color", "backgroundColor")
    ]


def test_in_the_dark_text_is_light_and_figures_lie_on_a_light_plate(opened):
    page = opened(color_scheme="dark").page
    ink, ground = colours(page, "body")
    assert ground < 60 < 180 < ink
    assert colours(page, ".plate")[1] > 254
    light_ink, light_ground = colours(opened(color_scheme="light").page, "body")
    assert light_ink < 60 < 180 < light_ground


def test_printed_it_is_light_and_unfolded_without_what_is_clicked(opened):
    window = opened(color_scheme="dark")
    table, figure = window.page.locator("#comparisons-C1 table"), window.page.locator("#figure-gw_matrix img")
    window.open("runtime")
    clicked = window.page.locator("#table-runtime .dt-search")
    assert (table.is_visible(), figure.is_visible(), clicked.is_visible()) == (False, False, True)
    window.page.emulate_media(media="print")
    assert table.bounding_box()["height"] > 50
    assert figure.bounding_box()["height"] > 50
    assert window.page.locator("table.tickets").bounding_box()["height"] > 50
    assert not clicked.is_visible()
    assert not window.page.locator("nav").is_visible()
    assert not window.page.locator("#table-claims table").is_visible(), "long tables are not printed"
    ink, ground = colours(window.page, "body")
    assert ink < 60 < 180 < ground


def test_printed_on_a4_nothing_is_cut_off(opened):
    window = opened(A4)
    window.open("runtime")
    window.page.emulate_media(media="print")
    assert window.page.evaluate("document.documentElement.scrollWidth") <= A4
    for fold in ("#comparisons-C2", "#tickets", "#table-runtime"):
        assert window.page.locator(f"{fold} table").bounding_box()["width"] <= A4


def test_every_figure_says_what_to_see_aloud_and_below(opened):
    images = opened().page.locator("figure img")
    told = images.evaluate_all("all => all.map(one => [one.alt, one.closest('figure').textContent])")
    assert len(told) == len(captions.SEE)
    for see in captions.SEE.values():
        assert [see in alt and see in text for alt, text in told].count(True) == 1


def test_headings_are_in_order_and_sections_are_named(opened):
    page = opened().page
    levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(after - before for before, after in pairwise(levels)) == 1
    names = page.locator("main section").evaluate_all(
        "all => all.map(one => document.getElementById(one.getAttribute('aria-labelledby')).innerText)"
    )
    assert names == ["Verdicts", "Figures", "Tickets", "Tables", "The run", "Where numbers are from"]


def test_tables_have_captions_and_their_headings_a_scope(opened):
    page = opened().page
    assert page.locator("table").count() == page.locator("table > caption").count()
    assert page.locator("th:not([scope])").count() == 0


def test_the_keyboard_reaches_everything_and_shows_where_it_is(opened):
    page = opened().page
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("one => one === document.activeElement")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#verdicts') !== null"), "what the skip link leads to"
    for selector in ("nav a", "summary", "#verdicts .glances a", "figcaption a"):
        for one in page.locator(selector).all():
            if one.is_visible():
                one.focus()
                assert one.evaluate("one => one === document.activeElement")
    page.locator("summary").last.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    fold = page.locator("#comparisons-C1")
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("table").is_visible()


@pytest.mark.parametrize(
    ("width", "scheme"), [(WIDTH, "light"), (WIDTH, "dark"), (NARROW, "light")], ids=["light", "dark", "narrow"]
)
def test_rules_of_accessibility_are_kept(opened, width, scheme):
    """Those of axe-core, which the package carries: nothing is fetched for it."""
    window = opened(width, color_scheme=scheme)
    for table in ("claims", "learning_curves"):  # all tables are alike, and looking through all takes a minute
        window.open(table)
    window.page.evaluate("document.querySelectorAll('details.key').forEach(fold => { fold.open = true; })")
    found = Axe().run(window.page)
    broken = {
        (rule["id"], node["html"][:200], node.get("failureSummary", "")[:300])
        for rule in found.response["violations"]
        for node in rule["nodes"][:3]
    }
    assert broken == set()
    assert [request for request in window.requests if not request.startswith("data:")] == [window.address]
