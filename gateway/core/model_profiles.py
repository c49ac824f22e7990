"""What is known of the models that companies deploy: size, window, licence, scores, with sources.

Rules of this file:
- a figure stands here only with a source that states it; what nobody published is None;
- scores are those of the chat or instruction model where the source states them, else those of the
  base model: MMLU (5-shot), HumanEval (pass@1), GSM8K;
- not all were measured alike: MMLU is zero-shot for Orca 2 and for OpenAI's models from GPT-4 Turbo
  on except GPT-4o, GSM8K is a vote of 8 answers for Mistral 7B and Mixtral;
- a capability stands here only where the maker names it for the model: what a server does with any
  model, as holding it to a schema, is not the model's;
- licences are told by name and by whether they allow commercial use at all; conditions (users a
  month, naming, hosting for others) are in the licence itself, which somebody has to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

import msgspec

from gateway.core.quality import Skills

#: Bits for each weight of a 4-bit file with its scales, as GGUF's Q4_K_M has them on average.
_BITS_AT_4 = 4.85
#: Room beside the weights for the context and the runtime, as a share of them.
_OVERHEAD = 0.15

Strength = Literal["knowledge", "code", "maths"]


class ModelProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One model.

    `parameters` are in billions, all of them (those of a mixture too), None where the maker keeps
    them to itself. `names` are patterns of what deployments call it, `*` for anything.
    `context_tokens` is the window that it was trained for. `commercial` says whether the licence
    allows commercial use, None where there is no licence because the model is a service.
    """

    name: str
    names: tuple[str, ...]
    parameters: float | None
    context_tokens: int
    licence: str
    commercial: bool | None
    skills: Skills
    capabilities: frozenset[str]
    source: str

    @property
    def published(self) -> str:
        """The year and month of the source."""
        return _PUBLISHED[self.source]

    def memory_gb(self, bits: Literal[16, 4]) -> float | None:
        """Gigabytes (10^9 bytes) that serving it takes at this precision, weights and overhead."""
        if self.parameters is None:
            return None
        width = 16.0 if bits == 16 else _BITS_AT_4
        return round(self.parameters * width / 8 * (1 + _OVERHEAD), 1)


_LLAMA2, _LLAMA3 = "https://arxiv.org/abs/2307.09288", "https://arxiv.org/abs/2407.21783"
_LLAMA3_CARD = "https://github.com/meta-llama/llama3/blob/main/MODEL_CARD.md"
_CODE_LLAMA = "https://arxiv.org/abs/2308.12950"
_COMMUNITY_2, _COMMUNITY_3 = "Llama 2 Community", "Llama 3 Community"
_TEXT: frozenset[str] = frozenset()
_TOOLS = frozenset({"tools", "schema"})
_ALL = frozenset({"tools", "schema", "vision"})
_CALLING = frozenset({"tools"})
_SEEING = frozenset({"tools", "vision"})
_UNSCORED = (None, None, None)


def _model(
    name: str,
    names: str,
    size: float | None,
    context: int,
    licence: str,
    commercial: bool | None,
    scores: tuple[float | None, float | None, float | None],
    capabilities: frozenset[str],
    source: str,
) -> ModelProfile:
    knowledge, code, maths = (None if score is None else round(score / 100, 4) for score in scores)
    return ModelProfile(
        name=name,
        names=tuple(names.split()),
        parameters=size,
        context_tokens=context,
        licence=licence,
        commercial=commercial,
        skills=Skills(knowledge=knowledge, code=code, maths=maths),
        capabilities=capabilities,
        source=source,
    )


def _service(
    name: str,
    names: str,
    context: int,
    scores: tuple[float | None, float | None, float | None],
    source: str,
    capabilities: frozenset[str] = _ALL,
) -> ModelProfile:
    return _model(name, names, None, context, "service", None, scores, capabilities, source)


_C2, _C3, _APACHE = _COMMUNITY_2, _COMMUNITY_3, "Apache-2.0"
_C31 = "Llama 3.1 Community"
#: The leaderboard of June 2023, which names the licences too.
_LMSYS = "https://lmsys.org/blog/2023-06-22-leaderboard"
_PHI2 = (
    "https://www.microsoft.com/en-us/research/blog/"
    "phi-2-the-surprising-power-of-small-language-models/"
)
_ORCA, _VICUNA = (
    "https://arxiv.org/abs/2311.11045",
    "https://chat.lmsys.org/?leaderboard",
)
_GPT4O_MINI = "https://openai.com/index/gpt-4o-mini-advancing-cost-efficient-intelligence/"
_GPT4 = "https://arxiv.org/abs/2303.08774"
_GPT_OSS = "https://arxiv.org/abs/2508.10925"
#: OpenAI's own table of scores, GPT-4 Turbo to o4-mini.
_EVALS = "https://github.com/openai/simple-evals"
_CLAUDE3 = "https://www.anthropic.com/news/claude-3-family"
_CLAUDE35 = "https://www.anthropic.com/news/3-5-models-and-computer-use"
_CLAUDE_DOCS = "https://platform.claude.com/docs/en/about-claude/models/overview"
_OPENAI_DOCS = "https://platform.openai.com/docs/models"
_OPENAI_NOW = "https://developers.openai.com/api/docs/models"
_MISTRAL_02 = "https://huggingface.co/mistralai/Mistral-7B-Instruct-v0.2"
_MISTRAL_LARGE = "https://mistral.ai/news/mistral-large"
_SHARE_ALIKE = "CC-BY-NC-SA-4.0"
#: Windows as the price book's data lists them; their makers publish none of the three scores.
_LISTED = "https://github.com/pydantic/genai-prices"

#: Every profile, families together, smaller models first.
PROFILES: tuple[ModelProfile, ...] = (
    _model("Llama 2 7B", "*llama-2-7b* llama2:7b* llama2", 6.7, 4096, _C2, True,
           (45.3, 12.8, 14.6), _TEXT, _LLAMA2),
    _model("Llama 2 13B", "*llama-2-13b* llama2:13b*", 13.0, 4096, _C2, True,
           (54.8, 18.3, 28.7), _TEXT, _LLAMA2),
    _model("Llama 2 70B", "*llama-2-70b* llama2:70b*", 69.0, 4096, _C2, True,
           (68.9, 29.9, 56.8), _TEXT, _LLAMA2),
    _model("Llama 3 8B", "*llama-3-8b* llama3:8b* llama3", 8.0, 8192, _C3, True,
           (68.4, 62.2, 79.6), _TEXT, _LLAMA3_CARD),
    _model("Llama 3 70B", "*llama-3-70b* llama3:70b*", 70.6, 8192, _C3, True,
           (82.0, 81.7, 93.0), _TEXT, _LLAMA3_CARD),
    _model("Llama 3.1 8B", "*llama-3.1-8b* llama3.1:8b* llama3.1", 8.0, 131072, _C31, True,
           (69.4, 72.6, 84.5), _CALLING, _LLAMA3),
    _model("Llama 3.1 70B", "*llama-3.1-70b* llama3.1:70b*", 70.6, 131072, _C31, True,
           (83.6, 80.5, 95.1), _CALLING, _LLAMA3),
    _model("Llama 3.1 405B", "*llama-3.1-405b* llama3.1:405b*", 405.9, 131072, _C31, True,
           (87.3, 89.0, 96.8), _CALLING, _LLAMA3),
    _model("Code Llama 7B", "*codellama-7b* codellama:7b* codellama", 6.7, 16384, _C2, True,
           (None, 34.8, None), _TEXT, _CODE_LLAMA),
    _model("Code Llama 13B", "*codellama-13b* codellama:13b*", 13.0, 16384, _C2, True,
           (None, 42.7, None), _TEXT, _CODE_LLAMA),
    _model("Code Llama 34B", "*codellama-34b* codellama:34b*", 33.7, 16384, _C2, True,
           (None, 41.5, None), _TEXT, _CODE_LLAMA),
    _model("Mistral 7B", "*mistral-7b* mistral:7b* mistral", 7.2, 8192, _APACHE, True,
           (60.1, 30.5, 52.2), _TEXT, "https://arxiv.org/abs/2310.06825"),
    _model("Mistral 7B v0.2", "*mistral-7b*v0.2* *mistral-7b*v0.3* mistral:7b-instruct-v0.2*", 7.2,
           32768, _APACHE, True, _UNSCORED, _TEXT, _MISTRAL_02),
    _model("Mixtral 8x7B", "*mixtral-8x7b* mixtral:8x7b* mixtral", 46.7, 32768, _APACHE, True,
           (70.6, 40.2, 74.4), _TEXT, "https://arxiv.org/abs/2401.04088"),
    _service("Mistral Large", "mistral-large-2402", 32000, (81.2, 45.1, None), _MISTRAL_LARGE,
             _CALLING),
    _model("Mistral Large 2", "*mistral-large*2407*", 123.0, 131072,
           "Mistral Research", False, (84.0, None, None), _CALLING,
           "https://mistral.ai/news/mistral-large-2407"),
    _model("Falcon 7B", "*falcon-7b* falcon:7b* falcon", 7.2, 2048, _APACHE, True,
           (26.2, None, 6.8), _TEXT, _LLAMA2),
    _model("Falcon 40B", "*falcon-40b* falcon:40b*", 41.8, 2048, _APACHE, True,
           (55.4, None, 19.6), _TEXT, _LLAMA2),
    _model("Falcon 180B", "*falcon-180b* falcon:180b*", 179.5, 2048, "Falcon 180B TII", True,
           (70.6, 35.4, None), _TEXT, "https://arxiv.org/abs/2311.16867"),
    _model("Phi-2", "*phi-2* phi:2.7b* phi", 2.7, 2048, "MIT", True,
           (56.7, None, 61.1), _TEXT, _PHI2),
    _model("Orca 2 7B", "*orca-2-7b* orca2:7b* orca2", 6.7, 4096, "Microsoft Research", False,
           (53.7, None, 47.2), _TEXT, _ORCA),
    _model("Orca 2 13B", "*orca-2-13b* orca2:13b*", 13.0, 4096, "Microsoft Research", False,
           (57.7, None, 59.1), _TEXT, _ORCA),
    _model("Vicuna 7B v1.5", "*vicuna-7b-v1.5* vicuna:7b-v1.5*", 6.7, 4096, _C2, True,
           (49.8, None, None), _TEXT, _VICUNA),
    _model("Vicuna 13B v1.5", "*vicuna-13b-v1.5* vicuna:13b-v1.5*", 13.0, 4096, _C2, True,
           (55.8, None, None), _TEXT, _VICUNA),
    _model("Vicuna 33B v1.3", "*vicuna-33b* vicuna:33b*", 32.5, 2048, "Non-commercial", False,
           (59.2, None, None), _TEXT, _VICUNA),
    _model("MPT 7B", "*mpt-7b *mpt-7b-instruct*", 6.7, 2048, _APACHE, True,
           (26.8, 18.3, 6.8), _TEXT, _LLAMA2),
    _model("MPT 7B Chat", "*mpt-7b-chat*", 6.7, 2048, _SHARE_ALIKE, False,
           (32.0, None, None), _TEXT, _LMSYS),
    _model("MPT 30B", "*mpt-30b", 30.0, 8192, _APACHE, True,
           (46.9, 25.0, 15.2), _TEXT, _LLAMA2),
    _model("MPT 30B Instruct", "*mpt-30b-instruct*", 30.0, 8192, "CC-BY-SA-3.0", True,
           (47.8, None, None), _TEXT, _LMSYS),
    _model("MPT 30B Chat", "*mpt-30b-chat*", 30.0, 8192, _SHARE_ALIKE, False,
           (50.4, None, None), _TEXT, _LMSYS),
    _model("gpt-oss 20B", "*gpt-oss-20b* gpt-oss:20b* gpt-oss", 20.9, 131072, _APACHE, True,
           (85.3, None, None), _TOOLS, _GPT_OSS),
    _model("gpt-oss 120B", "*gpt-oss-120b* gpt-oss:120b*", 116.8, 131072, _APACHE, True,
           (90.0, None, None), _TOOLS, _GPT_OSS),
    _service("GPT-3.5 Turbo", "gpt-3.5-turbo*", 16385, (70.7, 68.0, 81.6), _LLAMA3, _CALLING),
    _service("GPT-4", "gpt-4 gpt-4-0314 gpt-4-0613", 8192, (86.4, 67.0, 92.0), _GPT4, _CALLING),
    _service("GPT-4 Turbo", "gpt-4-turbo gpt-4-turbo-20*", 128000, (86.7, 88.2, None), _EVALS,
             _SEEING),
    _service("GPT-4o mini", "gpt-4o-mini*", 128000, (82.0, 87.2, None), _GPT4O_MINI),
    _service("GPT-4o", "gpt-4o*", 128000, (89.1, 90.2, 96.1), _LLAMA3),
    _service("GPT-4.1 nano", "gpt-4.1-nano*", 1047576, (80.1, 87.0, None), _EVALS),
    _service("GPT-4.1 mini", "gpt-4.1-mini*", 1047576, (87.5, 93.8, None), _EVALS),
    _service("GPT-4.1", "gpt-4.1*", 1047576, (90.2, 94.5, None), _EVALS),
    _service("o1", "o1 o1-20*", 200000, (91.8, None, None), _EVALS),
    _service("o3-mini", "o3-mini o3-mini-20*", 200000, (85.9, 96.3, None), _EVALS, _TOOLS),
    _service("o3", "o3 o3-20*", 200000, (92.9, 87.4, None), _EVALS),
    _service("o4-mini", "o4-mini o4-mini-20*", 200000, (90.0, 97.3, None), _EVALS),
    _service("GPT-5", "gpt-5 gpt-5-2*", 400000, _UNSCORED, _OPENAI_DOCS),
    _service("GPT-5 mini", "gpt-5-mini*", 400000, _UNSCORED, _OPENAI_DOCS),
    _service("GPT-5 nano", "gpt-5-nano*", 400000, _UNSCORED, _OPENAI_DOCS),
    _service("GPT-5.1", "gpt-5.1 gpt-5.1-20*", 400000, _UNSCORED, _LISTED),
    _service("GPT-5.2", "gpt-5.2 gpt-5.2-20*", 400000, _UNSCORED, _LISTED),
    _service("GPT-5.4", "gpt-5.4 gpt-5.4-20*", 1050000, _UNSCORED, _LISTED),
    _service("GPT-5.4 mini", "gpt-5.4-mini*", 400000, _UNSCORED, _LISTED),
    _service("GPT-5.4 nano", "gpt-5.4-nano*", 400000, _UNSCORED, _LISTED),
    _service("GPT-5.5", "gpt-5.5 gpt-5.5-20*", 1000000, _UNSCORED, _LISTED),
    _service("GPT-5.6", "gpt-5.6 gpt-5.6-sol* gpt-5.6-terra* gpt-5.6-luna*", 1050000, _UNSCORED,
             _LISTED),
    _service("GPT-6", "gpt-6-sol* gpt-6-luna* gpt-6-astra*", 1050000, _UNSCORED, _LISTED),
    _service("GPT-6.1", "gpt-6.1-sol* gpt-6.1-terra*", 1050000, _UNSCORED, _LISTED),
    _service("GPT-6.2", "gpt-6.2-sol* gpt-6.2-astra*", 1050000, _UNSCORED, _OPENAI_NOW),
    _service("Claude 3 Haiku", "claude-3-haiku*", 200000, (75.2, 75.9, 88.9), _CLAUDE3, _SEEING),
    _service("Claude 3 Sonnet", "claude-3-sonnet*", 200000, (79.0, 73.0, 92.3), _CLAUDE3, _SEEING),
    _service("Claude 3 Opus", "claude-3-opus*", 200000, (86.8, 84.9, 95.0), _CLAUDE3, _SEEING),
    _service("Claude 3.5 Haiku", "claude-3-5-haiku*", 200000, (None, 88.1, None), _CLAUDE35,
             _SEEING),
    _service("Claude 3.5 Sonnet", "claude-3-5-sonnet*", 200000, (89.9, 92.0, 96.4), _LLAMA3,
             _SEEING),
    _service("Claude 3.7 Sonnet", "claude-3-7-sonnet*", 200000, _UNSCORED, _LISTED, _SEEING),
    _service("Claude Sonnet 4", "claude-sonnet-4 claude-sonnet-4-0 claude-sonnet-4-20*", 200000,
             _UNSCORED, _LISTED, _SEEING),
    _service("Claude Opus 4", "claude-opus-4 claude-opus-4-0 claude-opus-4-20*", 200000,
             _UNSCORED, _LISTED, _SEEING),
    _service("Claude Opus 4.1", "claude-opus-4-1*", 200000, _UNSCORED, _LISTED),
    _service("Claude Haiku 4.5", "claude-haiku-4-5*", 200000, _UNSCORED, _CLAUDE_DOCS),
    _service("Claude Sonnet 4.5", "claude-sonnet-4-5*", 200000, _UNSCORED, _CLAUDE_DOCS),
    _service("Claude Opus 4.5", "claude-opus-4-5*", 200000, _UNSCORED, _LISTED),
    _service("Claude Sonnet 4.6", "claude-sonnet-4-6*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Opus 4.6", "claude-opus-4-6*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Opus 4.7", "claude-opus-4-7*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Opus 4.8", "claude-opus-4-8*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Sonnet 5", "claude-sonnet-5 claude-sonnet-5-20*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Opus 5", "claude-opus-5 claude-opus-5-20*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Fable 5", "claude-fable-5 claude-fable-5-20*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Haiku 5.5", "claude-haiku-5-5*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Sonnet 5.5", "claude-sonnet-5-5*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Opus 5.5", "claude-opus-5-5*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Fable 5.1", "claude-fable-5-1*", 1000000, _UNSCORED, _LISTED),
    _service("Claude Fable 5.2", "claude-fable-5-2*", 1000000, _UNSCORED, _LISTED),
)  # fmt: skip


#: When each source was published, or read where it is a page that goes on changing.
_PUBLISHED: Mapping[str, str] = MappingProxyType(
    {
        _LLAMA2: "2023-07",
        _LLAMA3: "2024-07",
        _LLAMA3_CARD: "2024-04",
        _CODE_LLAMA: "2023-08",
        "https://arxiv.org/abs/2310.06825": "2023-10",
        "https://arxiv.org/abs/2401.04088": "2024-01",
        "https://mistral.ai/news/mistral-large-2407": "2024-07",
        "https://arxiv.org/abs/2311.16867": "2023-11",
        _PHI2: "2023-12",
        _ORCA: "2023-11",
        _VICUNA: "2023-11",
        _LMSYS: "2023-06",
        _GPT4: "2023-03",
        _GPT_OSS: "2025-08",
        _EVALS: "2025-04",
        _MISTRAL_02: "2023-12",
        _MISTRAL_LARGE: "2024-02",
        _LISTED: "2026-11",
        _GPT4O_MINI: "2024-07",
        _OPENAI_DOCS: "2025-08",
        _OPENAI_NOW: "2026-11",
        _CLAUDE3: "2024-03",
        _CLAUDE35: "2024-10",
        _CLAUDE_DOCS: "2025-10",
    }
)


def profile_of(model: str) -> ModelProfile | None:
    """The profile of a model by the name that a deployment calls it; None for one unknown.

    The case of letters does not matter. Of several patterns that fit the longest one counts, so
    `gpt-4o-mini` is not taken for `gpt-4o`.
    """
    name = model.lower()
    fitting = [(len(pattern), one) for pattern, one in _patterns() if fnmatchcase(name, pattern)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _patterns() -> Iterator[tuple[str, ModelProfile]]:
    for one in PROFILES:
        for pattern in one.names:
            yield pattern, one
