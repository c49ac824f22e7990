"""The caller's own bytes with only our keys changed; every other value stays byte-identical."""

from __future__ import annotations

import msgspec

from gateway.core.request import ChatRequest
from gateway.wire.base import Encoded, Sending
from gateway.wire.document import hide, is_set, raw_json
from gateway.wire.openai_responses.sealed import OURS, is_ours


def patch(request: ChatRequest, sending: Sending) -> Encoded:
    """Set the model and the output cap, and keep the vendor from keeping anything.

    The history of a conversation already stands in `input`, so `store` goes out as false and
    `previous_response_id` not at all. The cap is only ever lowered.
    """
    fields = dict(request.fields)
    fields["model"] = raw_json(sending.model)
    if request.max_output_tokens is None or request.max_output_tokens > sending.output_cap:
        fields["max_output_tokens"] = raw_json(sending.output_cap)
    fields["store"] = msgspec.Raw(b"false")
    fields.pop("previous_response_id", None)
    if sending.logprobs:
        included = msgspec.json.decode(fields["include"]) if is_set(fields, "include") else []
        fields["include"] = raw_json([*included, "message.output_text.logprobs"])
    hide(fields, sending.hidden)
    lossy = _drop_foreign_reasoning(fields)
    return Encoded(body=msgspec.json.encode(fields), lossy=lossy)


def _drop_foreign_reasoning(fields: dict[str, msgspec.Raw]) -> tuple[str, ...]:
    """Leave out reasoning that another vendor signed: this one would refuse it as forged."""
    given = bytes(fields.get("input", msgspec.Raw(b"")))
    if not given.startswith(b"[") or OURS.encode() not in given:
        return ()
    kept, dropped = [], []
    for index, item in enumerate(msgspec.json.decode(given, type=list[msgspec.Raw])):
        if is_ours(msgspec.json.decode(item)):
            dropped.append(f"/input/{index}")
        else:
            kept.append(item)
    fields["input"] = raw_json(kept)
    return tuple(dropped)
