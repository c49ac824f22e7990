"""Log probabilities of tokens, read leniently and written as OpenAI's types demand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import TokenLogprob
from gateway.wire.logprobs import NEVER, read_columns, read_tokens, write_columns, write_tokens

_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
_NUMBERS = st.floats(NEVER, 0)


def _token(text: str, number: float) -> TokenLogprob:
    return TokenLogprob(token=text, logprob=number, raw=tuple(text.encode()))


_TOKENS = st.lists(st.builds(_token, _TEXTS, _NUMBERS), max_size=4)


@given(_TOKENS, _TOKENS)
def test_what_is_written_reads_the_same(
    tokens: list[TokenLogprob], alternatives: list[TokenLogprob]
) -> None:
    """Bytes and alternatives included."""
    told = [
        TokenLogprob(
            token=one.token, logprob=one.logprob, raw=one.raw, alternatives=(*alternatives,)
        )
        for one in tokens
    ]

    assert read_tokens(write_tokens(told)) == tuple(told)


def test_a_token_whose_bytes_nobody_told_gets_those_of_its_text() -> None:
    """The wire demands a list."""
    (written,) = write_tokens([TokenLogprob(token="é", logprob=-1.0)])

    assert written == {"token": "é", "logprob": -1.0, "bytes": [0xC3, 0xA9], "top_logprobs": []}


def test_what_is_no_token_is_passed_over() -> None:
    """Servers send null for what they do not know, and worse."""
    found = [None, "x", {"token": 1, "logprob": 0}, {"token": "a"}, {"token": "b", "logprob": True}]

    assert read_tokens(found) == ()
    assert read_tokens({"token": "a"}) == ()


def test_an_impossible_token_is_a_json_number() -> None:
    """The logarithm of nothing is minus infinity, which JSON has not."""
    assert read_tokens([{"token": "a", "logprob": float("-inf")}])[0].logprob == NEVER


def test_columns_tell_where_tokens_begin() -> None:
    """Offsets count characters from where the text stood before."""
    tokens = (
        TokenLogprob(
            token="He", logprob=-0.5, alternatives=(TokenLogprob(token="She", logprob=-1.0),)
        ),
        TokenLogprob(token=" is", logprob=-0.25),
    )
    written = write_columns(tokens, 7)

    assert written == {
        "tokens": ["He", " is"],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [{"She": -1.0}, {}],
        "text_offset": [7, 9],
    }
    assert read_columns(written) == tokens


def test_broken_columns_give_what_can_be_read() -> None:
    """The first token of an echoed prompt has no probability; lists may be cut."""
    assert read_columns({"tokens": ["a", "b"], "token_logprobs": [None, -1]}) == (
        TokenLogprob(token="b", logprob=-1.0),
    )
    assert read_columns(None) == ()


def test_the_newer_list_in_the_old_apis_place_is_read() -> None:
    """As llama.cpp's server tells it."""
    token = {"token": "Rome", "logprob": -0.5, "bytes": [82], "top_logprobs": []}

    assert read_columns({"content": [token]}) == read_tokens([token])
