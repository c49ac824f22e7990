"""The common clients of the ecosystem, each in an environment of its own, against a real gateway.

With `FAIRLEAD_COMPAT_RESULTS` set to a folder, each run is kept there as JSON: that is what
`python -m ops.compat.publish` makes its table of.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.compat.clients import BACKS, CLIENTS, Client
from ops.compat.run import run_client
from tests.compat.stand import Stand, standing

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One gateway for all clients."""
    with standing(tmp_path_factory.mktemp("stand"), BACKS) as ready:
        yield ready


@pytest.mark.parametrize("back", BACKS)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.slug)
def test_a_client_works_with_nothing_but_its_address_changed(
    stand: Stand, tmp_path: Path, client: Client, back: str
) -> None:
    """Everything that the client's suite does succeeds, whichever wire the backend speaks."""
    if client.environment == "node" and shutil.which("npm") is None:
        pytest.skip("needs Node.js 20 or newer, with npm")
    run = run_client(
        client, back, url=stand.gateway.url, key=stand.keys[back], folder=tmp_path / "run"
    )
    kept = os.environ.get("FAIRLEAD_COMPAT_RESULTS")
    if kept:
        Path(kept, f"{client.slug}-{back}.json").write_text(run.to_json(), encoding="utf-8")

    assert [case for case in run.cases if case.outcome == "failed"] == []
    assert run.count("passed") > 3
