"""The report of a run in a window of a real browser, as tests look at it."""

import shutil

from playwright.sync_api import expect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTH, HEIGHT = 1280, 900


class Seen:
    """The report of a finished run, opened from its file, and what went on meanwhile."""

    def __init__(self, browser, folder, width=WIDTH, **context):
        self.address = (folder / "results/digits/report.html").as_uri()
        self.page = browser.new_context(viewport={"width": width, "height": HEIGHT}, **context).new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(self.address)

    def open(self, table):
        """A table's rows, headings and the filter, once it is unfolded."""
        details = self.page.locator(f"#table-{table}")
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        details.locator(".dt-search input").wait_for()
        return details.locator("tbody tr"), details.locator("thead th"), details.locator(".dt-search input")

    def unfold(self):
        """All that is folded, tables made sortable."""
        self.page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
        tables = self.page.locator("table.sortable").count()
        expect(self.page.locator("div.dt-container")).to_have_count(tables)
