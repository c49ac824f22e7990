"""Fits and checks the weights of `gateway/core/token_families.py` against published vocabularies.

Run:  python -m ops.training.token_families --claude FILE --llama FILE --tekken FILE --spm FILE \\
          [--sentences FOLDER]

None of the files belongs to the project; each lies in a public package, which is fetched and
unpacked by hand: `claude.json` (Claude 2) in npm's @anthropic-ai/tokenizer, the `tokenizer.model`
of Llama 3 in PyPI's llama-models, `tekken_240911.json` and `tokenizer.model.v1` (like Llama 2's) in
PyPI's mistral-common, and the sentences in PyPI's django, whose translations are ordinary words of
98 languages. `--spm` needs the package sentencepiece. Without a file its family is left out.

Printed are, for each family, the weights of least relative error, their error, and how many texts
have more tokens than the bound that is in force says.
"""

from __future__ import annotations

import argparse
import ast
import base64
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tiktoken

from gateway.classify.token_counting import amounts_of
from gateway.config.vocabularies import SOURCES, load_vocabularies
from gateway.core.token_families import CL100K, FAMILIES, O200K
from ops.bench.tokens import SHARED, Text, corpus_texts, made_texts

Count = Callable[[str], int]
#: What the likely number is a sum of.
FIELDS = ("tokens", "digits", "accented", "greek_cyrillic", "eastern", "other_bytes")
#: Of the evaluation sets, which are alike, every fifth text is enough.
STEP = 5
_TRANSLATED = re.compile(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\s*)+)$', re.MULTILINE)


def counter(name: str, pattern: str, ranks: dict[bytes, int]) -> Count:
    """What counts with a byte-level vocabulary."""
    encoding = tiktoken.Encoding(
        name=name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )
    return lambda text: len(encoding.encode_ordinary(text))


def claude(path: Path) -> Count:
    """Claude 2, which reads text in its compatible form (NFKC)."""
    told = json.loads(path.read_text())
    ranks: dict[bytes, int] = {}
    for line in told["bpe_ranks"].split("\n"):
        _, first, *tokens = line.split(" ")
        ranks.update((base64.b64decode(t), int(first) + n) for n, t in enumerate(tokens))
    count = counter("claude", told["pat_str"], ranks)
    return lambda text: count(unicodedata.normalize("NFKC", text))


def llama(path: Path) -> Count:
    """Llama 3, which cuts texts as cl100k_base does."""
    lines = [line.split() for line in path.read_bytes().splitlines()]
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return counter("llama3", SOURCES[CL100K].pattern, ranks)


def tekken(path: Path) -> Count:
    """Newer models of Mistral."""
    told = json.loads(path.read_text())
    config = told["config"]
    size = config["default_vocab_size"] - config["default_num_special_tokens"]
    ranks = {base64.b64decode(one["token_bytes"]): one["rank"] for one in told["vocab"][:size]}
    return counter("tekken", config["pattern"], ranks)


def sentencepiece(path: Path) -> Count:
    """Llama 2 and the first models of Mistral."""
    from sentencepiece import SentencePieceProcessor  # type: ignore[import-not-found]

    processor = SentencePieceProcessor(model_file=str(path))
    return lambda text: len(processor.encode(text))


def translated(folder: Path) -> list[Text]:
    """The longer sentences of every language, some alone and some together."""
    found = []
    for path in sorted(folder.rglob("django.po")):
        written = path.read_text(encoding="utf-8")
        sentences = [ast.literal_eval(f"({told})") for told in _TRANSLATED.findall(written)]
        longer = [sentence for sentence in sentences if len(sentence) > 20]
        for start in range(0, len(longer), 5):
            found.append(Text(path.parts[-3], longer[start]))
            found.append(Text(path.parts[-3], " ".join(longer[start : start + 5])))
    return found


def report(family: str, texts: list[Text], count: Count) -> None:
    """Fit the likely weights of a family, and check its bound."""
    base = load_vocabularies(names=(O200K,))[O200K]
    amounts = [amounts_of(one.text, base.count(one.text)) for one in texts]
    true = np.array([count(one.text) for one in texts], float)
    seen = np.array([[getattr(one, field) for field in FIELDS] for one in amounts], float)
    weights = np.linalg.lstsq(seen / true[:, None], np.ones(len(true)), rcond=None)[0]
    error = np.abs(seen @ weights / true - 1).mean()
    bound = np.array([one.weighed(FAMILIES[family].most) for one in amounts], float)
    shown = ", ".join(
        f"{field} {weight:.2f}" for field, weight in zip(FIELDS, weights, strict=True)
    )
    print(f"{family}: {shown}; mean error {error:.3f}")
    print(
        f"  bound: {int((bound < true).sum())} of {len(true)} texts above it, "
        f"{(bound / true).mean():.2f} times the truth on average"
    )


def main() -> None:
    """Print the weights of every family whose vocabulary was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    readers: dict[str, tuple[str, Callable[[Path], Count]]] = {
        "claude": ("claude", claude),
        "llama": ("llama3", llama),
        "tekken": ("mistral", tekken),
        "spm": ("llama2", sentencepiece),
    }
    for option in (*readers, "sentences"):
        parser.add_argument(f"--{option}", type=Path)
    asked = vars(parser.parse_args())
    texts = [*list(corpus_texts(SHARED))[::STEP], *made_texts()]
    if asked["sentences"]:
        texts += translated(asked["sentences"])
    for option, (family, reader) in readers.items():
        if asked[option]:
            report(family, texts, reader(asked[option]))


if __name__ == "__main__":
    main()
