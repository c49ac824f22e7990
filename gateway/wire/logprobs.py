"""Log probabilities of an answer's tokens, as the wires that tell them spell them.

OpenAI's chat and Responses APIs and Ollama tell a list of tokens with their alternatives; the old
completions API tells parallel lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.core.conversation import TokenLogprob
from gateway.wire.lenient import dict_of, list_of

Block = dict[str, Any]

#: What vendors tell of a token that cannot be: the logarithm of nothing is no JSON number.
NEVER = -9999.0


def read_tokens(found: object) -> tuple[TokenLogprob, ...]:
    """A list of tokens with their alternatives; what is no token is passed over."""
    return tuple(
        TokenLogprob(
            token=token["token"],
            logprob=_number(token["logprob"]),
            raw=_bytes(token.get("bytes")),
            alternatives=read_tokens(token.get("top_logprobs")),
        )
        for token in map(dict_of, list_of(found))
        if isinstance(token.get("token"), str) and _is_number(token.get("logprob"))
    )


def write_tokens(tokens: Iterable[TokenLogprob]) -> list[Block]:
    """The list that `read_tokens` reads, with all that OpenAI's types require."""
    return [
        {**_told(token), "top_logprobs": [_told(other) for other in token.alternatives]}
        for token in tokens
    ]


def read_columns(found: object) -> tuple[TokenLogprob, ...]:
    """The parallel lists of the completions API; llama.cpp's server tells the newer list there."""
    columns = dict_of(found)
    if "content" in columns:
        return read_tokens(columns["content"])
    tokens, numbers = list_of(columns.get("tokens")), list_of(columns.get("token_logprobs"))
    tops = list_of(columns.get("top_logprobs")) or [None] * len(tokens)
    return tuple(
        TokenLogprob(
            token=token,
            logprob=_number(number),
            alternatives=tuple(
                TokenLogprob(token=other, logprob=_number(held))
                for other, held in dict_of(top).items()
                if _is_number(held)
            ),
        )
        for token, number, top in zip(tokens, numbers, tops, strict=False)
        if isinstance(token, str) and _is_number(number)
    )


def write_columns(tokens: Sequence[TokenLogprob], offset: int) -> Block:
    """The parallel lists; `offset` is where the first token begins in the text, in characters."""
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token.token)
    return {
        "tokens": [token.token for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [
            {other.token: other.logprob for other in token.alternatives} for token in tokens
        ],
        "text_offset": offsets,
    }


def _told(token: TokenLogprob) -> Block:
    raw = token.token.encode("utf-8", "replace") if token.raw is None else token.raw
    return {"token": token.token, "logprob": token.logprob, "bytes": list(raw)}


def _bytes(found: object) -> tuple[int, ...] | None:
    if not isinstance(found, list):
        return None
    return tuple(byte for byte in found if isinstance(byte, int) and 0 <= byte < 256)


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _number(found: Any) -> float:
    return max(NEVER, float(found))
