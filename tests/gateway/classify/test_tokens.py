"""The token estimate against real vocabularies."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from rs_bpe.bpe import openai

from gateway.classify.tokens import estimate, expected_tokens
from gateway.core.profile import Needs
from gateway.wire.openai_chat.view import decode

VOCABULARIES = (openai.cl100k_base(), openai.o200k_base())
SAMPLES = {
    "prose": "The committee met on Tuesday to discuss the budget, and nobody could agree on it. "
    * 8,
    "code": "def add(left: int, right: int) -> int:\n    return left + right\n\n" * 12,
    "German": "Wir möchten wissen, wie viele Zeichen dieser deutsche Satz am Ende enthält. " * 6,
    "Chinese": "这是一个用来测试分词器的中文句子，我们想知道它有多少个词元。" * 8,
    "Russian": "Быстрая лиса прыгает через ленивую собаку, и никто этого не видит. " * 8,
}


def test_the_likely_number_is_near():
    """On ordinary text in five kinds the estimate is within a third of both vocabularies' mean."""
    for kind, text in SAMPLES.items():
        true = sum(len(bpe.encode(text)) for bpe in VOCABULARIES) / 2

        assert 0.67 < expected_tokens(text) / true < 1.5, kind


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=4), ascii_only=st.booleans())
def test_the_bound_is_never_passed(texts: list[str], ascii_only: bool):
    """No vocabulary makes more tokens of a request's strings than the bound says."""
    messages = [{"role": "user", "content": text} for text in texts]
    try:
        raw = json.dumps({"model": "m", "messages": messages}, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return
    request = decode(raw)
    tokens = estimate(request, "\n".join(texts))
    true = max(sum(len(bpe.encode(text)) for text in texts) for bpe in VOCABULARIES)

    assert true + 4 * len(texts) + 3 <= tokens.upper_bound
    assert tokens.expected <= tokens.upper_bound


def test_images_and_tools_raise_the_bound():
    """What vendors add for images and tools is inside the bound."""
    request = decode(b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}')
    richer = msgspec.structs.replace(request, images=2, needs=Needs(tools=True))

    assert estimate(richer, "hi").upper_bound >= estimate(request, "hi").upper_bound + 12_800


def test_the_bytes_of_files_are_not_read_as_text():
    """A picture sent inline costs what pictures cost, and a PDF what its pages do."""
    picture = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64," + "Qk1z" * 40_000},
    }
    told = {"model": "m", "messages": [{"role": "user", "content": [picture]}]}
    request = decode(json.dumps(told).encode())
    joined = "\n".join(part.text for part in request.segments)
    filed = msgspec.structs.replace(request, images=0, needs=Needs(documents=True))

    assert 1_000 <= estimate(request, joined).expected < 1_200
    assert 4_900 <= estimate(filed, joined).expected < 5_200
