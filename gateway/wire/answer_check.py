"""Whether a model's text obeys a JSON schema, and what is wrong with it if not.

The schema is the caller's and the text is the model's, so neither may cost more than it should:
patterns run on RE2 in linear time, references stay inside the schema and the work is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import re2

#: Keyword checks that one answer may take; ordinary ones take a few thousand at most.
MOST_STEPS = 30_000
#: The longest description of a mistake that is told to the model, in characters.
LONGEST_PROBLEM = 300

_NO_SCHEMA = "the schema is not a valid JSON schema"
_TOO_MUCH = "the schema takes too much work to check"
_OUTSIDE = "the schema refers to something outside itself"
_UNCHECKABLE = (_NO_SCHEMA, _TOO_MUCH, _OUTSIDE)
_FENCE = "```"
_OPENING = "{["


def json_inside(text: str) -> str | None:
    """The JSON document in a model's text, without fences and talk around it; None for none."""
    bare = text.strip()
    if bare.startswith(_FENCE):
        bare = bare.partition("\n")[2].rpartition(_FENCE)[0].strip() or bare
    if _is_json(bare):
        return bare
    starts = [at for at in map(bare.find, _OPENING) if at >= 0]
    if not starts:
        return None
    start = min(starts)
    try:
        _, end = json.JSONDecoder().raw_decode(bare, start)
    except (ValueError, RecursionError):
        return None
    return bare[start:end]


def obeys(document: str, schema: Mapping[str, object]) -> bool:
    """Whether a JSON document obeys; also where the schema cannot be checked."""
    return problem_with(document, schema) in ("", *_UNCHECKABLE)


def problem_with(document: str, schema: Mapping[str, object]) -> str:
    """What is wrong with a JSON document, for the model that wrote it; empty when it obeys.

    The words may quote the document. A schema that cannot be checked (not a schema, references
    outside itself, far too much work) accepts nothing, and its message says so.
    """
    # Imported here because it takes a fifth of a second, which a gateway whose backends all know
    # schemas should not spend.
    import jsonschema
    import referencing

    try:
        known = jsonschema.validators.validator_for(
            schema, default=jsonschema.validators.Draft202012Validator
        )
        known.check_schema(schema)
        checked = jsonschema.validators.extend(known, _bounded(known.VALIDATORS))
        # A registry of its own, else references to other hosts would be fetched.
        validator = checked(schema, registry=referencing.Registry())
        error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(document)))
    except jsonschema.exceptions.SchemaError:
        return _NO_SCHEMA
    except (_TooMuchWork, RecursionError):
        return _TOO_MUCH
    except referencing.exceptions.Unresolvable:
        return _OUTSIDE
    if error is None:
        return ""
    place = "".join(f"/{step}" for step in error.absolute_path)
    return f"at {place or 'the top'}: {error.message}"[:LONGEST_PROBLEM]


Keyword = Callable[[Any, Any, Any, Any], Iterator[Any] | None]


class _TooMuchWork(Exception):
    """The bound on keyword checks was passed."""


def _bounded(keywords: Mapping[str, Keyword]) -> dict[str, Keyword]:
    """The keywords with one common bound on their work, and on RE2 where they match patterns."""
    steps = 0

    def counted(keyword: Keyword) -> Keyword:
        def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any] | None:
            nonlocal steps
            steps += 1
            if steps > MOST_STEPS:
                raise _TooMuchWork
            return keyword(validator, value, instance, schema)

        return check

    own: dict[str, Keyword] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        # It matches patterns without RE2; no wire's strict mode knows it.
        "unevaluatedProperties": _unchecked,
    }
    return {name: counted(own.get(name, keyword)) for name, keyword in keywords.items()}


def _pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in patterns.items():
        for name, held in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(held, inner, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Any
) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, held in instance.items():
        if name in known or any(_matches(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"the property {name!r} is not allowed")
        else:
            yield from validator.descend(held, allowed, path=name)


def _unchecked(validator: Any, value: Any, instance: Any, schema: Any) -> None:
    return None


def _matches(pattern: str, text: str) -> bool:
    try:
        return re2.search(pattern, text) is not None
    except re2.error:
        return True  # not a pattern that can be matched in linear time, so it demands nothing


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True
