"""How fast each deployment answered this gateway lately, for strategies that order by it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

from gateway.core.speed import SAMPLES, Sample, Speed, speed_of

#: How old the medians may be before they are taken anew; seconds.
_FRESH_SECONDS = 0.1


class SpeedBoard:
    """Samples by deployment name, and their medians."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._samples: dict[str, deque[Sample]] = {}
        self._speeds: Mapping[str, Speed] = {}
        self._taken = -_FRESH_SECONDS

    def answered(self, name: str, sample: Sample) -> None:
        """A deployment gave a whole answer."""
        self._samples.setdefault(name, deque(maxlen=SAMPLES)).append(sample)

    def speeds(self) -> Mapping[str, Speed]:
        """The speeds that are known now."""
        now = self._clock()
        if now - self._taken >= _FRESH_SECONDS:
            found = {name: speed_of(held, now) for name, held in self._samples.items()}
            self._speeds = {name: speed for name, speed in found.items() if speed is not None}
            self._taken = now
        return self._speeds
