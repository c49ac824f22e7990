"""Learns the words of medical, legal and staff cases, and says how well they tell.

Run:  python ops/training/topics.py ../shared/data [--write] [--show]

Cases and lists of words are our own (`topic_texts/`). What holds none are texts of ours near each
topic, cases of the other topics, and the prompts of the routing data, questions of medicine, law
and psychology among them; a fifth of these is kept back to measure, and so are the texts that were
written apart from all others (`held_out_*.txt`). With `--write` what was learned goes to
`gateway/classify/weights/topics.json`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from gateway.classify.folding import Folding  # noqa: E402
from gateway.classify.topics import (  # noqa: E402
    SIGNS,
    Learned,
    Passage,
    is_exam,
    passages,
    probability,
    signs_of,
)

TOPICS = ("medical", "legal", "hr")
WEIGHTS = HERE.parents[1] / "gateway" / "classify" / "weights" / "topics.json"
#: Words that are kept of a topic, and in how many of its cases a word must stand.
WORDS, LEAST_TEXTS = 450, 2
#: The share of passages with words of a topic that are taken to be cases.
PRIOR = 0.4
#: A passage of a prompt without a case may be found so often.
ALARMS = 0.001
#: And none is found that is a case with less than this probability.
LEAST = 0.45
RIDGE = 1.5
#: Of so many words that nobody wrote often enough here, more tell nothing more.
MOST_LISTED = 4
#: In a larger share of prompts a listed word is too common to tell anything.
MOST_ELSEWHERE = 0.002
_WORD = re.compile(r"[a-z][a-z0-9'&/+-]*[a-z0-9]|[a-z]")
#: Words that say nothing of a topic, whatever the texts here may suggest.
_EMPTY = frozenset(
    "a an the and or of to in on at by for with from as is are was were be been has have had do "
    "does did not no but if then than that this these those it its i me my we us our you your "
    "he him his she her they them their there here what which who whom whose when where why how "
    "can could will would shall should may might must also so too very more most much many some "
    "any all each few other another same such only just still already again once up down out "
    "off over under about into after before between during while until since because through am "
    "pm s t mr mrs ms dr per please write draft make shorten translate summarise summarize "
    "rewrite answer reply mail email letter note notes one two three four five six seven eight "
    "nine ten first second third".split()
)


def texts_of(name: str) -> list[str]:
    """The passages of a file, one a paragraph; none where there is no file."""
    path = HERE / "topic_texts" / f"{name}.txt"
    if not path.exists():
        return []
    return [one.strip() for one in path.read_text(encoding="utf-8").split("\n\n") if one.strip()]


def lists_of(topic: str) -> list[list[str]]:
    """The lists of a topic's words, one a paragraph, the most telling first; each word once."""
    seen: set[str] = set()
    lists = []
    for text in texts_of(f"words_{topic}"):
        words = [word.strip() for word in text.split(",")]
        lists.append([word for word in dict.fromkeys(words) if word not in seen])
        seen.update(words)
    return lists


def prompts_of(data: Path) -> list[str]:
    """Every prompt of the routing data."""
    found = []
    for path in sorted((data / "routing").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [json.loads(line)["prompt"] for line in lines]
    return found


def lower_of(text: str, folding: Folding) -> str:
    """A text as detectors see it."""
    return folding.view(text)[0].lower


def terms_of(lower: str) -> Iterator[tuple[str, int, int]]:
    """Every word and pair of words with its place."""
    previous: re.Match[str] | None = None
    for match in _WORD.finditer(lower):
        yield match.group(), match.start(), match.end()
        if previous is not None and lower[previous.end() : match.start()] in (" ", "\n"):
            pair = f"{previous.group()} {match.group()}"
            yield pair, previous.start(), match.end()
        previous = match


class Reader:
    """Finds the passages of a vocabulary as the product does, without its engine.

    `groups` are further words, those of each group counted together.
    """

    def __init__(self, words: Sequence[str], groups: Sequence[Sequence[str]] = ()) -> None:
        every = [*words, *(word for group in groups for word in group)]
        self._numbers = {word: number for number, word in enumerate(every)}
        self._alone, self._groups = len(words), len(groups)
        self._group_of = [number for number, group in enumerate(groups) for _ in group]

    def hits(self, lower: str) -> list[tuple[int, int, int]]:
        """Every word of the vocabulary with its place and number."""
        numbers = self._numbers
        return [
            (start, end, numbers[term]) for term, start, end in terms_of(lower) if term in numbers
        ]

    def passages(self, lower: str) -> list[Passage]:
        """The passages that are weighed: those of no exam."""
        found = passages(lower, sorted(self.hits(lower)), frozenset())
        return [one for one in found if not is_exam(lower, one)]

    def rows(self, lower: str) -> list[Any]:
        """What is counted in each passage: its words, the signs, and 1 for the bias."""
        found = []
        for one in self.passages(lower):
            listed = self._alone + self._groups
            row = np.zeros(listed + len(SIGNS) + 1)
            for word in one.words:
                if word < self._alone:
                    row[word] = 1.0
                else:
                    row[self._alone + self._group_of[word - self._alone]] += 1.0
            row[self._alone : listed] = np.minimum(row[self._alone : listed], MOST_LISTED)
            row[listed:-1] = signs_of(lower, one)
            row[-1] = 1.0
            found.append(row)
        return found


def counted(texts: Sequence[str]) -> Counter[str]:
    """In how many of the texts each word and each pair of words stands."""
    return Counter(term for text in texts for term in {one for one, _, _ in terms_of(text)})


def vocabulary(cases: Sequence[str], others: Counter[str], size: int) -> list[str]:
    """The words and pairs that stand in far more cases than elsewhere, the most telling first.

    `others` are those of all other texts, of which there are `size`.
    """
    telling = {}
    for term, count in counted(cases).items():
        empty = all(part in _EMPTY for part in term.split())
        if count < LEAST_TEXTS or empty or len(term) < 2:
            continue
        share, elsewhere = count / len(cases), (others[term] + 0.5) / (size + 1)
        if share > 2 * elsewhere:
            telling[term] = share * np.log(share / elsewhere)
    return sorted(telling, key=lambda term: (-telling[term], term))[:WORDS]


def fit(rows: Any, wanted: Any, weigh: Any, words: int) -> Any:
    """Logistic regression by Newton's method; a topic's words never tell against it."""
    free = np.ones(rows.shape[1], bool)
    while True:
        learned = np.zeros(rows.shape[1])
        for _ in range(30):
            chance = 1 / (1 + np.exp(-np.clip(rows[:, free] @ learned[free], -30, 30)))
            slope = rows[:, free].T @ (weigh * (wanted - chance)) - RIDGE * learned[free]
            curve = (rows[:, free].T * (weigh * chance * (1 - chance))) @ rows[:, free]
            learned[free] += np.linalg.solve(curve + RIDGE * np.eye(free.sum()), slope)
        negative = np.flatnonzero(learned[:words] < 0)
        if not len(negative):
            return learned
        free[negative] = False


def learn(
    cases: Sequence[str],
    others: Sequence[str],
    prompts: Sequence[str],
    lists: Sequence[Sequence[str]],
) -> Learned:
    """What a topic's cases have that others have not; all texts as detectors see them.

    Words that are listed and stand too seldom in the cases have one weight together in each list.
    """
    asked = counted(prompts)
    words = vocabulary(cases, counted(others) + asked, len(others) + len(prompts))
    most = MOST_ELSEWHERE * len(prompts)
    groups = [
        [word for word in listed if word not in words and asked[word] <= most] for listed in lists
    ]
    reader = Reader(words, groups)
    own = [max(found, key=np.sum) for text in cases if (found := reader.rows(text))]
    near = [row for text in others for row in reader.rows(text)]
    far = [row for text in prompts for row in reader.rows(text)]
    rows = np.array([*own, *near, *far])
    wanted = np.array([1.0] * len(own) + [0.0] * (len(near) + len(far)))
    # Few texts stand for what is near, so each counts as much as four prompts.
    weigh = np.array([1.0] * len(own) + [4.0] * len(near) + [1.0] * len(far))
    weigh[: len(own)] = PRIOR / (1 - PRIOR) * weigh[len(own) :].sum() / len(own)
    learned = [
        round(float(weight), 3) for weight in fit(rows, wanted, weigh, len(words) + len(groups))
    ]
    known = list(zip(words, learned, strict=False))
    for group, weight in zip(groups, learned[len(words) :], strict=False):
        known += [(word, weight) for word in group]
    kept = tuple((word, weight) for word, weight in known if weight > 0.05)
    return Learned(kept, tuple(learned[len(words) + len(groups) : -1]), learned[-1], 0.5)


def chances(learned: Learned, texts: Sequence[str]) -> Any:
    """The highest probability of each text's passages."""
    weights, reader = [weight for _, weight in learned.words], Reader([w for w, _ in learned.words])
    found = []
    for text in texts:
        passages_of = reader.passages(text)
        found.append(
            max(
                (
                    probability(learned, sum(weights[n] for n in one.words), signs_of(text, one))
                    for one in passages_of
                ),
                default=0.0,
            )
        )
    return np.array(found)


def main() -> None:
    """Learn each topic, tell how well it does, and keep what was learned if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--show", action="store_true", help="show words and mistakes")
    asked = parser.parse_args()
    folding = Folding()
    prompts = [lower_of(text, folding) for text in prompts_of(asked.data)]
    seen, unseen = [t for n, t in enumerate(prompts) if n % 5], prompts[::5]
    texts = {
        name: [lower_of(text, folding) for text in (*texts_of(name), *texts_of(f"more_{name}"))]
        for name in TOPICS
    }
    near = [lower_of(text, folding) for name in TOPICS for text in texts_of(f"more_not_{name}")]
    neither = [lower_of(text, folding) for text in texts_of("held_out_neither")]
    kept: dict[str, Learned] = {}
    for topic in TOPICS:
        others = [*near, *(text for name in TOPICS if name != topic for text in texts[name])]
        learned = learn(texts[topic], others, seen, lists_of(topic))
        least = max(LEAST, round(float(np.quantile(chances(learned, seen), 1 - ALARMS)), 2))
        kept[topic] = learned = Learned(learned.words, learned.signs, learned.bias, least)
        held = [lower_of(text, folding) for text in texts_of(f"held_out_{topic}")]
        told = {
            "own": texts[topic], "held-out cases": held, "near": near, "held-out others": neither,
            "prompts kept back": unseen,
        }  # fmt: skip
        shares = [
            f"{name} {np.mean(chances(learned, of) >= least):.2%}" for name, of in told.items()
        ]
        print(f"{topic}: {len(learned.words)} words, from {least}: {', '.join(shares)}")
        if asked.show:
            show(learned, held, neither)
    if asked.write:
        write(kept)


def show(learned: Learned, held: Sequence[str], neither: Sequence[str]) -> None:
    """The weightiest words, and what is missed or found by mistake."""
    print("  ", ", ".join(f"{word} {weight:.1f}" for word, weight in learned.words[:80]))
    print("  ", dict(zip(SIGNS, learned.signs, strict=True)), learned.bias)
    for text, chance in zip(held, chances(learned, held), strict=True):
        if chance < learned.least:
            print(f"    missed {chance:.2f}: {text[:120]}")
    for text, chance in zip(neither, chances(learned, neither), strict=True):
        if chance >= learned.least:
            print(f"    alarm {chance:.2f}: {text[:120]}")


def write(kept: Mapping[str, Learned]) -> None:
    """Keep what was learned: JSON, so that a change can be read."""
    WEIGHTS.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")


if __name__ == "__main__":
    main()
