"""Proves in a process of its own that a text opens no leak, before it may come into force.

The solver takes memory and at times long, and native code can fail; none of it may touch a worker
that serves. Run as `python -m gateway.runtime.live.proof`: a question a line on standard input
(`Question`), an answer a line on standard output (`Verdict`), until the input ends.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec

import msgspec

from adapters.registry import adapter_facts
from gateway.config.price_book import load_price_book
from gateway.core.deployment import Secret
from policies.compiler import compile_policy
from policies.loader import read_policy
from policies.problems import PolicyError, Problem

#: What the codes of leaks begin with; what else cannot be proved is told by `policy prove` alone.
LEAK = "leak"
_LARGEST_LINE = 64 * 1024 * 1024
#: What a program needs to run; the prover gets no credential.
_COMMAND = (sys.executable, "-m", "gateway.runtime.live.proof")
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")


class Question(msgspec.Struct, frozen=True):
    """A text to be proved; `source` names it in messages."""

    text: str
    source: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof found: `leaks` with their places; `unproved` says why there is no proof."""

    leaks: tuple[Problem, ...] = ()
    unproved: str = ""

    @property
    def words(self) -> str:
        """What is kept with a version."""
        return f"not proved: {self.unproved}" if self.unproved else "proved to open no leak"


def verdict_of(text: str, source: str) -> Verdict:
    """Prove a text here and now; it takes from tenths of a second to half a minute."""
    if find_spec("z3") is None:
        return Verdict(unproved="the package z3-solver is not installed")
    from policies.checker.proof import Disagreement, prove
    from policies.checker.subject import subject_of

    adapters = adapter_facts()
    try:
        written = read_policy(text, source)
        policy = compile_policy(
            written,
            load_price_book().price_of,
            lambda reference: Secret(reference),
            adapters,
            # What is found is any request's to have, so the words do not matter here.
            lambda path: (),
        )
        proof = prove(subject_of(written, policy, adapters))
    except (PolicyError, Disagreement) as error:
        return Verdict(unproved=str(error))
    leaks = tuple(
        Problem(
            line=one.at.line,
            column=one.at.column,
            message=f"a leak: {one.message}",
            hint=one.hint,
            path=one.path,
            code=one.code,
        )
        for one in proof.breaches
        if one.code.startswith(LEAK)
    )
    return Verdict(leaks=leaks)


class Prover:
    """Asks a prover process, which is started when it is first needed and then kept.

    A proof that takes longer than `seconds` is given up, and the text counts as not proved; with
    0 seconds nothing is asked at all.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()

    async def verdict(self, text: str, source: str) -> Verdict:
        """Prove a text."""
        if not self._seconds:
            return Verdict(unproved="proofs are switched off (FAIRLEAD_PROOF_SECONDS)")
        async with self._asking:
            try:
                async with asyncio.timeout(self._seconds):
                    return await self._ask(Question(text, source))
            except TimeoutError:
                await self._end()
                return Verdict(unproved=f"it takes longer than {self._seconds:g} seconds")
            except (OSError, ValueError):
                await self._end()
                return Verdict(unproved="the prover ended")

    async def close(self) -> None:
        """End the prover."""
        await self._end()

    async def _ask(self, question: Question) -> Verdict:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await _start()
        if process.stdin is None or process.stdout is None:
            raise ValueError("the prover has no pipes")
        process.stdin.write(msgspec.json.encode(question) + b"\n")
        await process.stdin.drain()
        return msgspec.json.decode(await process.stdout.readline(), type=Verdict)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def prove_once(text: str, source: str, seconds: float) -> Verdict:
    """Prove one text in a process of its own, and wait for it; see `Prover`."""
    if not seconds:
        return Verdict(unproved="proofs are switched off (FAIRLEAD_PROOF_SECONDS)")
    try:
        done = subprocess.run(
            _COMMAND,
            input=msgspec.json.encode(Question(text, source)) + b"\n",
            capture_output=True,
            env=_environment(),
            timeout=seconds,
            check=False,
        )
        return msgspec.json.decode(done.stdout, type=Verdict)
    except subprocess.TimeoutExpired:
        return Verdict(unproved=f"it takes longer than {seconds:g} seconds")
    except (OSError, ValueError):
        return Verdict(unproved="the prover ended")


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        limit=_LARGEST_LINE,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


def main() -> None:
    """Answer questions until the input ends."""
    os.nice(5)  # whoever serves comes first
    for line in sys.stdin.buffer:
        question = msgspec.json.decode(line, type=Question)
        verdict = verdict_of(question.text, question.source)
        sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
