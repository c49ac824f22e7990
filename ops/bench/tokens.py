"""Measures token counts: how far bounds and estimates are from the truth, and what they take.

Run:  python -m ops.bench.tokens [--data FOLDER] [--no-latency]

The truth is what tiktoken makes of a whole text with o200k_base and with cl100k_base. Texts are
those of the evaluation sets beside the repository, where they are there, and of our own making in
kinds that those have few of. CPU time is that of this process.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import os
import random
import statistics
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import tiktoken

from gateway.classify.classifier import text_request
from gateway.classify.token_counting import counted
from gateway.classify.tokens import estimate
from gateway.config.vocabularies import FOLDER, load_vocabularies
from gateway.core.profile import TokenEstimate
from gateway.core.token_families import CL100K, FAMILIES, O200K, Vocabulary

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SEED = 7
#: Ordinary sentences in scripts that the evaluation sets lack.
SENTENCES = {
    "German": "Wir möchten wissen, wie viele Zeichen dieser deutsche Satz am Ende enthält.",
    "Russian": "Быстрая лиса прыгает через ленивую собаку, и никто этого не видит.",
    "Greek": "Η γρήγορη αλεπού πηδά πάνω από τον τεμπέλη σκύλο και κανείς δεν το βλέπει.",
    "Chinese": "这是一个用来测试分词器的中文句子，我们想知道它有多少个词元。",
    "Japanese": "これは字句解析器を試すための日本語の文で、いくつの字句になるか知りたい。",
    "Korean": "이것은 토큰이 몇 개인지 알아보기 위한 한국어 문장입니다.",
    "Arabic": "هذه جملة عربية نريد أن نعرف كم عدد الرموز التي تحتوي عليها.",
    "Hebrew": "זהו משפט בעברית שבו אנו רוצים לדעת כמה אסימונים יש.",
    "Hindi": "यह एक हिन्दी वाक्य है और हम जानना चाहते हैं कि इसमें कितने टोकन हैं।",
    "Thai": "นี่คือประโยคภาษาไทยที่เราต้องการทราบว่ามีกี่โทเค็น",
}


class Text(NamedTuple):
    """A text and its kind: the set that it is from, or what was made."""

    kind: str
    text: str


class Row(NamedTuple):
    """A text's true tokens, its cheap estimate, and what the families make of it."""

    kind: str
    true: dict[str, int]
    cheap: TokenEstimate
    found: TokenEstimate


def corpus_texts(folder: Path) -> Iterator[Text]:
    """Every text of the evaluation sets."""
    for path in sorted(folder.glob("*/*.jsonl*")):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in raw.decode().strip("\n").split("\n"):
            row = json.loads(line)
            text = row.get("text") or row.get("prompt")
            if text:
                yield Text(path.name.split(".")[0], text)


def made_texts(times: int = 40) -> Iterator[Text]:
    """Texts of our own making, of several lengths."""
    chance = random.Random(SEED)
    code = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    for _ in range(times):
        size = chance.choice((30, 200, 2_000))
        raw = chance.randbytes(size)
        source = chance.choice(code).read_text(encoding="utf-8", errors="ignore")
        start = chance.randrange(max(1, len(source)))
        row = {"id": chance.randrange(10**6), "value": chance.random()}
        yield Text("code", source[start : start + 2 * size] or source)
        yield Text("base64", base64.b64encode(raw).decode())
        yield Text("hex", raw.hex())
        yield Text("digits", str(int.from_bytes(raw[:1_500])))
        yield Text("JSON", json.dumps([row] * (size // 20), indent=chance.choice((None, 2))))
        yield Text("emoji", "".join(chr(chance.randrange(0x1F300, 0x1F650)) for _ in range(size)))
        yield Text("any script", "".join(chr(chance.randrange(0x20, 0xD800)) for _ in range(size)))
        for language, sentence in SENTENCES.items():
            yield Text(language, (sentence + " ") * (1 + size // 200))


def measured(texts: Iterator[Text], vocabularies: Mapping[str, Vocabulary]) -> list[Row]:
    """Every text judged, and counted whole."""
    # tiktoken's own way to a vocabulary; its cache is whole, so it fetches nothing.
    os.environ["TIKTOKEN_CACHE_DIR"] = str(FOLDER)
    truth = {name: tiktoken.get_encoding(name).encode_ordinary for name in (O200K, CL100K)}
    rows = []
    for kind, text in texts:
        request = text_request(text)
        cheap = estimate(request, text)
        rows.append(
            Row(
                kind,
                {name: len(encode(text)) for name, encode in truth.items()},
                cheap,
                counted(request, cheap, FAMILIES, vocabularies),
            )
        )
    return rows


def figures(rows: list[Row]) -> dict[str, dict[str, float]]:
    """By family: texts above its calibrated bound, and what it and the likely number are off."""
    found: dict[str, dict[str, float]] = {}
    for family in FAMILIES:
        truth = O200K if family == O200K else CL100K
        pairs = [
            (
                one.found.most_by(family, calibrated=True),
                one.found.expected_by(family),
                one.true[truth],
            )
            for one in rows
        ]
        found[family] = {
            "passed": sum(most < true for most, _, true in pairs),
            "bound": statistics.fmean(most / true for most, _, true in pairs),
            "largest bound": max(most / true for most, _, true in pairs),
            "likely error": statistics.fmean(abs(likely / true - 1) for _, likely, true in pairs),
        }
    return found


def errors_of_cheap(rows: list[Row]) -> dict[str, tuple[int, float, float]]:
    """By kind: texts, mean error of the cheap estimate, and its bound over the truth."""
    kinds = sorted({one.kind for one in rows})
    return {
        kind: (
            len(own := [one for one in rows if one.kind == kind]),
            statistics.fmean(abs(one.cheap.expected / one.true[O200K] - 1) for one in own),
            statistics.fmean(one.cheap.upper_bound / one.true[O200K] for one in own),
        )
        for kind in kinds
    }


def cpu(work: Callable[[str], object], texts: list[str]) -> tuple[float, float]:
    """Median and 99th percentile of the CPU milliseconds of one call."""
    taken = []
    for text in texts:
        began = time.process_time_ns()
        work(text)
        taken.append((time.process_time_ns() - began) / 1e6)
    ordered = sorted(taken)
    return statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))]


def of_size(texts: list[Text], size: int, most: int = 200) -> list[str]:
    """Texts put together, in a drawn order, to so many bytes each."""
    mixed = [one.text for one in texts]
    random.Random(SEED).shuffle(mixed)
    found, current = [], ""
    for text in mixed:
        current += text + "\n\n"
        raw = current.encode()
        if len(raw) >= size:
            found.append(raw[:size].decode("utf-8", "ignore"))
            current = ""
        if len(found) == most:
            break
    return found


def print_latency(texts: list[Text]) -> None:
    """What one text takes, by size."""

    def cheap(text: str) -> TokenEstimate:
        return estimate(text_request(text), text)

    def exact(*families: str) -> Callable[[str], TokenEstimate]:
        # Each with its own, which remember the texts that they counted.
        fresh = load_vocabularies()
        return lambda text: counted(text_request(text), cheap(text), families, fresh)

    works = {
        "cheap": cheap,
        "o200k_base": exact(),
        "and calibrated": exact("claude"),
        "and cl100k_base": exact(CL100K),
    }
    print(f"\n{'CPU ms, p50 (p99)':18}" + "".join(f"{name:>20}" for name in works))
    for size in (2_000, 4_000, 100_000):
        samples = of_size(texts, size)
        taken = [cpu(work, samples) for work in works.values()]
        told = "".join(f"{middle:>12.3f} ({late:5.2f})" for middle, late in taken)
        print(f"{size:>7,} bytes     {told}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--no-latency", action="store_true")
    asked = parser.parse_args()
    vocabularies = load_vocabularies()
    corpora, made = list(corpus_texts(asked.data)), list(made_texts())
    for title, texts in (("evaluation sets", corpora), ("of our own making", made)):
        if not texts:
            continue
        rows = measured(iter(texts), vocabularies)
        print(f"\n{title}: {len(rows)} texts")
        print(f"{'family':14}{'passed':>8}{'bound/true':>12}{'largest':>9}{'error of likely':>17}")
        for family, told in figures(rows).items():
            passed, bound, largest, error = told.values()
            print(f"{family:14}{passed:>8.0f}{bound:>12.3f}{largest:>9.2f}{error:>17.3f}")
        print(f"\n{'kind':22}{'texts':>7}{'error of cheap':>16}{'cheap bound/true':>18}")
        for kind, (count, error, bound) in errors_of_cheap(rows).items():
            print(f"{kind:22}{count:>7}{error:>16.3f}{bound:>18.2f}")
    if not asked.no_latency:
        print_latency(corpora or made)


if __name__ == "__main__":
    main()
