"""Run every client and write `ops/docs/compatibility.md`: `python -m ops.compat.publish`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ops.compat.clients import BACKS, CLIENTS
from ops.compat.run import Run
from ops.compat.table import page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "ops" / "docs" / "compatibility.md"
_TESTS = "tests/compat/test_clients.py"


def main() -> int:
    """Run the tests, then write the page, whatever came of them; 1 where a client fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, help="use the results of an earlier run")
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as fresh:
        folder = options.results or Path(fresh)
        if options.results is None:
            _run_all(folder)
        runs = [Run.from_json(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")]
    order = [(client.name, back) for client in CLIENTS for back in BACKS]
    runs.sort(key=lambda run: order.index((run.client, run.back)))
    options.page.write_text(page(runs, datetime.now(UTC).date()), encoding="utf-8")
    failed = sum(run.count("failed") for run in runs)
    print(f"{len(runs)} of {len(order)} runs, {failed} tests failed; wrote {options.page}")
    return 1 if failed or len(runs) < len(order) else 0


def _run_all(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-m", "full", "--tb=line", _TESTS]
    environ = {**os.environ, "FAIRLEAD_COMPAT_RESULTS": str(folder)}
    subprocess.run(command, cwd=ROOT, env=environ, check=False)


if __name__ == "__main__":
    sys.exit(main())
