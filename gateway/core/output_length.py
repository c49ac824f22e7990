"""How long answers are, learned from the latest answers of each deployment to each kind of task.

Rules of this file:
- an answer that its cap cut off says only that it would have been at least as long, so quantiles
  come from the product-limit estimate (Kaplan and Meier, 1958), and a cap hides no longer answers;
- the place of a quantile among n answers counts the one that is still to come, (n + 1) times its
  share: that is what makes it cover the next answer as often as it says, whatever lengths are like
  (Vovk's conformal prediction), as long as answers go on as they were;
- a prediction never passes the request's own cap.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

#: Answers remembered for one deployment and task, and how many tell anything.
LENGTHS_KEPT = 400
FEWEST_LENGTHS = 30


class AnswerLength(msgspec.Struct, frozen=True):
    """The output tokens of one answer; `cut` where it reached its cap."""

    tokens: int
    cut: bool = False


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """What answers are like, in output tokens, before any cap.

    A quantile is None where it lies beyond every cap that was seen. `mean` takes the answers that
    lie there as long as those caps, so it is a little low then.
    """

    mean: float
    p50: int | None
    p90: int | None
    p99: int | None

    def likely(self, cap: int) -> int:
        """The length that is to be expected under a cap: what costs are reckoned by."""
        return min(cap, round(self.mean))

    def capped(self, cap: int) -> tuple[int, int, int]:
        """The three quantiles under a cap."""
        told = (self.p50, self.p90, self.p99)
        p50, p90, p99 = (cap if one is None else min(one, cap) for one in told)
        return p50, p90, p99


def lengths_of(answers: Iterable[AnswerLength]) -> Lengths | None:
    """What the answers tell; None where they are too few."""
    ordered = sorted(answers, key=lambda one: (one.tokens, one.cut))
    if len(ordered) < FEWEST_LENGTHS:
        return None
    # The longer ones of so many, and the share of all that is longer than what was passed.
    left, longer = len(ordered) + 1, 1.0
    mean, before = 0.0, 0
    found: dict[float, int] = {}
    for one in ordered:
        mean += longer * (one.tokens - before)
        before = one.tokens
        if not one.cut:
            longer *= 1 - 1 / left
            for share in (0.5, 0.9, 0.99):
                # Products of shares are not exact in binary.
                if share not in found and 1 - longer >= share - 1e-9:
                    found[share] = one.tokens
        left -= 1
    return Lengths(mean=mean, p50=found.get(0.5), p90=found.get(0.9), p99=found.get(0.99))
