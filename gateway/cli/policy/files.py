"""Policy files as the commands read them: compiled, with stand-ins for secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from adapters.registry import adapter_facts
from gateway.classify.classifier import load_classifier
from gateway.cli.policy.telling import complain, stop
from gateway.config.price_book import load_price_book
from gateway.config.secrets import secret_lookup
from gateway.config.terms import terms_lookup
from gateway.core.deployment import Secret
from gateway.runtime.live.start import bench_for
from gateway.runtime.live.trial import Bench
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import load_policy
from policies.model.file import PolicyFile
from policies.testing import JudgeText, needs_judge

PolicyPath = Annotated[Path, typer.Argument(help="The policy file.", show_default=False)]


def must_exist(file: Path) -> None:
    """End the command as called wrong when there is no such file."""
    if not file.is_file():
        stop(f"{file} is not a file")


def compiled(file: Path) -> CompiledPolicy:
    """The policy with stand-ins for secrets: what is decided does not depend on them."""
    return compile_file(load_policy(file))


def compile_file(policy: PolicyFile) -> CompiledPolicy:
    """A file that has been read, compiled with stand-ins for secrets."""
    prices = load_price_book().price_of
    terms = terms_lookup(Path(policy.source).parent)
    return compile_policy(policy, prices, _stand_in_for_secret, adapter_facts(), terms)


def judge_for(policy: CompiledPolicy) -> JudgeText | None:
    """The real classifier, where a test of the file has a text to judge."""
    return load_classifier().judge_text if needs_judge(policy) else None


def trial_bench(file: Path) -> Bench:
    """What a text is tried with here; secrets that this shell lacks do not matter for it."""
    look_up = secret_lookup(os.environ, file.parent)

    def secret(reference: str) -> Secret:
        return look_up(reference) or _stand_in_for_secret(reference)

    return msgspec.structs.replace(bench_for(file, os.environ), secrets=secret)


def note_unset_secrets(policy: PolicyFile, file: Path) -> None:
    """The file can be right while this shell lacks its secrets; serving would refuse it."""
    secrets = secret_lookup(os.environ, file.parent)
    for deployment in policy.deployments:
        reference = deployment.api_key
        if reference is not None and secrets(reference.text) is None:
            complain(f"note: {reference.text} is not set here; {deployment.name} needs it")


def _stand_in_for_secret(reference: str) -> Secret:
    return Secret(f"stand-in for {reference}")
