"""Makes training conversations out of the corpus, with the noise of real typing.

Everything here is a function of the random generator that the caller passes in.
"""

from __future__ import annotations

import random
import re

from help_corpus_reader import Corpus, Intent, expand, plain

Message = dict[str, str]

# The share of each kind of conversation. In-scope and out-of-scope are almost balanced, because
# refusing wrongly and answering wrongly are equally bad for a reader.
SHARE_OUTSIDE = 0.44
SHARE_SYSTEM = 0.3
SHARE_HISTORY = 0.2
SHARE_LONG = 0.015
# Newcomers ask these first, so they are drawn more often.
ASKED_FIRST = (
    "what-is-fairlead",
    "add-model",
    "add-openai",
    "add-ollama",
    "create-key",
    "who-are-you",
    "hello",
    "install",
    "use-from-app",
)
SHARE_ASKED_FIRST = 0.25
# The first patterns of an intent are its plain wordings, the later ones its unusual wordings.
PLAIN_PATTERNS = 3
SHARE_PLAIN = 0.4
# First and last code point of scripts that the model meets as bytes only.
SCRIPTS = (
    (0xC0, 0xFF),
    (0x391, 0x3C9),
    (0x410, 0x44F),
    (0x5D0, 0x5EA),
    (0x627, 0x64A),
    (0x905, 0x939),
    (0x3041, 0x3093),
    (0x30A1, 0x30F3),
    (0x4E00, 0x9FA5),
    (0xAC00, 0xD7A3),
    (0x1F300, 0x1F64F),
)
LONGEST_PASTE_WORDS = 700
# The corpus is written in small letters; most people write names as they are.
SHARE_PROPER_NAMES = 0.65
PROPER_NAMES = {
    "fairlead": "Fairlead",
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "claude": "Claude",
    "ollama": "Ollama",
    "redis": "Redis",
    "vllm": "vLLM",
    "lm studio": "LM Studio",
    "docker": "Docker",
    "kubernetes": "Kubernetes",
    "python": "Python",
    "gguf": "GGUF",
    "gpu": "GPU",
    "api": "API",
    "cli": "CLI",
    "sdk": "SDK",
    "llm": "LLM",
    "yaml": "YAML",
    "usd": "USD",
    "i": "I",
}
NAMES = re.compile(rf"\b(?:{'|'.join(PROPER_NAMES)})\b")


class SampleMaker:
    """Draws conversations (messages and the right last answer) from the corpus."""

    def __init__(self, corpus: Corpus, rng: random.Random) -> None:
        self.corpus = corpus
        self.rng = rng
        self.held_out = corpus.held_out_wordings()
        self.asked_first = [intent for intent in corpus.intents if intent.name in ASKED_FIRST]

    def draw(self, context: float = 1.0) -> tuple[list[Message], str]:
        """Return messages that end with a user's, and the answer to learn.

        `context` scales the shares of system messages, earlier exchanges and long pastes, which
        cost many tokens and teach little about choosing an answer.
        """
        if self.rng.random() < SHARE_LONG * context:
            return [_said("user", self._long_paste())], self._refusal()
        question, answer = self._exchange()
        messages = self._system() if self.rng.random() < SHARE_SYSTEM * context else []
        if self.rng.random() < SHARE_HISTORY * context:
            for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
                messages += self._earlier()
        return [*messages, _said("user", question)], answer

    def _exchange(self) -> tuple[str, str]:
        if self.rng.random() < SHARE_OUTSIDE:
            return self.outside_prompt(), self._refusal()
        often = self.rng.random() < SHARE_ASKED_FIRST
        intent = self.rng.choice(self.asked_first if often else self.corpus.intents)
        return self.question(intent), self.rng.choice(intent.answers)

    def _earlier(self) -> list[Message]:
        """One past exchange; sometimes another model, with another style, gave the answer."""
        question, answer = self._exchange()
        if self.rng.random() < 0.3:
            answer = self._sentences(self.rng.randint(1, 2))
        return [_said("user", question), _said("assistant", answer)]

    def _system(self) -> list[Message]:
        if self.rng.random() < 0.75:
            return [_said("system", self.rng.choice(self.corpus.fragments["system"]))]
        return [_said("system", self._sentences(self.rng.randint(1, 5)))]

    def _refusal(self) -> str:
        return self.rng.choice(self.corpus.outside.answers)

    def question(self, intent: Intent) -> str:
        """A question of one intent, worded and mistyped at random."""
        text = self._expanded(intent)
        if len(text.split()) > 2 and self.rng.random() < 0.12:
            text = f"{text} {self.rng.choice(self.corpus.fragments['product'])}"
        return self._typed(self._wrapped(text))

    def outside_prompt(self) -> str:
        """A prompt that has nothing to do with Fairlead."""
        chance = self.rng.random()
        if chance < 0.06:
            return self._typed(self._salad(self.rng.randint(1, 14)))
        if chance < 0.08:
            return self._sentences(self.rng.randint(1, 4))
        if chance < 0.15:
            return self._foreign() if self.rng.random() < 0.7 else self._repeated()
        text = self._expanded(self.corpus.outside)
        if chance < 0.37:
            return self._typed(self._wrapped(self._estranged(text)))
        if chance < 0.42:
            return f"{self._typed(text)}{self.rng.choice((': ', chr(10), chr(10) * 2))}" + (
                self._sentences(self.rng.randint(1, 5))
            )
        return self._typed(self._wrapped(text))

    def _expanded(self, intent: Intent) -> str:
        plainly = intent is not self.corpus.outside and self.rng.random() < SHARE_PLAIN
        patterns = intent.patterns[:PLAIN_PATTERNS] if plainly else intent.patterns
        while True:
            text = expand(self.rng.choice(patterns), self.corpus.words, self.rng)
            if plain(text) not in self.held_out:
                return text

    def _long_paste(self) -> str:
        """Pasted text of up to about 1,500 tokens, with a task before or after it, or none."""
        goal = self.rng.randint(60, LONGEST_PASTE_WORDS)
        parts: list[str] = []
        while sum(len(part.split()) for part in parts) < goal:
            made = self._salad(self.rng.randint(4, 20))
            digits = " ".join(str(self.rng.randint(0, 99999)) for _ in range(8))
            parts.append(self.rng.choice((self._sentences(3), self._sentences(5), made, digits)))
        text = self.rng.choice((" ", "\n", "\n\n")).join(parts)
        task = self._expanded(self.corpus.outside)
        return self.rng.choice((text, f"{task}\n\n{text}", f"{text}\n\n{task}"))

    def _sentences(self, count: int) -> str:
        return " ".join(self.rng.choices(self.corpus.fragments["sentence"], k=count))

    def _foreign(self) -> str:
        """Text of another script, sometimes with an English word in it."""
        first, last = self.rng.choice(SCRIPTS)
        words = [
            "".join(chr(self.rng.randint(first, last)) for _ in range(self.rng.randint(1, 9)))
            for _ in range(self.rng.choice((1, 1, 2, 3, 4, 6)))
        ]
        if self.rng.random() < 0.2:
            words.append(self._invented())
        return " ".join(words) + self.rng.choice(("", "?", "!", "\u3002", "\uff1f"))

    def _repeated(self) -> str:
        """One character many times, or characters without sense."""
        if self.rng.random() < 0.5:
            return chr(self.rng.randint(0x21, 0x7E)) * self.rng.choice((2, 5, 20, 60, 200, 400))
        return "".join(chr(self.rng.randint(0x21, 0x7E)) for _ in range(self.rng.randint(3, 80)))

    def _salad(self, count: int) -> str:
        """Words that nobody knows, so that the unknown means 'out of scope'."""
        return " ".join(self._invented() for _ in range(count))

    def _invented(self) -> str:
        parts = self.corpus.fragments
        word = "".join(
            self.rng.choice(parts["onset"]) + self.rng.choice(parts["vowel"])
            for _ in range(self.rng.choice((1, 1, 2, 2, 3)))
        )
        return word + self.rng.choice(parts["coda"])

    def _estranged(self, text: str) -> str:
        """A prompt with some of its words, though never the first, replaced by other ones."""
        words = text.split()
        for at in range(1, len(words)):
            if self.rng.random() < 0.3:
                sentence = self.rng.choice(self.corpus.fragments["sentence"])
                known = self.rng.choice(sentence.split()).strip(".,").lower()
                words[at] = self.rng.choice((self._invented(), known))
        return " ".join(words)

    def _wrapped(self, text: str) -> str:
        if self.rng.random() < 0.2:
            text = f"{self.rng.choice(self.corpus.fragments['before'])} {text}"
        if self.rng.random() < 0.08:
            text = f"{text} {self.rng.choice(self.corpus.fragments['after'])}"
        return text

    def _typed(self, text: str) -> str:
        """Case, closing mark, typing errors and a lost word, each now and then."""
        if self.rng.random() < SHARE_PROPER_NAMES:
            text = NAMES.sub(lambda found: PROPER_NAMES[found[0]], text)
        words = text.split()
        if len(words) > 4 and self.rng.random() < 0.08:
            del words[self.rng.randrange(len(words))]
            text = " ".join(words)
        if self.rng.random() < 0.12:
            text = self._mistyped(text)
        style = self.rng.random()
        if style < 0.5:
            text = text[:1].upper() + text[1:]
        elif style < 0.53:
            text = text.upper()
        return text + self.rng.choice(("", "", "?", "?", ".", "!", " ?", "??"))

    def _mistyped(self, text: str) -> str:
        at = self.rng.randrange(len(text))
        kind = self.rng.randrange(3)
        if kind == 0:
            return text[:at] + text[at + 1 :]
        if kind == 1:
            return text[:at] + text[at : at + 1] + text[at:]
        return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def _said(role: str, content: str) -> Message:
    return {"role": role, "content": content}
