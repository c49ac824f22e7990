"""Where the gateway under test is, for every suite."""

from __future__ import annotations

import base64
import os

import pytest

#: The smallest files of their kinds, by the ending of their names.
_ATTACHMENTS = {
    "png": base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
        "gg=="
    ),
    "pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00"
    b"\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00",
}


@pytest.fixture(scope="session")
def url() -> str:
    """The gateway, without `/v1`."""
    return os.environ["FAIRLEAD_URL"]


@pytest.fixture(scope="session")
def key() -> str:
    """A virtual key."""
    return os.environ["FAIRLEAD_KEY"]


@pytest.fixture(scope="session")
def back() -> str:
    """The wire of the backend behind that key."""
    return os.environ["FAIRLEAD_BACK"]


@pytest.fixture
def no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that LangChain's tests would fetch from the web are given from here."""
    import httpx

    def fetched(address: str, **_: object) -> httpx.Response:
        return httpx.Response(200, content=_ATTACHMENTS[address.rsplit(".", 1)[-1]])

    monkeypatch.setattr(httpx, "get", fetched)


@pytest.fixture(scope="session")
def png() -> bytes:
    """A picture of one pixel."""
    return _ATTACHMENTS["png"]
