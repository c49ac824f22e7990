"""The section `defaults`."""

from __future__ import annotations

from policies.grammar.words import LOSSY, SECONDS, TOKENS
from policies.model.defaults import DefaultsStatement
from policies.shapes import Key, Record, Whole

DEFAULTS = Record(
    what="defaults",
    build=DefaultsStatement,
    keys={
        "max_output_tokens": Key(TOKENS, "output cap of requests that bring none"),
        "request_timeout_seconds": Key(SECONDS, "the longest that a request may take in all"),
        "first_byte_seconds": Key(SECONDS, "the longest wait for an answer to begin"),
        "on_lossy": Key(LOSSY, "requests that a wire cannot carry whole: refuse or record"),
        "retries": Key(Whole(most=10), "further calls after a failure that a pause can cure"),
    },
)
