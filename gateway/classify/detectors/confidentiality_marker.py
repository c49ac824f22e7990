"""Marks by which people say that a document may not leave: CONFIDENTIAL, TLP:RED, Vertraulich.

Bad: `INTERNAL USE ONLY`. Good: `Is it confidential when I talk to a therapist?`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View, occur, words

# Phrases that nobody writes except to mark (matched in lower case).
_PHRASES = re.compile(
    r"\btlp ?: ?(?:red|amber(?:\+strict)?)\b|"
    r"\b(?:strictly|highly|company|most|commercial(?:ly)?[ -]in[ -]|"
    r"commercial[ -]in|private (?:and|&)|"
    r"privileged (?:and|&)|proprietary (?:and|&|/)|board|client|business|"
    r"medical|staff)[ -]confiden(?:tial|ce)\b"
    r"(?! (?:sensitivity|label|comput))|"
    r"\bconfidential (?:and|&|/) ?(?:proprietary|privileged|internal)\b|"
    r"\bconfidential (?:-|/|:|--) ?(?:internal|do not|not for|restricted)[a-z ]{0,24}|"
    r"\b(?:for )?internal (?:use )?only\b(?: - do not (?:distribute|forward|share))?|"
    r"\bdo not (?:distribute|forward|disclose|circulate)\b|"
    r"\b(?:draft - )?not for (?:external |public |further )?(?:distribution|"
    r"release|disclosure|circulation)\b|"
    r"\battorney[ -]client[ -]privileged\b(?: (?:&|and) confidential)?|\battorney work product\b|"
    r"\b(?:privileged|legally privileged) (?:and|&) confidential\b|"
    r"\bmaterial non-?public information\b|\bexport controlled\b(?: - itar)?|"
    r"\brestricted - need to know\b|\bneed[ -]to[ -]know (?:basis )?only\b|"
    r"\bcontrolled unclassified information\b|"
    r"\bcui//[a-z\-/]{2,20}|\bnoforn\b|\borcon\b|\b(?:top )?secret//[a-z/]{2,20}|"
    r"\bunder (?:embargo|nda)\b(?! ?\?)|\bembargoed until\b|"
    r"\bfor official use only\b|\beyes only\b|"
    r"\bcompany (?:secret|proprietary)\b|\bfor your eyes\b|"
    r"\bnur fur den (?:internen|dienst)[a-z]{0,12}\b|\bvs - nur fur den dienstgebrauch\b|"
    r"\bnur (?:zur|fur) interne[nrm]? (?:gebrauch|verwendung)\b|\bstreng (?:vertraulich|geheim)\b|"
    r"\busage interne(?: uniquement)?\b|\bdiffusion restreinte\b|\bstrictement confidentiel\b|"
    r"\bsecret des affaires\b|\bne pas diffuser\b|"
    r"\b(?:solo para )?uso interno(?: (?:exclusivo|apenas))?\b|\bestrictamente confidencial\b|"
    r"\bsolo per uso interno\b|\bstrettamente riservato\b|\bestritamente confidencial\b|"
    r"\balleen voor intern gebruik\b|\bstrikt vertrouwelijk\b|\bscisle tajne\b|"
    r"\bpoufne\b|\bdo uzytku wewnetrznego\b"
)
# The same without what must not follow, to tell in one pass that there is none of them.
_SOME_PHRASE = words(re.sub(r"\(\?! (?:\([^)]*\)|\?\\\?)\)", "", _PHRASES.pattern))
# Words that mark only when they stand alone on a line or are written in capitals.
_WORDS = re.compile(
    r"(?:confidential|restricted|proprietary|internal|secret|classified|sensitive|privileged|"
    r"vertraulich|confidentiel|confidencial|riservat[oa]|vertrouwelijk|confidenziale|geheim|"
    r"konfidentiell|fortroligt?|luottamuksellinen|hemlig|poufny|embargoed|trade secret|under nda)"
)
_ALONE = re.compile(
    r"[ \t>*#_\-=\[(|/\"']*(?:classification ?: ?|sensitivity ?: ?|label ?: ?|marked )?"
    rf"(?P<mark>{_WORDS.pattern}(?:[ \-&/]+(?:and )?{_WORDS.pattern})?)"
    r"[ \t*#_\-=\])|/.!:\"']*(?:\n|$)"
)
_LABEL = re.compile(
    r"(?:classification|sensitivity|marked|stamped|markiert|"
    r"eingestuft)[\"']? ?(?:is|as|:|=)? ?[\"'\[(]?$"
)
_QUESTION = re.compile(
    r"what (?:is|does|are)|meaning of|mean|define|difference|explain|\bwhy\b|"
    r"\bhow\b|template|translat|word for|policy|policies|classif(?:y|ies)"
)
# `what does TLP:RED mean` asks about the mark, however it is written.
_MEANING = re.compile(
    r"what (?:does|do|is|are)[ \"'a-z]{0,16}$|meaning of[ \"']{0,2}$|"
    r"define[ \"']{0,2}$"
)
_MEANT = re.compile(r"[ \"']{0,2}(?:mean|stand for|\?|in [a-z]{3,12}\?)")


def _look(view: View, _which: int, start: int, end: int) -> Found | None:
    lower = view.lower
    line_start = lower.rfind("\n", max(0, start - 400), start) + 1 or max(0, start - 400)
    if line_start == max(0, start - 400) and line_start > 0 and lower[line_start - 1] != "\n":
        line_start = start - 40
    low, high = max(line_start, start - 40, 0), end + 60
    phrase = None
    if occur(view, low, high, _SOME_PHRASE):
        phrase = _PHRASES.search(lower, low, high)
    if phrase is not None and phrase.start() <= end and phrase.end() >= start:
        if _asked_about(view, line_start, phrase.start(), phrase.end()):
            return None
        return Found("confidentiality_marker", phrase.start(), phrase.end(), 0.95)
    return _word(view, start, line_start)


def _word(view: View, start: int, line_start: int) -> Found | None:
    text, lower = view.text, view.lower
    alone = _ALONE.match(lower, line_start)
    if alone is not None and alone.start("mark") <= start < alone.end("mark"):
        mark = alone.span("mark")
        # A single ordinary word on a line is a heading or an answer; a mark is capitalised.
        if text[mark[0]].isupper():
            return Found("confidentiality_marker", *mark, 0.9)
        return None
    word = _WORDS.match(lower, start)
    if word is None:
        return None
    shown = text[start : word.end()]
    labelled = _LABEL.search(lower, max(0, start - 30), start) is not None
    if (
        labelled
        and (shown.isupper() or shown.istitle())
        and not _asked_about(view, line_start, start, word.end())
    ):
        return Found("confidentiality_marker", start, word.end(), 0.85)
    if not shown.isupper() or shown in ("INTERNAL", "SECRET", "RESTRICTED", "SENSITIVE"):
        return None
    # What stands on other lines, such as in another message, says nothing about this one.
    before = text[max(0, start - 12, line_start) : start]
    after = text[word.end() : word.end() + 12].partition("\n")[0]
    neighbours = before + after
    if any(c.islower() for c in neighbours) and not _opens(text, line_start, start):
        return None
    if text[word.end() : word.end() + 1] in ("_", "-", "=") or text[start - 1 : start] in (
        "_",
        "-",
    ):
        return None
    return Found("confidentiality_marker", start, word.end(), 0.85)


def _opens(text: str, line_start: int, start: int) -> bool:
    return not any(character.isalnum() for character in text[line_start:start])


def _asked_about(view: View, line_start: int, start: int, end: int) -> bool:
    shown = view.text[start:end]
    lead = view.lower[max(line_start, start - 60) : start]
    if _MEANING.search(lead) is not None and _MEANT.match(view.lower, end) is not None:
        return True
    if shown.isupper():
        return False
    quoted = view.text[start - 1 : start] in ("'", '"') and view.text[end : end + 1] in ("'", '"')
    return _QUESTION.search(lead) is not None and (quoted or "?" in view.lower[end : end + 80])


DETECTOR = Detector(
    name="confidentiality_marker",
    anchors=(
        "confiden",
        "internal",
        "tlp:",
        "tlp ",
        "vertraulich",
        "riservat",
        "restricted",
        "privileged",
        "proprietary",
        "not for",
        "distribut",
        "do not",
        "under nda",
        "noforn",
        "orcon",
        "secret",
        "classified",
        "usage interne",
        "uso intern",
        "diffus",
        "dienstgebrauch",
        "embargo",
        "export controlled",
        "need to know",
        "need-to-know",
        "cui//",
        "work product",
        "vertrouwelijk",
        "konfidentiell",
        "fortrolig",
        "hemlig",
        "poufn",
        "luottamuksellinen",
        "geheim",
        "official use",
        "eyes only",
        "interne",
        "intern gebruik",
        "non-public",
        "nonpublic",
        "tajne",
        "wewnetrznego",
        "sensitive",
        "stricte",
    ),
    look=_look,
)
