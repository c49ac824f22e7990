"""Which text a gateway begins with: the last active version, or a file that changed since.

Blocking: it is asked before anything serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import redis

from adapters.registry import adapter_facts
from gateway.classify.classifier import load_classifier
from gateway.config.price_book import load_price_book
from gateway.config.secrets import secret_lookup
from gateway.config.terms import terms_lookup
from gateway.core.versions import Head, digest_of
from gateway.runtime.live.changes import next_version
from gateway.runtime.live.follower import InForce
from gateway.runtime.live.policy_file import place_of, read_text, who_keeps
from gateway.runtime.live.proof import prove_once
from gateway.runtime.live.trial import Bench, compiled, tried
from gateway.runtime.policies import PolicyUnusable
from gateway.stores import versions
from gateway.stores.versions import ask_now
from policies.compiled import CompiledPolicy
from policies.problems import PolicyError
from policies.testing import JudgeText

#: Other gateways that start with the same file may publish it first; so often it is looked again.
_TRIES = 5


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway begins with; `notes` are sentences that its operator should read."""

    in_force: InForce
    policy: CompiledPolicy
    notes: tuple[str, ...] = ()


def bench_for(
    path: Path,
    environ: Mapping[str, str],
    judge_text: Callable[[], JudgeText] | None = None,
) -> Bench:
    """What texts are tried with here: this machine's secrets and the shipped price book.

    Args:
        path: the policy file; `file:` secrets and files of terms are looked for beside it.
        environ: where `env:` secrets are looked for.
        judge_text: gives what judges the texts of tests; loaded when first asked if not given.
    """
    return Bench(
        prices=load_price_book().price_of,
        secrets=secret_lookup(environ, path.parent),
        adapters=adapter_facts(),
        terms=terms_lookup(path.parent),
        judge_text=judge_text or (lambda: load_classifier().judge_text),
    )


def begin_gateway(
    client: redis.Redis, path: Path, bench: Bench, proof_seconds: float = 0.0
) -> Begin:
    """What a gateway begins with; a file that changed while none ran is brought into force.

    A change is proved first. The very first policy is taken as it is, for there is none to keep
    instead; what leaks in it the log tells.

    Raises:
        PolicyUnusable: the file cannot be used, and there is no version that can.
        redis.RedisError: Redis does not answer.
    """
    for _ in range(_TRIES):
        head = ask_now(client, versions.head())
        try:
            text = read_text(path)
            if head.number and digest_of(text) in (head.digest, head.file_digest):
                return _active(client, head, path, bench)
            policy = tried(text, str(path), bench)
            seconds = proof_seconds if head.number else 0.0
            verdict = prove_once(text, str(path), seconds)
            if verdict.leaks:
                raise PolicyError(verdict.leaks, str(path))
        except (OSError, PolicyError) as problem:
            if not head.number:
                raise PolicyUnusable(_told(path, problem)) from None
            begin = _active(client, head, path, bench)
            note = f"{_told(path, problem)}\nThe last good version stays in force."
            return msgspec.structs.replace(begin, notes=(*begin.notes, note))
        before = InForce(ask_now(client, versions.text(head.number)) or "")
        if head.number:
            before = InForce(before.text, ask_now(client, versions.version(head.number)))
        new = next_version(before, text, policy, source="file", by=who_keeps(path))
        new = msgspec.structs.replace(new, number=head.number + 1, proof=verdict.words)
        question = versions.publish(new, text, expected=head.number, file_digest=new.digest)
        if ask_now(client, question):
            return Begin(in_force=InForce(text, new), policy=policy)
    raise PolicyUnusable("the policy is being changed by other gateways; try again")


def begin_worker(client: redis.Redis, path: Path, bench: Bench) -> Begin:
    """What a worker begins with: the active version, or the file when that cannot be had.

    Raises:
        PolicyUnusable: neither can be used.
    """
    try:
        head = ask_now(client, versions.head())
        if head.number:
            return _active(client, head, path, bench)
    except redis.RedisError:
        pass  # the file is kept in step where it can be; Redis is followed once it is back
    try:
        text = read_text(path)
        return Begin(in_force=InForce(text), policy=compiled(text, str(path), bench))
    except (OSError, PolicyError) as problem:
        raise PolicyUnusable(_told(path, problem)) from None


def _active(client: redis.Redis, head: Head, path: Path, bench: Bench) -> Begin:
    """The version in force. An older one could allow what it forbids, so there is no other."""
    version = ask_now(client, versions.version(head.number))
    text = ask_now(client, versions.text(head.number))
    if version is None or text is None:
        raise PolicyUnusable(f"Redis has lost version {head.number} of the policy, now in force")
    try:
        policy = compiled(text, str(path), bench)
    except PolicyError as error:
        raise PolicyUnusable(
            f"version {head.number} of the policy, now in force, cannot be used here:\n{error}"
        ) from None
    return Begin(in_force=InForce(text, version), policy=policy)


def _told(path: Path, problem: OSError | PolicyError) -> str:
    if isinstance(problem, PolicyError):
        return f"the policy cannot be used:\n{problem}"
    reason = (problem.strerror or type(problem).__name__).lower()
    return f"the policy file {place_of(path)} cannot be read: {reason}"
