"""Tokens are chosen as the caller's settings say, and repeatably."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adapters.ctransformers.sampling import Sampling, choose, ranked

SCORES = np.array([0.0, 3.0, 2.9, -5.0, 1.0], dtype=np.float32)
PLAIN = Sampling(temperature=1.0, top_p=1.0, top_k=0, repetition_penalty=1.0)


def counts(sampling: Sampling, answered: tuple[int, ...] = ()) -> list[int]:
    """How often each token is chosen in 400 draws."""
    rng = np.random.default_rng(1)
    drawn = [choose(SCORES, answered, sampling, rng) for _ in range(400)]
    return np.bincount(drawn, minlength=len(SCORES)).tolist()


def replaced(**fields: object) -> Sampling:
    """The plain settings with some changed."""
    return Sampling(**{**{n: getattr(PLAIN, n) for n in PLAIN.__struct_fields__}, **fields})  # type: ignore[arg-type]


def test_temperature_zero_takes_the_best() -> None:
    """No chance is left."""
    assert counts(replaced(temperature=0.0)) == [0, 400, 0, 0, 0]


def test_top_k_and_top_p_leave_the_likeliest() -> None:
    """Tokens outside the chosen set never come, those inside all do."""
    two = counts(replaced(top_k=2))
    assert two[0] == two[3] == two[4] == 0
    assert min(two[1], two[2]) > 100
    assert counts(replaced(top_p=0.0)) == [0, 400, 0, 0, 0]
    assert counts(replaced(top_p=0.9))[3] == 0


def test_penalties_and_bias_move_the_choice() -> None:
    """What was said before becomes less likely; a bias forbids or forces."""
    cold = {"temperature": 0.0}
    assert counts(replaced(**cold, repetition_penalty=1.5), (1,))[2] == 400
    assert counts(replaced(**cold, presence_penalty=1.0), (1,))[2] == 400
    assert counts(replaced(**cold, frequency_penalty=0.06), (1,))[1] == 400
    assert counts(replaced(**cold, frequency_penalty=0.06), (1, 1))[2] == 400
    assert counts(replaced(**cold, bias=((1, -100.0), (99, 5.0))))[2] == 400


def test_a_seed_repeats_a_draw_and_draws_differ_within_it() -> None:
    """The random numbers go on from token to token."""
    rngs = [np.random.default_rng(5) for _ in range(2)]
    runs = [[choose(SCORES, (), PLAIN, rng) for _ in range(30)] for rng in rngs]

    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 1


@given(st.sets(st.integers(0, 4), min_size=1), st.integers(0, 1000))
def test_ranking_yields_every_allowed_token_once(allowed: set[int], seed: int) -> None:
    """Nothing outside `among` comes, and nothing twice."""
    among = np.array(sorted(allowed))

    order = list(ranked(SCORES, (), PLAIN, np.random.default_rng(seed), among))

    assert sorted(order) == sorted(allowed)


def test_the_first_ranked_token_is_a_fair_sample() -> None:
    """Drawing under a rule has the odds of the allowed tokens among themselves."""
    rng = np.random.default_rng(2)
    among = np.array([1, 4])

    first = [next(ranked(SCORES, (), PLAIN, rng, among)) for _ in range(2000)]

    assert abs(first.count(1) / 2000 - 1 / (1 + np.exp(-2))) < 0.03


def test_broken_scores_do_not_break_the_choice() -> None:
    """NaN and infinities count as very bad or very good."""
    odd = np.array([np.nan, -np.inf, 1.0, np.nan], dtype=np.float32)

    assert choose(odd, (), PLAIN, np.random.default_rng(0)) == 2
