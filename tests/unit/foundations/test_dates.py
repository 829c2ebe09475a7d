"""Facts about results that are dated in the future: they are dated now, and others are left alone."""

import os
import time
from pathlib import Path

from dilt.foundations.dates import date_now


def test_results_of_the_future_are_dated_now_and_others_keep_their_date(tmp_path: Path) -> None:
    now = time.time()
    dates = {"old.csv": now - 60, "theta0": now + 3600, "store.zarr/zarr.json": now + 60, "store.zarr/c/0": now + 60}
    for name, date in dates.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (date, date))
    assert date_now(tmp_path, tmp_path / "no-such-folder").startswith(
        "2 results are dated up to 60 minutes in the future"
    )
    found = {name: (tmp_path / name).stat().st_mtime for name in dates}
    assert found["old.csv"] == dates["old.csv"]
    assert now <= found["theta0"] == found["store.zarr/zarr.json"] <= time.time()
    assert date_now(tmp_path) == ""
