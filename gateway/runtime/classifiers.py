"""The classifiers of one gateway worker: one for its event loop, one for large requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from gateway.classify.classifier import Classifier, load_classifier
from gateway.classify.difficulty import DifficultyModel
from gateway.classify.fingerprints import FingerprintIndex
from gateway.classify.pictures import PICTURE, Picture, pictures_of, shown
from gateway.classify.token_counting import counted
from gateway.config.difficulty_models import load_model
from gateway.config.settings import Settings
from gateway.config.vocabularies import Vocabularies
from gateway.core.counting import Counting
from gateway.core.findings import SensitivityRules
from gateway.core.profile import Profile, TokenEstimate
from gateway.core.request import ChatRequest
from gateway.core.second_stage import deepened
from gateway.core.sensitivity import Sensitivity
from gateway.core.token_families import O200K
from gateway.runtime.picture_worker import Shown
from gateway.runtime.pictures import PictureReader, obstacle
from policies.testing import JudgeText

#: Requests larger than this, and all with documents, are classified off the event loop; bytes.
LARGE_REQUEST = 64 * 1024


class Classifiers:
    """Judges requests; a classifier serves one thread at a time, so there are two.

    The second one is loaded when the first large request comes, in its own thread.
    """

    def __init__(
        self,
        quick: Classifier,
        difficulty: DifficultyModel | None = None,
        vocabularies: Vocabularies | None = None,
        pictures: PictureReader | None = None,
    ) -> None:
        self._quick = quick
        self._pictures = pictures
        self._looking = ThreadPoolExecutor(2, thread_name_prefix="pictures")
        self._vocabularies = vocabularies or Vocabularies()
        self._difficulty = difficulty
        self._patient: Classifier | None = None
        self._fingerprints: FingerprintIndex | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="classify")

    async def judge(
        self, request: ChatRequest, rules: SensitivityRules, floor: Sensitivity
    ) -> Profile:
        """Classify a request; nobody else waits for a large one, or for what pictures show."""
        # Documents are taken apart before they are read, which takes a while however small.
        if request.size <= LARGE_REQUEST and not request.needs.documents:
            profile = self._quick.judge(request, rules, floor)
        else:
            loop = asyncio.get_running_loop()
            run = partial(self._take_time, request, rules, floor)
            profile = await loop.run_in_executor(self._thread, run)
        if self._pictures is None:
            return profile
        return await self._with_pictures(self._pictures, request, profile, rules)

    async def _with_pictures(
        self,
        reader: PictureReader,
        request: ChatRequest,
        profile: Profile,
        rules: SensitivityRules,
    ) -> Profile:
        loop = asyncio.get_running_loop()
        if request.size <= LARGE_REQUEST:
            pictures, more = pictures_of(request)
        else:
            pictures, more = await loop.run_in_executor(self._looking, pictures_of, request)
        if not pictures and not more:
            return profile
        seen = await loop.run_in_executor(self._looking, reader.read, pictures)
        told = partial(self._judge_shown, profile, pictures, seen, rules, more=more)
        return await loop.run_in_executor(self._thread, told)

    def features(self, prompt: str, size: int, tools: bytes) -> bytes:
        """What the difficulty model sees of a prompt in a body of `size` bytes, packed.

        `tools` is the field of that name, empty for none.
        """
        return self._quick.features(prompt, size, tools)

    def prepare(self, rules: SensitivityRules) -> None:
        """Compile what a policy brings along, before a request has to wait for it.

        Raises:
            ValueError: a pattern cannot be compiled.
        """
        self._quick.prepare(rules)

    async def count(
        self, request: ChatRequest, tokens: TokenEstimate, counting: Counting
    ) -> TokenEstimate:
        """Count a request's tokens; nobody else waits for a large one, or for a vocabulary."""
        if request.size <= LARGE_REQUEST and self._vocabularies.has(counting.vocabularies):
            return self._count(request, tokens, counting)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._count, request, tokens, counting)

    def _count(
        self, request: ChatRequest, tokens: TokenEstimate, counting: Counting
    ) -> TokenEstimate:
        found = self._vocabularies.get(counting.vocabularies)
        return counted(request, tokens, counting.families, found)

    def look_for(self, fingerprints: FingerprintIndex | None) -> None:
        """From now on, also look for passages of these documents, in place of any others."""
        self._fingerprints = fingerprints
        self._quick.look_for(fingerprints)
        if self._patient is not None:
            self._patient.look_for(fingerprints)

    def text_judge(self) -> JudgeText:
        """What judges a bare text, for callers in other threads; they wait for their turn."""

        def judge_text(text: str, rules: SensitivityRules) -> Profile:
            return self._thread.submit(self._judge_text, text, rules).result()

        return judge_text

    def close(self) -> None:
        """End the threads; what they are doing is not waited for."""
        self._thread.shutdown(wait=False)
        self._looking.shutdown(wait=False, cancel_futures=True)
        if self._pictures is not None:
            self._pictures.close()

    def _take_time(
        self, request: ChatRequest, rules: SensitivityRules, floor: Sensitivity
    ) -> Profile:
        return self._patient_one().judge(request, rules, floor)

    def _judge_text(self, text: str, rules: SensitivityRules) -> Profile:
        return self._patient_one().judge_text(text, rules)

    def _judge_shown(
        self,
        profile: Profile,
        pictures: Sequence[Picture],
        seen: Sequence[Shown],
        rules: SensitivityRules,
        *,
        more: bool,
    ) -> Profile:
        return with_shown(profile, pictures, seen, rules, self._patient_one(), more=more)

    def _patient_one(self) -> Classifier:
        if self._patient is None:
            patient = load_classifier(difficulty=self._difficulty)
            self._patient = patient
            # Only now: what changed while it was loading has reached the field by then.
            patient.look_for(self._fingerprints)
        return self._patient


def with_shown(
    profile: Profile,
    pictures: Sequence[Picture],
    seen: Sequence[Shown],
    rules: SensitivityRules,
    classifier: Classifier,
    *,
    more: bool,
) -> Profile:
    """The profile with what the pictures show; one that was not read leaves it unjudged.

    `more` says that there are pictures which nobody could look at.
    """
    texts = [classifier.judge_text(one.text, rules) for one in seen]
    unread = more or any(one.unread for one in seen) or any(one.failed for one in texts)
    types = [[(found.type, found.confidence) for found in one.findings] for one in texts]
    looked = shown(pictures, types, unread=unread)
    return deepened(profile, looked, rules, restricts=True, by=PICTURE)


def open_pictures(settings: Settings) -> PictureReader | None:
    """What reads pictures, where the settings want them read.

    Raises:
        ValueError: the libraries for it are not installed.
    """
    if not settings.ocr_seconds:
        return None
    if because := obstacle(settings.ocr_seconds):
        raise ValueError(because)
    return PictureReader(settings.ocr_seconds)


def open_classifiers(settings: Settings | None = None) -> Classifiers:
    """Load what every request needs; compiling the patterns takes some tenths of a second.

    Raises:
        DifficultyModelError: `settings` name a difficulty model that cannot be used.
        ValueError: they want pictures read, and the libraries for it are not installed.
    """
    model = None
    pictures = None if settings is None else open_pictures(settings)
    if settings is not None and settings.difficulty_model is not None:
        model = load_model(settings.home, settings.difficulty_model)
    vocabularies = Vocabularies()
    vocabularies.get({O200K})
    return Classifiers(load_classifier(difficulty=model), model, vocabularies, pictures)
