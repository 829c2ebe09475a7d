"""Progress of long work: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

LOG_SECONDS = 10.0


class Progress:
    """Counts units of work under a label.

    Args:
        label: what is worked on.
        total: units in all.
        done: units done before, by an earlier attempt.
        unit: name of a unit.
    """

    def __init__(self, label: str, total: int, done: int = 0, unit: str = "epoch") -> None:
        self._bar = tqdm(total=total, initial=done, desc=label, unit=unit, disable=not sys.stderr.isatty(), leave=True)
        self._label, self._total, self._done, self._unit = label, total, done, unit
        self._start, self._first = time.monotonic(), done
        self._printed = self._start

    def advance(self, note: str = "", units: int = 1) -> None:
        """Count units as done; ``note`` says how it goes (loss, accuracy, images/s)."""
        self._done += units
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(units)
        now = time.monotonic()
        if self._bar.disable and (now - self._printed >= LOG_SECONDS or self._done == self._total):
            self._printed = now
            seconds = now - self._start
            left = seconds / max(1, self._done - self._first) * (self._total - self._done)
            took = f"{left:.0f} s left" if self._done < self._total else f"{seconds:.1f} s"
            print(f"{self._label}: {self._unit} {self._done}/{self._total}  {note}  {took}", flush=True)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.close()
