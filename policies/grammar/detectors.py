"""A company's own detectors, in the section `sensitivity`."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Node, Scalar, Sequence, kind_of
from policies.grammar.words import FINDING, ID
from policies.model.detectors import DetectorStatement, TermsStatement
from policies.problems import Problems
from policies.shapes import WRONG, Key, ListOf, Record, Text

_FILE = "file:"
_TERM = Text(what="a word or words", longest=200, numbers=True)
_TERMS = ListOf(item=_TERM, least=1)


class TermsShape(msgspec.Struct, frozen=True):
    """Words in a list, or `file:PATH` for a file that has one on each line."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The words or the path."""
        if isinstance(node, Sequence):
            words = _TERMS.read(node, problems)
            return WRONG if words is WRONG else TermsStatement(at=node.at, words=words)
        text = node.text.strip() if isinstance(node, Scalar) else ""
        if text.startswith(_FILE) and text.removeprefix(_FILE).strip():
            return TermsStatement(at=node.at, file=text.removeprefix(_FILE).strip())
        message = f"terms are a list of words, or file:PATH, not {kind_of(node)}"
        problems.add(node.at, message, hint="terms: [Apollo, Zeus]", path=node.path)
        return WRONG

    def schema(self) -> dict[str, Any]:
        """A list of strings, or a string with the prefix."""
        return {"anyOf": [_TERMS.schema(), {"type": "string", "pattern": r"^file:\s*\S"}]}


DETECTOR = Record(
    what="a detector",
    build=DetectorStatement,
    keys={
        "id": Key(ID, "id: a short name that messages show", required=True),
        "type": Key(FINDING, "type: the finding type of what it finds", required=True),
        "terms": Key(TermsShape(), "words that are found whole, in any case, or file:PATH"),
        "pattern": Key(Text(what="a pattern", longest=1000), "a regular expression of RE2"),
    },
)
