"""Which model fits a machine and a need."""

from __future__ import annotations

from gateway.core.advice import Need, advise
from gateway.core.model_profiles import PROFILES


def names(need: Need) -> list[str]:
    """The models that will do, best first."""
    return [one.profile.name for one in advise(need, PROFILES) if not one.against]


def test_the_best_that_fits_comes_first() -> None:
    """At 16 bits where there is room, else at 4."""
    found = advise(Need(strength="code", memory_gb=24), PROFILES)

    assert (found[0].profile.name, found[0].bits) == ("Llama 3.1 8B", 16)
    held = {one.profile.name: one.bits for one in found if not one.against}
    assert held["Code Llama 34B"] == 4
    assert "Llama 3 70B" not in held


def test_more_memory_holds_larger_models() -> None:
    assert names(Need(memory_gb=60))[:2] == ["gpt-oss 20B", "Llama 3.1 70B"]
    assert names(Need(memory_gb=90))[0] == "gpt-oss 120B"
    assert names(Need(memory_gb=1)) == []


def test_every_need_can_rule_a_model_out_and_says_so() -> None:
    need = Need(
        memory_gb=100, least_context=8192, commercial=True, capabilities=frozenset({"tools"})
    )
    against = {one.profile.name: one.against for one in advise(need, PROFILES)}

    assert against["Llama 3.1 8B"] == ()
    assert against["Llama 3 8B"] == ("is not known to do: tools",)
    assert "reads 4096 tokens at most" in against["Llama 2 7B"]
    assert "licence 'Microsoft Research' forbids commercial use" in against["Orca 2 13B"]
    assert "takes 283 GB at 4 bits" in against["Llama 3.1 405B"]
    assert against["GPT-4o"][0] == "is a service of its maker"


def test_services_are_for_those_who_hold_nothing() -> None:
    found = [one for one in advise(Need(strength="maths"), PROFILES) if one.bits == 0]

    assert found[0].profile.name == "Claude 3.5 Sonnet"
    assert all(one.against == () for one in found)


def test_models_without_a_score_come_last() -> None:
    scores = [one.score for one in advise(Need(strength="code", memory_gb=900), PROFILES)]
    fitting = [one for one in scores if one is not None]

    assert fitting[:3] == sorted(fitting[:3], reverse=True)
