"""Keys and tokens that are told by the name they are assigned to.

Bad: `"client_secret": "9f8a..."`, `<add key="ApiKey" value="bciOx9..."/>`. Good:
`api_key = os.environ["OPENAI_API_KEY"]`, `sorted(rows, key=lambda row: row.name)`.
"""

from __future__ import annotations

import re

from gateway.classify.assigned import Assigned, code, read_assigned
from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.entropy import (
    SURPRISING,
    alternations,
    bits_per_character,
    placeholder,
    random_looking,
    surprise,
)

# Words after which a weak secret counts too; the rest name other things more often than secrets.
_STRONG = (
    "token", "secret", "credential", "authoriz", "bearer", "api_key", "apikey", "api-key",
    "access_key", "accesskey", "access-key", "private_key", "privatekey", "auth_key", "authkey",
)  # fmt: skip
_WEAK = (
    "key", "signature", "cred", "auth[^a-z]", "salt", "nonce", "sessionid", "session_id", "sessid",
    "pepper",
)  # fmt: skip
# Vendors: what is assigned beside their names is a secret where it was clearly generated.
_VENDORS = tuple(
    (
        "adafruit airtable akamai algolia alibaba amplitude artifactory asana atlassian auth0 "
        "bitbucket bittrex braintree braze bugsnag circleci cloudflare codecov cohere coinbase "
        "confluence contentful databricks datadog deepgram digitalocean discord doppler droneci "
        "dropbox dynatrace easypost elevenlabs facebook fastly finicity finnhub flickr freshbooks "
        "gitlab gitter gocardless grafana hetzner heroku honeycomb hubspot infracost infura "
        "intercom jenkins jfrog klaviyo kucoin launchdarkly linkedin linode loggly logdna looker "
        "mailchimp mailgun mapbox mattermost maxmind messagebird mistral mixpanel mollie netlify "
        "new_relic newrelic nytimes okta onelogin opsgenie pagerduty paypal pinecone plaid "
        "planetscale postmark pulumi rapidapi readme rollbar scaleway sendbird sendgrid "
        "sendinblue shodan sidekiq snyk sonarqube sourcegraph splunk squarespace sumologic "
        "supabase telegram travis trello twilio twitch twitter typeform vercel virustotal vultr "
        "weaviate yandex zendesk"
    ).split()
)
_ANCHORS = _STRONG + _WEAK + _VENDORS
_VENDORS_FROM = len(_STRONG) + len(_WEAK)

#: The fewest characters of a secret.
_SHORTEST = 8
_ENDS = re.compile(r"[,;(){}\[\]&<>|]")
_TRAILING = re.compile(r"[.,;:!?)\]}'\"`]+$")
_NOT_A_SECRET_NAME = re.compile(
    r"(?<![a-z])(?:primary|foreign|public|keyword|sort|partition|hot|answer|"
    r"cache|monkey|turkey|donkey|hockey|"
    r"whiskey|smokey|whis|tur|mon|don|next_page_|page|csrf-|authenticity_|max_|num_|n_|pad_|eos_|bos_|unk_|"
    r"object|map|dict|index|row|hash|lookup|group|join|short|pub|"
    r"dedup(?:e|lication)?|idempotency) ?[_\-]?$"
)
# What the name is about when it goes on like this: a property of the secret, not the secret.
_PROPERTY = re.compile(
    r"(?:s_?id|type|url|uri|name|path|file|length|len|size|expir\w*|endpoint|ttl|count|limit|field|"
    r"column|format|index|version|alias|label|prefix|bits|usage|algorithm|alg|fingerprint|"
    r"signing|izer\w*|ize|ized|s_in|words?|board\w*|frame\w*|stone\w*|note\w*|ly|ary|ness|"
    r"ref|arn|policy|manager|provider|store|ring|pair_?name|class|func\w*|error|map|set|pad)$",
    re.I,
)
_WORDS = re.compile(r"^(?:[a-z]{2,}|[A-Z][a-z]+)(?:[_\-./:][A-Za-z]{2,}|[A-Z][a-z]+)*\d{0,2}$")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text = view.text
    if not text[end - 1].isalnum():
        end -= 1
    assigned = read_assigned(text, end, _SHORTEST)
    if assigned is None:
        return None
    value = _bounded(assigned)
    if len(value) < _SHORTEST or code(assigned):
        return None
    after = text[assigned.start + len(value) : assigned.start + len(value) + 1]
    if (after in ("(", "[") and not assigned.quoted) or placeholder(value):
        return None
    if _NOT_A_SECRET_NAME.search(view.lower, max(0, start - 16), start) is not None:
        return None
    if _PROPERTY.search(assigned.rest) is not None:
        return None
    if which >= _VENDORS_FROM:
        if start > 0 and text[start - 1].isalpha() and text[start].islower():
            return None
        sure = not assigned.said and len(value) >= 20 and _generated(value)
        return _found(assigned, value, 0.8) if sure else None
    if assigned.said:
        sure = len(value) >= 12 and ":" not in value and _generated(value)
        return _found(assigned, value, 0.7) if sure else None
    if not _strong(value, quoted=assigned.quoted, named=which < len(_STRONG)):
        return None
    return _found(assigned, value, 0.9)


def _bounded(assigned: Assigned) -> str:
    value = assigned.value
    cut = _ENDS.search(value)
    if cut is not None:
        value = value[: cut.start()]
    return _TRAILING.sub("", value)


def _strong(value: str, *, quoted: bool, named: bool) -> bool:
    if _wordy(value) or "://" in value or value.startswith(("./", "../", "~/")):
        return False
    if value.isdigit():
        return quoted and len(value) >= 10
    if not any(map(str.isdigit, value)):
        # Without digits only long mixed strings are keys; words joined by capitals are names.
        if len(value) >= 16 and surprise(value) >= SURPRISING:
            return True
        return len(value) >= 20 and bits_per_character(value) >= 3.9 and "/" not in value
    if bits_per_character(value) < 2.6:
        return False
    if _generated(value) or _UUID.fullmatch(value) is not None:
        return True
    return named and (quoted or surprise(value) >= 4.2)


def _generated(value: str) -> bool:
    # Runs of digits are usual in names, so hexadecimal is judged by its letters' mix alone.
    if _HEX.fullmatch(value) is not None:
        return random_looking(value)
    if not random_looking(value) or _wordy(value):
        return False
    turns = alternations(value)
    return surprise(value) >= 4.6 or (turns >= 6 and turns * 5 >= len(value))


def _wordy(value: str) -> bool:
    return _WORDS.match(value) is not None and not (len(value) > 30 and "-" not in value)


def _found(assigned: Assigned, value: str, confidence: float) -> Found:
    return Found("credential", assigned.start, assigned.start + len(value), confidence)


DETECTOR = Detector(name="assignment", anchors=_ANCHORS, look=_look)
