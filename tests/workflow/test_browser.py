"""The report in a real browser: what a person sees, and that nothing leaves the page."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from dilt.answers.gathering import TABLES
from dilt.reporting.drawing import FIGURES
from tests.workflow.windows import WIDTH, Seen


def column(rows, position):
    """A column's texts, all of one moment: a table may be sorted anew between two questions."""
    return rows.evaluate_all("(rows, position) => rows.map(row => row.cells[position].innerText)", position)


def wait_until_sorted(heading, direction):
    """A table is sorted a moment after it is told to, and says so in its heading."""
    heading.and_(heading.page.locator(f"[aria-sort={direction}]")).wait_for()


@pytest.fixture
def seen(chromium, finished):
    opened = Seen(chromium, finished.folder)
    yield opened
    opened.page.context.close()


def ink(picture: bytes) -> float:
    """Share of a screenshot's pixels that are dark."""
    return float((np.asarray(Image.open(io.BytesIO(picture)).convert("L")) < 128).mean())


def test_verdicts_come_first_and_can_be_seen(seen):
    answers = seen.page.locator("#verdicts .answers li")
    assert answers.count() == 3
    for answer in answers.all():
        assert answer.locator(".verdict").is_visible()
        assert answer.bounding_box()["y"] < 600
    picture = Image.open(io.BytesIO(seen.page.screenshot(full_page=True)))
    assert picture.width == WIDTH, "nothing is wider than the window"
    assert ink(seen.page.locator("#verdicts").screenshot()) > 0.005


def test_figures_of_what_was_trained_and_of_accuracy_are_seen_without_a_click(seen):
    shown = [image for image in seen.page.locator("figure img").all() if image.is_visible()]
    assert [image.evaluate("image => image.closest('figure').id") for image in shown] == [
        "figure-learning_curves",
        "figure-ticket_learning_curves",
        "figure-accuracy_over_density",
    ]


def test_every_figure_is_drawn(seen):
    images = seen.page.locator("figure img")
    assert images.count() == len(FIGURES)
    seen.unfold()
    for image in images.all():
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        assert image.bounding_box()["width"] > 250
        assert ink(image.screenshot()) > 0.002


def test_every_table_unfolds_sorts_and_filters(seen):
    tables = seen.page.locator("details[id^=table-]").evaluate_all("found => found.map(one => one.id)")
    assert set(tables) == {f"table-{name}" for name in {*TABLES, "runtime"} - {"verdicts"}}
    rows, headings, search = seen.open("ticket_scores")
    accuracy = headings.all_inner_texts().index("accuracy")

    for direction in ("ascending", "descending"):
        headings.nth(accuracy).click()
        wait_until_sorted(headings.nth(accuracy), direction)
        shown = [float(text) for text in column(rows, accuracy)]
        assert shown == sorted(shown, reverse=direction == "descending")
    search.fill("reinit@core")
    expect(rows.filter(has_not_text="reinit@core")).to_have_count(0)
    assert set(column(rows, 2)) == {"reinit@core"}


def test_tables_sort_without_a_mouse(seen):
    rows, headings, _ = seen.open("runtime")
    stages = column(rows, 0)
    assert stages != sorted(stages)
    seen.page.locator("#table-runtime summary").focus()
    for _ in range(12):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.closest('th') !== null"):
            break
    seen.page.keyboard.press("Enter")
    wait_until_sorted(headings.first, "ascending")
    assert column(rows, 0) == sorted(stages)


def test_a_link_to_a_table_unfolds_it_and_rows_lead_to_files_that_are_there(seen, finished):
    seen.page.locator("#verdicts a[href='#table-claims']").click()
    seen.page.locator("#table-claims[open]").wait_for()  # the page is told of its new address after the click
    rows, *_ = seen.open("transfer")
    for link in rows.locator("a").all()[:5]:
        assert (finished.folder / "results/digits" / link.get_attribute("href")).is_file()


def test_no_request_leaves_the_page(seen):
    for table in ("transfer", "sources"):
        seen.open(table)
    assert [request for request in seen.requests if not request.startswith("data:")] == [seen.address]
    assert seen.complaints == []


def test_what_the_page_would_fetch_is_refused(seen):
    seen.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/pixel.png'}))")
    seen.page.wait_for_function("document.images[document.images.length - 1].complete")
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)


def test_everything_can_be_read_without_scripts(chromium, finished):
    without = Seen(chromium, finished.folder, java_script_enabled=False)
    without.page.locator("#table-transfer summary").click()
    assert without.page.locator("#table-transfer tbody tr").count() > 10
    assert without.page.locator("#table-transfer tbody tr").first.is_visible()
    without.page.context.close()
