"""Words and shapes that tell what a request asks for, found in one pass by an engine.

A cue is a regular expression over the lower-case ASCII prompt; only its presence counts. Its
weight is what it adds to the log-odds of difficulty, set by hand so that everyday requests come
out below 0.3 and work for a strong model above 0.6.
"""

from __future__ import annotations

import msgspec

from gateway.classify.engine import Anchor, open_engine


class Cue(msgspec.Struct, frozen=True):
    """One sign in a prompt: the task it speaks for (or none), and its weight for difficulty."""

    name: str
    pattern: str
    task: str = ""
    weight: float = 0.0


#: In order of precedence for the task: the first cue that is present and has a task decides.
CUES: tuple[Cue, ...] = (
    Cue(
        "translate",
        r"\btranslat(?:e|ion)\b|\bubersetz|\btradu(?:c|is|z)|\binto (?:french|"
        r"german|spanish|english|chinese|japanese|italian|portuguese)\b",
        "translation",
        -1.0,
    ),
    Cue(
        "summarise",
        r"\bsummar(?:y|ise|ize|ies|ising|izing)\b|\btl;?dr\b|\bfasse\b|"
        r"\bkey takeaways\b|\bresumen?\b",
        "summarisation",
        -0.5,
    ),
    Cue(
        "concurrency",
        r"\bdeadlock|\brace condition|\bthread[- ]safe|\bconcurren(?:t|cy)|\bmutex|"
        r"\block-free|\bgoroutine|\basyncio\b|\bmemory barrier",
        "code",
        2.0,
    ),
    Cue(
        "debugging",
        r"\bdebug|\bstack ?trace|\bsegfault|\bmemory leak|\broot cause|\bheisenbug|"
        r"\bwhy (?:does|is|do) .{0,60}(?:fail|crash|hang|wrong)",
        "code",
        0.9,
    ),
    Cue(
        "system_design",
        r"\b(?:design|architect|implement) (?:a|an|the)? ?.{0,40}(?:system|service|"
        r"protocol|algorithm|database|compiler|scheduler|architecture|cache|"
        r"engine)\b|\bdistributed\b|\bconsensus\b|\bscalab",
        "code",
        1.7,
    ),
    Cue(
        "algorithm",
        r"\balgorithm|\btime complexity|\bdynamic programming|\bdata structure|"
        r"\bo\(n|\bnp-hard|\boptimi[sz]e\b|\brefactor",
        "code",
        1.0,
    ),
    Cue(
        "code",
        r"```|\bdef [a-z_]|\bclass [a-z_]+[:({]|\bimport [a-z]|#include|\bpython\b|"
        r"\bjavascript|\btypescript|\bjava\b|\brust\b|\bgolang|\bc\+\+|\bsql\b|"
        r"\bregex|\bbash\b|\bkubernetes|\bdocker|\bcompil|\bunit test|"
        r"\bapi endpoint|\bfunction\b.{0,40}[({]|=>",
        "code",
        0.35,
    ),
    Cue(
        "proof",
        r"\bprove\b|\bproof\b|\bproves\b|\blemma\b|\brigorous|\bby induction|"
        r"\bcontradiction\b|\bif and only if\b|\bshow that\b",
        "maths",
        1.9,
    ),
    Cue(
        "competition",
        r"\bolympiad|\bdiophantine|\bpositive integers?\b|\bordered (?:pairs|"
        r"triples)|\bfind all\b|\bremainder when\b|\bmodulo\b|\bhow many (?:ordered|"
        r"distinct|positive|ways|integers)|\bm\+n\b|\brelatively prime|"
        r"\breal numbers?\b.{0,60}(?:such that|satisfy)",
        "maths",
        1.5,
    ),
    Cue(
        "higher_maths",
        r"\btheorem\b|\beigenvalue|\bintegral\b|\bderivative|\bpolynomial|\btopolog|"
        r"\bmanifold|\bhomomorphism|\babelian|\bcombinatori|\bstochastic|"
        r"\bdifferential equation|\bconverge|\bmatrix\b|\bbayes",
        "maths",
        1.0,
    ),
    Cue(
        "latex", r"\\frac|\\sum|\\int|\\sqrt|\\mathbb|\$[^$]{1,60}[\^_\\][^$]{0,60}\$", "maths", 0.8
    ),
    Cue(
        "arithmetic",
        r"\bhow (?:many|much)\b.{0,40}\?|\bsolve\b|\bcalculate\b|\bequation|"
        r"\bprobability|\bsquare root|\bpercent|\baverage\b|[0-9] ?[-+*/^] ?[0-9]",
        "maths",
        0.25,
    ),
    Cue(
        "extract",
        r"\bextract\b|\bas json\b|\binto (?:a )?(?:json|csv|(?:markdown )?table)\b|"
        r"\bparse\b|\bconvert .{0,30}to (?:json|csv|a (?:markdown )?table)",
        "extraction",
        -0.4,
    ),
    Cue(
        "classify",
        r"\bclassify\b|\bsentiment\b|\bcategori[sz]e\b|\blabel (?:this|the|each)\b|"
        r"\btrue or false\b|\byes or no\b",
        "classification",
        -0.4,
    ),
    Cue("choices", r"\nb[.)] .{1,200}\nc[.)] ", "question_answering", 0.3),
    Cue(
        "write",
        r"\bwrite (?:a|an|me|the)\b|\bdraft\b|\bcompose\b|\bpoem\b|\bessay\b|"
        r"\bstory\b|\bblog post|\bcover letter|\bspeech\b",
        "writing",
        0.0,
    ),
    Cue(
        "rewrite",
        r"\brewrite\b|\brephrase\b|\breword\b|\bproofread|\bfix the (?:grammar|"
        r"spelling)|\bsounds? friendlier|\bpolite",
        "writing",
        -0.8,
    ),
    Cue(
        "analysis",
        r"\banaly[sz]e\b|\banalysis\b|\bcompare and contrast|\btrade-?offs?\b|"
        r"\bcritically|\bcritique\b|\bin depth\b|\bin detail\b|\bcomprehensive|"
        r"\bthorough|\bevaluate\b|\bjustify\b|\bimplications\b|\bstrategy\b|"
        r"\bstrategic|\bargue\b",
        "reasoning",
        1.7,
    ),
    Cue(
        "steps",
        r"\bstep[- ]by[- ]step|\bshow your (?:work|reasoning)|"
        r"\breason(?:ing)? through|\bmulti-?step|\blet's think",
        "reasoning",
        1.0,
    ),
    Cue(
        "expertise",
        r"\blegal\b|\bstatute|\bdiagnos|\bdifferential\b|\bquantum|\bthermodynamic|"
        r"\bcompiler|\bkernel\b|\bcryptograph|\bmacroeconom|\bderivatives?\b|"
        r"\bregulatory|\bcompliance\b",
        "",
        0.6,
    ),
    Cue(
        "question",
        r"\b(?:what|who|when|where|which|why|how)\b.{0,400}\?",
        "question_answering",
        -0.1,
    ),
    Cue(
        "greeting",
        r"^\s*(?:hi|hello|hey|thanks|thank you|good (?:morning|evening|afternoon)|"
        r"bye|hallo|bonjour|hola)\b",
        "",
        -1.2,
    ),
    Cue(
        "lookup",
        r"^\s*(?:what(?:'s| is) (?:the|a|an)|who (?:is|was|wrote|painted|invented)|"
        r"when (?:is|was|did)|where is|define|spell|how do you (?:say|spell))\b",
        "",
        -0.8,
    ),
)

#: Every task that a request can be given, so that policies can be checked against the list.
TASKS = tuple(dict.fromkeys(["chat", "tool_use", *(cue.task for cue in CUES if cue.task)]))

#: How much of a long prompt is read: the ask stands at its beginning or its end (characters).
HEAD, TAIL = 2_400, 1_200


class CueReader:
    """Finds the cues of a prompt. Built by `load_cues`; serves one thread."""

    def __init__(self, engine: str) -> None:
        self._engine = open_engine(engine, [Anchor(cue.pattern, 0) for cue in CUES])

    def read(self, prompt: str) -> tuple[Cue, ...]:
        """The cues that are present, in their order of precedence."""
        if len(prompt) > HEAD + TAIL:
            prompt = f"{prompt[:HEAD]}\n{prompt[-TAIL:]}"
        shadow = prompt.encode("ascii", "replace").lower()
        return tuple(CUES[number] for number in self._engine.gates(shadow))


def load_cues(engine: str = "auto") -> CueReader:
    """Compile the cues; see `gateway.classify.engine.open_engine` for what is raised."""
    return CueReader(engine)
