"""The guard before the socket, on its own."""

from __future__ import annotations

import itertools

import pytest

from adapters.base import guard
from gateway.core.failure import FailureKind
from gateway.core.sensitivity import Sensitivity
from tests.adapters.conftest import KEY, deployment_at, outbound


@pytest.mark.parametrize(("label", "clearance"), [*itertools.product(Sensitivity, Sensitivity)])
def test_bytes_pass_up_to_the_clearance(label: Sensitivity, clearance: Sensitivity) -> None:
    """Bytes may go where the clearance is at least their sensitivity, and nowhere else."""
    deployment = deployment_at("http://127.0.0.1:9", clearance=clearance)
    refused = guard(outbound(sensitivity=label), deployment)

    assert (refused is None) is (label <= clearance)
    if refused is not None:
        assert refused.kind is FailureKind.CLEARANCE
        assert refused.free
        assert KEY not in refused.detail
