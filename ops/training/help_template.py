"""The chat template that the GGUF carries, and its rendering.

It is plain text: ctransformers adds the beginning-of-text token by itself and reads no special
token from text, so `bos_token` must be rendered as empty. A role that is neither `system` nor
`assistant` (such as `tool`) reads as the user's. The answer begins on a line of its own, so it has
no leading space, and the model ends it with its end-of-text token. No line break follows a
statement, so the text is the same whether or not the reader of the file trims blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] in ('system', 'developer') %}System\n"
    "{% elif message['role'] == 'assistant' %}Assistant\n"
    "{% else %}User\n{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] | trim }}"
    "{% elif message['content'] %}{% for part in message['content'] %}"
    "{% if part['text'] is string %}{{ part['text'] | trim }}{% endif %}"
    "{% endfor %}{% endif %}{{ '\\n\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant\n{% endif %}"
)


_TEMPLATE = ImmutableSandboxedEnvironment(keep_trailing_newline=True).from_string(CHAT_TEMPLATE)


def render(messages: Sequence[dict[str, Any]]) -> str:
    """Return the prompt of a conversation, ready for the model to answer."""
    return _TEMPLATE.render(
        messages=messages, bos_token="", eos_token="", add_generation_prompt=True
    )
