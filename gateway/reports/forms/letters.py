"""The letters of a PDF: which fonts draw them, and what stands for those that none has.

Rules of this file:
- texts in Western European letters use the fonts that every reader has;
- others use Fira Sans, which is installed with us: Latin, Cyrillic, Greek and Vietnamese;
- what that lacks is looked up in the fonts of the machine, but only of scripts whose letters stand
  side by side: Arabic or Devanagari would need to be shaped;
- a letter that no font has is written as its number, `U+4E2D`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from fpdf import FPDF

#: Where systems keep fonts; those of a user are beside them.
FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
_PLAIN, _WIDE = "Helvetica", "FiraSans"
#: Scripts whose letters need no shaping, by how the names of their letters begin.
_SIDE_BY_SIDE = frozenset(
    "CJK HIRAGANA KATAKANA HANGUL BOPOMOFO IDEOGRAPHIC FULLWIDTH HALFWIDTH ARMENIAN GEORGIAN "
    "ETHIOPIC CHEROKEE".split()
)
#: Files that are looked into, and fonts that are taken, at most.
_MOST_FILES, _MOST_FONTS = 300, 3


class Letters(msgspec.Struct, frozen=True):
    """The family that a document is set in, and the letters that its fonts have."""

    family: str
    known: frozenset[str]

    def written(self, text: str) -> str:
        """Text as the fonts can draw it."""
        return "".join(one if one in self.known else f"U+{ord(one):04X}" for one in _composed(text))

    def lacks(self, texts: Iterable[str]) -> bool:
        """Whether some letter is written as its number."""
        return any(one not in self.known for text in texts for one in _composed(text))


def letters_for(paper: FPDF, texts: Iterable[str], folders: Iterable[Path] = ()) -> Letters:
    """Load the fonts that texts need into a document.

    Args:
        folders: where other fonts may be looked for. The same report gives the same bytes
            everywhere only without them.
    """
    used = frozenset(one for text in texts for one in _composed(text))
    plain = frozenset(one for one in used if _is_plain(one))
    if plain == used:
        return Letters(_PLAIN, plain)
    from fontpkg_fira_sans import ROOT

    for style, name in (("", "Regular"), ("B", "Bold")):
        paper.add_font(_WIDE, style, ROOT / "files" / f"FiraSans-{name}.ttf")
    has = _letters_in(ROOT / "files" / "FiraSans-Regular.ttf")
    known = {one for one in used & has if one.isprintable()}
    missing = {one for one in used - known if _stands_alone(one)}
    others = []
    for number, (path, found) in enumerate(_fonts_with(missing, folders)):
        family = f"other{number}"
        for style in ("", "B"):
            paper.add_font(family, style, path)
        others.append(family)
        known |= found
    if others:
        paper.set_fallback_fonts(others, exact_match=False)
    return Letters(_WIDE, frozenset(known))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\n", " "))


def _is_plain(letter: str) -> bool:
    try:
        letter.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return letter.isprintable()


def _stands_alone(letter: str) -> bool:
    begins = unicodedata.name(letter, "").replace("-", " ").partition(" ")[0]
    return begins in _SIDE_BY_SIDE or unicodedata.category(letter)[0] in "PS"


def _letters_in(path: Path) -> set[str]:
    """The letters of a font, the first one of a collection; none where it cannot be read."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return {chr(point) for point in font.getBestCmap() or ()}
    except (OSError, TTLibError, AssertionError, KeyError):
        return set()


def _fonts_with(
    missing: set[str], folders: Iterable[Path]
) -> Iterator[tuple[Path, frozenset[str]]]:
    """The fonts that have the most of what is missing, each with what it adds."""
    if not missing:
        return
    files = sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix.lower() in (".ttf", ".ttc")
    )[:_MOST_FILES]
    found = [(path, _letters_in(path) & missing) for path in files]
    for _ in range(_MOST_FONTS):
        path, has = max(found, key=lambda one: len(one[1] & missing), default=(Path(), set()))
        adds = frozenset(has & missing)
        if not adds:
            return
        yield path, adds
        missing = missing - adds
