"""The caller's own bytes with only our keys changed; every other value stays byte-identical."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from gateway.core.request import ChatRequest
from gateway.wire.base import Encoded, Sending
from gateway.wire.document import hide, raw_json

# Reasoning that a translated answer showed carries no signature, and the vendor refuses it.
_UNSIGNED = re.compile(rb'"signature"\s*:\s*""')
_EXACT = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))


def patch(request: ChatRequest, sending: Sending) -> Encoded:
    """Set the model and lower the output cap; the caller's smaller cap stays as written.

    Reasoning without a signature comes from another backend, which an earlier turn of the same
    conversation went to: it is taken out and named, for the vendor would refuse the request.
    """
    fields = dict(request.fields)
    hide(fields, sending.hidden)
    fields["model"] = raw_json(sending.model)
    asked = request.max_output_tokens
    if asked is None or asked > sending.output_cap:
        fields["max_tokens"] = raw_json(sending.output_cap)
    lossy: list[str] = []
    if _UNSIGNED.search(fields["messages"]):
        messages, lossy = _without_unsigned(_EXACT.decode(fields["messages"]))
        if lossy:
            fields["messages"] = raw_json(messages)
    return Encoded(body=msgspec.json.encode(fields), lossy=tuple(lossy))


def _without_unsigned(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    lossy: list[str] = []
    kept = []
    for index, message in enumerate(messages):
        content = message["content"]
        if isinstance(content, str):
            kept.append(message)
            continue
        unsigned = [number for number, block in enumerate(content) if _is_unsigned(block)]
        lossy += [f"/messages/{index}/content/{number}" for number in unsigned]
        rest = [block for number, block in enumerate(content) if number not in unsigned]
        if rest or not unsigned:
            kept.append({**message, "content": rest} if unsigned else message)
    return kept, lossy


def _is_unsigned(block: dict[str, Any]) -> bool:
    return block.get("type") == "thinking" and not block.get("signature")
