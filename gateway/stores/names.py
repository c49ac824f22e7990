"""The keys of everything that is kept in Redis; all of one org share the hash tag `{org}`."""

from __future__ import annotations

#: The orgs that ever placed a hold or wrote a record.
ORGS = "fairlead:orgs"
#: The public ids of all virtual keys.
KEYS = "fairlead:keys"
#: Breaker states by deployment, shared by all gateways.
BREAKERS = "fairlead:breakers"
#: What policy is in force (hash), its versions and their texts (hashes by number), and how far
#: each gateway worker has followed (hash by worker).
POLICY_HEAD = "fairlead:{policy}:head"
POLICY_VERSIONS = "fairlead:{policy}:versions"
POLICY_TEXTS = "fairlead:{policy}:texts"
POLICY_WORKERS = "fairlead:{policy}:workers"
#: The folder that holds the sealed ledger: its id and its path.
LEDGER_HOME = "fairlead:ledger-home"
#: The registered documents (hash by id), and a stamp that changes with them.
FINGERPRINTS = "fairlead:{fingerprints}:documents"
FINGERPRINTS_STAMP = "fairlead:{fingerprints}:stamp"
#: The candidate of the dry run that goes on or was the last (hash).
POLICY_CANDIDATE = "fairlead:{policy}:candidate"


def dry_run(dry_run_id: str) -> str:
    """What gateway workers have counted in one dry run (hash by worker)."""
    return f"fairlead:{{policy}}:dryrun:{dry_run_id}"


def leases(org: str) -> str:
    """Open holds of an org by the time their lease ends (sorted set)."""
    return f"fairlead:{{{org}}}:leases"


def hold_prefix(org: str) -> str:
    """What the keys of an org's holds begin with."""
    return f"fairlead:{{{org}}}:hold:"


def budget(org: str, scope: str, per: str, zone: str = "UTC") -> str:
    """One budget counter (hash); those of another time zone are kept apart."""
    if zone == "UTC":
        return f"fairlead:{{{org}}}:budget:{scope}:{per}"
    return f"fairlead:{{{org}}}:budget:{scope}:{per}:{zone}"


def limit(org: str, scope: str, seconds: int) -> str:
    """One limit's window (hash)."""
    return f"fairlead:{{{org}}}:limit:{scope}:{seconds}"


def cells(org: str) -> str:
    """The numbers of the rollups' cells, by their text (hash)."""
    return f"fairlead:{{{org}}}:cells"


def rollup_prefix(org: str) -> str:
    """What the keys of an org's rollups begin with; then `hour:` or `day:` and its number."""
    return f"fairlead:{{{org}}}:rollup:"


def ledger(org: str) -> str:
    """The ledger of an org (stream; the field `line` holds JSON)."""
    return f"fairlead:{{{org}}}:ledger"


def audit(org: str) -> str:
    """The audit log of an org (stream; the field `record` holds JSON)."""
    return f"fairlead:{{{org}}}:audit"


def checkpoints(org: str) -> str:
    """Signed heads of an org's audit chain (stream; the field `checkpoint` holds JSON)."""
    return f"fairlead:{{{org}}}:checkpoints"


def once(org: str, digest: str) -> str:
    """What is kept for one idempotency key (a sealed string); `digest` hides the key itself."""
    return f"fairlead:{{{org}}}:once:{digest}"


def sticking(org: str, digest: str) -> str:
    """Which deployment serves one who sticks to it, by route (hash); `digest` hides who it is."""
    return f"fairlead:{{{org}}}:sticking:{digest}"


def conversation_level(org: str, digest: str) -> str:
    """The level that a conversation is remembered at (string); `digest` hides which one it is."""
    return f"fairlead:{{{org}}}:conversation:{digest}"


def target(route: str, kind: str) -> str:
    """What is known of the requests of a route that aims at something of that kind (hash)."""
    return f"fairlead:{{targets}}:{route}:{kind}"


def served(org: str, request_id: str) -> str:
    """What served a request that may still be rated (string of JSON)."""
    return f"fairlead:{{{org}}}:served:{request_id}"


def learnt(org: str) -> str:
    """The deployments and tasks that an org has evidence about (set)."""
    return f"fairlead:{{{org}}}:learnt"


def evidence(org: str, name: str) -> str:
    """The evidence about one deployment and task, by day (hash)."""
    return f"fairlead:{{{org}}}:evidence:{name}"


def judged_pairs(org: str) -> str:
    """Pairs of answers that a judge has scored (stream; the field `entry` is sealed)."""
    return f"fairlead:{{{org}}}:judged-pairs"


def virtual_key(key_id: str) -> str:
    """What is stored about one virtual key (string of JSON)."""
    return f"fairlead:key:{key_id}"


def stored_response(org: str, response_id: str) -> str:
    """A response that a client may continue (string, sealed; see `gateway.stores.responses`)."""
    return f"fairlead:{{{org}}}:response:{response_id}"


def stored_item(org: str, item_id: str) -> str:
    """The id of the stored response that an item belongs to (string)."""
    return f"fairlead:{{{org}}}:response-item:{item_id}"


def told(org: str, scope: str, per: str, period: str, share: float) -> str:
    """That a webhook was told of a share of a budget (string)."""
    return f"fairlead:{{{org}}}:told:{scope}:{per}:{period}:{share:g}"


def sealing(org: str) -> str:
    """Who seals the org's ledger now (string, with a lease)."""
    return f"fairlead:{{{org}}}:sealing"
