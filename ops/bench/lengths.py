"""Measures how well the lengths of answers are predicted: do quantiles cover what they say?

Run:  python -m ops.bench.lengths

No set beside the repository has answers or their lengths. What is measured is the method, on
lengths that come one after another as answers do, in kinds ("tasks") that differ: the texts of the
evaluation sets, by set, in tokens of o200k_base, and drawn ones with long tails. Each length is
predicted from those before it alone, without caps and with one that cuts a part of them off; what
is covered is then the length under the cap.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from gateway.config.vocabularies import load_vocabularies
from gateway.core.output_length import AnswerLength
from gateway.core.token_families import O200K
from gateway.runtime.lengths import LengthBoard
from ops.bench.tokens import SEED, SHARED, corpus_texts

#: Answers of one kind that are predicted at least, so that a figure means something.
FEWEST = 400
MOST = 4_000
SHARES = (0.5, 0.9, 0.99)


def corpus_lengths() -> dict[str, list[int]]:
    """Tokens of the texts of each set, in a drawn order."""
    count = load_vocabularies(names=(O200K,))[O200K].count
    found: dict[str, list[int]] = {}
    for kind, text in corpus_texts(SHARED):
        found.setdefault(kind, []).append(count(text))
    for lengths in found.values():
        random.Random(SEED).shuffle(lengths)
    return {kind: lengths[:MOST] for kind, lengths in found.items() if len(lengths) >= FEWEST}


def drawn_lengths() -> dict[str, list[int]]:
    """Lengths with tails as answers have them, some of two sorts in one task."""
    chance = random.Random(SEED)

    def lognormal(middle: float, spread: float) -> int:
        return max(1, round(chance.lognormvariate(middle, spread)))

    return {
        "drawn, long tail": [lognormal(5, 1.2) for _ in range(MOST)],
        "drawn, two sorts": [lognormal(*chance.choice(((2, 0.5), (6, 0.4)))) for _ in range(MOST)],
    }


def coverage(lengths: Mapping[str, list[int]], cap: int | None) -> dict[str, tuple[float, ...]]:
    """By kind, the shares of answers that stay within the quantiles told before them."""
    found = {}
    for kind, own in lengths.items():
        most = cap or max(own)
        hits, told, now = [0.0, 0.0, 0.0], 0, 0.0
        board = LengthBoard(lambda: now)  # noqa: B023 - each board is used in its own round
        for length in own:
            now += 1.0
            known = board.lengths(kind).get("house")
            if known is not None:
                told += 1
                # A quantile at the cap covers everything, and says no more than the cap does.
                for place, (quantile, share) in enumerate(
                    zip(known.capped(most), SHARES, strict=True)
                ):
                    hits[place] += share if quantile >= most else length <= quantile
            board.answered("house", kind, AnswerLength(min(length, most), cut=length > most))
        found[kind] = tuple(hit / told for hit in hits)
    return found


def main() -> None:
    """Print the table."""
    lengths = {**corpus_lengths(), **drawn_lengths()}
    print(f"{'kind':22}{'answers':>9}" + "".join(f"{f'{s:.0%}':>8}" for s in SHARES * 2))
    free = coverage(lengths, None)
    capped = {
        kind: coverage({kind: own}, sorted(own)[int(0.8 * len(own))])[kind]
        for kind, own in lengths.items()
    }
    for kind, own in lengths.items():
        told = "".join(f"{share:>8.3f}" for share in (*free[kind], *capped[kind]))
        print(f"{kind:22}{len(own):>9}{told}")
    worst = max(
        abs(share - wanted)
        for table in (free, capped)
        for shares in table.values()
        for share, wanted in zip(shares, SHARES, strict=True)
    )
    print(f"farthest from what it says: {worst:.3f}")


if __name__ == "__main__":
    main()
