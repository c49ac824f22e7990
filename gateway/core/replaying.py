"""What recorded decisions would have been under another policy, counted.

A tally can be put together from parts, in any order: of several processes, of several gateways.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

#: Requests that are named for each kind of change, so that somebody can look at them.
MOST_EXAMPLES = 20
#: Teams, models and ways beyond this many are counted together.
MOST_ROWS = 10_000
#: What a destination is called where there is none.
REFUSED = "refused"
_OTHERS = "(others)"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes under one policy.

    `destination` is the first deployment that may serve and can be asked, empty where policy
    refuses; `refusal` is then the code. `cost_nanousd` is what the request cost or would cost.
    """

    destination: str
    outside: bool = False
    refusal: str = ""
    cost_nanousd: int = 0

    @property
    def name(self) -> str:
        """The destination, also where there is none."""
        return self.destination or REFUSED


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded decision beside the one that another policy makes.

    `obliged` says that a mask or an output cap differs, `relevelled` that the level of the data
    does, and `guessed` that nothing was spent, so that the cost is the likely one. `agrees` is
    None where the policy is another one, and else whether the decision is the very same, as it
    must be.
    """

    request_id: str
    team: str
    model: str
    before: Side
    after: Side
    obliged: bool = False
    relevelled: bool = False
    guessed: bool = False
    agrees: bool | None = None

    def kinds(self) -> Iterator[str]:
        """The names of all changes, as `Counts` has them."""
        before, after = self.before, self.after
        if before.destination != after.destination:
            yield "moved"
        if after.destination and not before.destination:
            yield "newly_served"
        if before.destination and not after.destination:
            yield "newly_refused"
        if after.outside and not before.outside:
            yield "newly_outside"
        if before.outside and after.destination and not after.outside:
            yield "newly_home"
        if self.obliged:
            yield "obliged"
        if self.relevelled:
            yield "relevelled"


#: The kinds of change, the gravest first.
KINDS = (
    "newly_outside",
    "newly_refused",
    "newly_served",
    "newly_home",
    "moved",
    "obliged",
    "relevelled",
)


class Counts(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Requests, how many of them change in which way, and what they cost; nano-USD."""

    requests: int = 0
    moved: int = 0
    newly_outside: int = 0
    newly_home: int = 0
    newly_refused: int = 0
    newly_served: int = 0
    obliged: int = 0
    relevelled: int = 0
    guessed: int = 0
    cost_before: int = 0
    cost_after: int = 0

    @property
    def cost_delta(self) -> int:
        """What the other policy costs more (or less, when negative)."""
        return self.cost_after - self.cost_before

    def count(self, one: Replayed, kinds: tuple[str, ...]) -> None:
        """Count one request."""
        self.requests += 1
        for kind in kinds:
            setattr(self, kind, getattr(self, kind) + 1)
        self.guessed += one.guessed
        self.cost_before += one.before.cost_nanousd
        self.cost_after += one.after.cost_nanousd

    def add(self, other: Counts) -> None:
        """Count what another one counted."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Tally(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Everything that was counted.

    `rows` are counts by team and model asked for, `ways` by destination before and after.
    `skipped` are records that cannot be decided again, by reason; `disagreeing` are those that
    came out otherwise under their own revision, which is a fault. `examples` are request ids by
    kind of change. `first` and `last` are the moments of the records, in epoch seconds.
    """

    total: Counts = msgspec.field(default_factory=Counts)
    rows: dict[str, dict[str, Counts]] = {}
    ways: dict[str, dict[str, Counts]] = {}
    skipped: dict[str, int] = {}
    disagreeing: int = 0
    examples: dict[str, list[str]] = {}
    first: float | None = None
    last: float | None = None

    @property
    def read(self) -> int:
        """How many records there were."""
        return self.total.requests + sum(self.skipped.values())

    def count(self, one: Replayed, at: float) -> None:
        """Count one request of the moment `at`, in epoch seconds."""
        kinds = tuple(one.kinds())
        self.total.count(one, kinds)
        _of(self.rows, one.team, one.model).count(one, kinds)
        if kinds:
            _of(self.ways, one.before.name, one.after.name).count(one, kinds)
        for kind in kinds:
            self._example(kind, one.request_id)
        if one.agrees is False:
            self.disagreeing += 1
            self._example("disagreeing", one.request_id)
        self._span(at, at)

    def skip(self, reason: str) -> None:
        """Count one record that cannot be decided again."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def add(self, other: Tally) -> None:
        """Count what another one counted."""
        self.total.add(other.total)
        for mine, theirs in ((self.rows, other.rows), (self.ways, other.ways)):
            for outer, inner in theirs.items():
                for name, counts in inner.items():
                    _of(mine, outer, name).add(counts)
        for reason, number in other.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + number
        self.disagreeing += other.disagreeing
        for kind, ids in other.examples.items():
            for request_id in ids:
                self._example(kind, request_id)
        if other.first is not None and other.last is not None:
            self._span(other.first, other.last)

    def _example(self, kind: str, request_id: str) -> None:
        ids = self.examples.setdefault(kind, [])
        if len(ids) < MOST_EXAMPLES:
            ids.append(request_id)

    def _span(self, first: float, last: float) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)


def _of(counted: dict[str, dict[str, Counts]], outer: str, name: str) -> Counts:
    inner = counted.get(outer)
    if inner is None:
        outer = outer if len(counted) < MOST_ROWS else _OTHERS
        inner = counted.setdefault(outer, {})
    counts = inner.get(name)
    if counts is None:
        name = name if len(inner) < MOST_ROWS else _OTHERS
        counts = inner.setdefault(name, Counts())
    return counts
