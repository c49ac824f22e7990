"""Lists on a command line: words and pairs of name and value, separated by commas."""

from __future__ import annotations

from decimal import InvalidOperation

from gateway.core.money import usd_to_nano


def words_of(text: str) -> tuple[str, ...]:
    """The words between the commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def pairs_of(text: str, option: str) -> list[tuple[str, str]]:
    """Pairs such as `a=1,b=2`.

    Raises:
        ValueError: something is no pair; the message names the option.
    """
    pairs = [word.partition("=") for word in words_of(text)]
    wrong = next((name for name, sign, value in pairs if not sign or not value), None)
    if wrong is not None:
        raise ValueError(f"{option} takes name=value, comma-separated; '{wrong}' is not that")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def bills_of(text: str) -> dict[str, int]:
    """Dollars by deployment, as nano-USD.

    Raises:
        ValueError: an amount is no number of dollars.
    """
    try:
        return {name: usd_to_nano(amount) for name, amount in pairs_of(text, "--bill")}
    except InvalidOperation:
        raise ValueError(f"--bill takes dollars, such as house=1500.00; not '{text}'") from None
