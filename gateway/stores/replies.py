"""Reading the lists that Redis answers with; what is no text in them is passed over."""

from __future__ import annotations

from gateway.stores.connection import Reply


def texts_in(reply: Reply) -> list[bytes]:
    """The texts of a list, in order; none of any other reply."""
    return [one for one in reply if isinstance(one, bytes)] if isinstance(reply, list) else []


def fields_in(reply: Reply) -> dict[str, bytes]:
    """The fields of a hash by their names, as `HGETALL` answers: name, value, name, value.

    Raises:
        ValueError: a name has no value.
    """
    texts = texts_in(reply)
    names = (name.decode() for name in texts[::2])
    return dict(zip(names, texts[1::2], strict=True))
