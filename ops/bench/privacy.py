"""Measures the classifier with the evaluation data's own script, as an independent count.

Run:  python ops/bench/privacy.py [--no-latency] [--errors FILE] [--engine re2]
`fairlead privacy bench` counts the same without that script. This calls
../shared/data/eval_privacy.py with this file as the detector and then times the adversarial texts
of latency_attacks.json at two sizes, to show that cost grows linearly. What that script times is
detection alone; difficulty, task and tokens are judged by other parts of the classifier.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gateway.classify.classifier import load_classifier  # noqa: E402
from gateway.core.findings import SensitivityRules  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"

#: Our finding types under the evaluation's names.
NAMES = {
    "payment_card": "CREDIT_CARD",
    "us_ssn": "SSN",
    "birth_date": "DOB",
    "credential": "SECRET",
    "connection_string": "CONN_STRING",
    "confidentiality_marker": "CONFIDENTIAL_MARKER",
    "ip_address": "IP",
    "mac_address": "MAC",
    "organization": "ORG",
    "nationality": "NRP",
}

Spans = list[tuple[int, int, str]]


def make_detector(engine: str = "auto") -> Callable[[str], Spans]:
    """A detector in the form that eval_privacy.py wants."""
    classifier = load_classifier(engine=engine)
    rules = SensitivityRules()

    def detect(text: str) -> Spans:
        found, _ = classifier.detect(text, rules)
        return [(one.start, one.end, NAMES.get(one.type, one.type.upper())) for one in found]

    return detect


def attacks(engine: str) -> None:
    """Time the adversarial texts at 50 kB and 100 kB; a ratio near 2 is linear."""
    detect = make_detector(engine)
    print(f"{'attack':16}{'50 kB ms':>10}{'100 kB ms':>11}{'ratio':>7}")
    for attack in json.loads((SHARED / "privacy" / "latency_attacks.json").read_text()):
        half, whole = (_milliseconds(detect, attack["unit"], size) for size in (50_000, 100_000))
        print(f"{attack['name']:16}{half:10.2f}{whole:11.2f}{whole / half:7.2f}")


def _milliseconds(detect: Callable[[str], Spans], unit: str, size: int) -> float:
    text = unit * (size // len(unit.encode()))
    best = float("inf")
    for _ in range(3):
        begun = time.thread_time()
        detect(text)
        best = min(best, time.thread_time() - begun)
    return best * 1000


def main() -> int:
    """Run the evaluation, then the attacks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--attacks-only", action="store_true")
    known, rest = parser.parse_known_args()
    if not known.attacks_only:
        detector = f"py:{Path(__file__).resolve()}:make_detector:{known.engine}"
        command = [sys.executable, str(SHARED / "eval_privacy.py"), "--detector", detector, *rest]
        status = subprocess.run(command, check=False).returncode
        if status:
            return status
    if "--no-latency" not in rest:
        attacks(known.engine)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
