"""The caller's own bytes with only our keys changed; every other value stays byte-identical."""

from __future__ import annotations

import msgspec

from gateway.core.request import ChatRequest
from gateway.wire.base import Encoded, Sending
from gateway.wire.document import hide, is_set, raw_json

_CAP_FIELDS = ("max_completion_tokens", "max_tokens")


def patch(request: ChatRequest, sending: Sending) -> Encoded:
    """Set the model, the output cap and, for streams, the request for usage.

    The cap is only ever lowered: a caller's smaller one stays as it was written. Where the
    caller wrote the cap under a field of its own choice, that field is the one changed.
    """
    fields = dict(request.fields)
    fields["model"] = raw_json(sending.model)
    written = [name for name in _CAP_FIELDS if is_set(fields, name)]
    if not written:
        for name in _CAP_FIELDS:
            fields.pop(name, None)
        fields[sending.cap_field] = raw_json(sending.output_cap)
    elif (request.max_output_tokens or 0) > sending.output_cap:
        for name in written:
            fields[name] = raw_json(min(int(bytes(fields[name])), sending.output_cap))
    if request.stream and not request.include_usage:
        options: dict[str, msgspec.Raw] = {}
        if is_set(fields, "stream_options"):
            options = msgspec.json.decode(fields["stream_options"], type=dict[str, msgspec.Raw])
        options["include_usage"] = msgspec.Raw(b"true")
        fields["stream_options"] = raw_json(options)
    if sending.logprobs:
        fields["logprobs"] = msgspec.Raw(b"true")
    hide(fields, sending.hidden)
    return Encoded(body=msgspec.json.encode(fields))
