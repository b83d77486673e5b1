"""The table of what this run of the benches measured, at its end."""

from __future__ import annotations

import time

import pytest

from tests.bench.table import SCALE, kept_rows, results_path, table

BEGUN = time.time()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = kept_rows(BEGUN)
    if rows:
        terminalreporter.section(f"measured at scale {SCALE:g}, kept in {results_path()}")
        terminalreporter.write_line(table(rows))
