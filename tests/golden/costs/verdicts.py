"""Where the two lists disagree: which one is right, and why."""

from __future__ import annotations

#: By provider, model and the beginning of the shape's name.
VERDICTS: dict[tuple[str, str, str], tuple[str, str]] = {
    ("openai", "gpt-4o-mini", "searches"): (
        "genai-prices",
        "OpenAI bills the web_search tool at $10 per 1,000 calls for every model; $25 is what the "
        "older preview tool cost with models that do not reason.",
    ),
    ("openai", "gpt-4o-transcribe", "audio in"): (
        "genai-prices",
        "OpenAI lists $6 per million audio tokens for it; the second list repeats its text price.",
    ),
    ("openai", "gpt-4o-search-preview", ""): (
        "genai-prices",
        "OpenAI lists no cached price for the search models; the second list has gpt-4o's.",
    ),
    ("openai", "gpt-5.6-cyber", "300,000 tokens"): (
        "second",
        "Prompts above 272,000 tokens cost twice as much for the whole 5.6 family; the row of "
        "genai-prices has no step. A policy that allows such prompts prices the model itself.",
    ),
    ("anthropic", "claude-sonnet-4-5", "200,001 tokens"): (
        "genai-prices",
        "Anthropic lists $6 and $22.50 above 200,000 tokens; the second list ends the model's "
        "window at 200,000 tokens, so it has no price for a longer prompt.",
    ),
    ("google", "gemini-2.5-flash-image", ""): (
        "genai-prices",
        "Google lists no context caching for it, so cached tokens cost what input costs; the "
        "second list has the cached price of gemini-2.5-flash.",
    ),
    ("google", "gemini-2.5-pro", "priority tier"): (
        "second",
        "Google bills its priority tier at 1.8 times the standard price; genai-prices has no row "
        "for it, so it is booked at the standard price and flagged as unpriced.",
    ),
    ("mistral", "mistral-large-4", ""): (
        "genai-prices",
        "Mistral's page shows $0.70/$0.07/$2.10 since 2026-10-29; the second list still has the "
        "price that was in force from 2026-10-20 to 2026-10-28.",
    ),
    ("groq", "openai/gpt-oss-safeguard-20b", ""): (
        "genai-prices",
        "Groq halves the input price of $0.075 for cached tokens; the second list rounded "
        "$0.0375 to $0.037.",
    ),
}
for _model in ("gpt-4.1", "gpt-4.1-mini"):
    VERDICTS["openai", _model, "searches"] = VERDICTS["openai", "gpt-4o-mini", "searches"]


def verdict(provider: str, name: str, shape: str) -> tuple[str, str]:
    """Who is right (genai-prices or second), and why.

    Raises:
        LookupError: nobody has looked into this disagreement yet.
    """
    for (listed, model, begins), told in VERDICTS.items():
        if (listed, model) == (provider, name) and shape.startswith(begins):
            return told
    raise LookupError(f"{provider}/{name}: {shape}: the two lists disagree, and nobody said why")
