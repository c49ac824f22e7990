"""The classifiers of one gateway worker."""

from __future__ import annotations

import msgspec

from gateway.classify.classifier import Classifier, load_classifier


class Classifiers(msgspec.Struct, frozen=True):
    """One for the event loop and one for the thread that takes large requests.

    A classifier serves one thread at a time.
    """

    quick: Classifier
    patient: Classifier


def open_classifiers() -> Classifiers:
    """Both classifiers; compiling their patterns takes a few tenths of a second."""
    return Classifiers(load_classifier(), load_classifier())
