"""What a caller's headers say."""

from __future__ import annotations

import pytest

from gateway.core.errors import InvalidRequest
from gateway.core.sensitivity import Sensitivity
from gateway.runtime.callers import bearer_key, declared_sensitivity, declared_tags
from gateway.runtime.client import Client


def client(**headers: str) -> Client:
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Client({"headers": raw}, None, None)  # type: ignore[arg-type]


def test_the_key_comes_as_openai_or_as_anthropic_sends_it() -> None:
    """`Authorization: Bearer` wins; `x-api-key` is as good."""
    assert bearer_key(client(authorization="Bearer fl_a")) == "fl_a"
    assert bearer_key(client(x_api_key=" fl_b ")) == "fl_b"
    assert bearer_key(client(authorization="Bearer fl_a", x_api_key="fl_b")) == "fl_a"
    assert bearer_key(client()) == ""


def test_another_scheme_is_no_key() -> None:
    """Basic credentials are not taken for a key."""
    assert bearer_key(client(authorization="Basic Zm9vOmJhcg==")) == ""


def test_a_declared_sensitivity_is_read_in_any_case() -> None:
    """No header means public, which raises nothing."""
    assert declared_sensitivity(client()) is Sensitivity.PUBLIC
    assert declared_sensitivity(client(x_fairlead_sensitivity="Restricted")) is (
        Sensitivity.RESTRICTED
    )


def test_a_sensitivity_that_does_not_exist_is_refused() -> None:
    """A typing mistake must not send data out as if nothing had been said."""
    with pytest.raises(InvalidRequest, match="public, internal, confidential, restricted"):
        declared_sensitivity(client(x_fairlead_sensitivity="top-secret"))


def test_tags_are_names_and_values() -> None:
    """Spaces around them do not matter."""
    assert declared_tags(client(x_fairlead_tags="project = alpha, env=prod")) == (
        ("project", "alpha"),
        ("env", "prod"),
    )


@pytest.mark.parametrize("text", ["novalue", "a=b,,c=d", "=x", ",".join(["a=b"] * 17)])
def test_tags_of_another_shape_are_refused(text: str) -> None:
    """A tag that cannot be booked is told to the caller."""
    with pytest.raises(InvalidRequest, match="x-fairlead-tags"):
        declared_tags(client(x_fairlead_tags=text))
