"""Settings come from the environment, and wrong ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.settings import Settings, SettingsError, load_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    """Loopback, port 8080, one worker, everything under .fairlead."""
    assert load_settings({}) == Settings()
    assert load_settings({"FAIRLEAD_PORT": "  ", "PATH": "/bin"}) == Settings()
    settings = Settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert (settings.home, settings.policy, settings.redis_url) == (Path(".fairlead"), None, None)
    assert (settings.lease_seconds, settings.max_body_bytes) == (30.0, 10 * 1024 * 1024)


@pytest.mark.parametrize(
    ("variable", "text", "field", "expected"),
    [
        ("FAIRLEAD_POLICY", "/etc/p.yaml", "policy", Path("/etc/p.yaml")),
        ("FAIRLEAD_REDIS_URL", "redis://h:6379/1", "redis_url", "redis://h:6379/1"),
        ("FAIRLEAD_REDIS_URL", "unix:///run/r.sock", "redis_url", "unix:///run/r.sock"),
        ("FAIRLEAD_HOME", "/var/lib/f", "home", Path("/var/lib/f")),
        ("FAIRLEAD_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("FAIRLEAD_HOST", "localhost", "host", "127.0.0.1"),
        ("FAIRLEAD_HOST", "::1", "host", "::1"),
        ("FAIRLEAD_PORT", "0", "port", 0),
        ("FAIRLEAD_WORKERS", "4", "workers", 4),
        ("FAIRLEAD_ADMIN_KEY", "0123456789abcdef", "admin_key", "0123456789abcdef"),
        ("FAIRLEAD_PEPPER", "0123456789abcdef", "pepper", "0123456789abcdef"),
        ("FAIRLEAD_LOG_FORMAT", "console", "log_format", "console"),
        ("FAIRLEAD_LEASE_SECONDS", "12.5", "lease_seconds", 12.5),
        ("FAIRLEAD_REAP_SECONDS", "1", "reap_seconds", 1.0),
        ("FAIRLEAD_MAX_BODY_BYTES", "2048", "max_body_bytes", 2048),
        ("FAIRLEAD_MAX_BODY_BYTES", "20 MiB", "max_body_bytes", 20 * 1024 * 1024),
        ("FAIRLEAD_MAX_BODY_BYTES", "5k", "max_body_bytes", 5 * 1024),
        ("FAIRLEAD_DRAIN_SECONDS", "0", "drain_seconds", 0.0),
        ("FAIRLEAD_DIFFICULTY_MODEL", "support-2026", "difficulty_model", "support-2026"),
    ],
)
def test_each_variable_sets_its_field(
    variable: str, text: str, field: str, expected: object
) -> None:
    """A variable sets one field and warns of nothing."""
    settings = load_settings({variable: text})

    assert getattr(settings, field) == expected
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FAIRLEAD_PORT", "http"),
        ("FAIRLEAD_PORT", "70000"),
        ("FAIRLEAD_HOST", "example.com"),
        ("FAIRLEAD_DIFFICULTY_MODEL", "../up"),
        ("FAIRLEAD_WORKERS", "0"),
        ("FAIRLEAD_LOG_FORMAT", "xml"),
        ("FAIRLEAD_LEASE_SECONDS", "nan"),
        ("FAIRLEAD_LEASE_SECONDS", "inf"),
        ("FAIRLEAD_MAX_BODY_BYTES", "1g"),
        ("FAIRLEAD_MAX_BODY_BYTES", "3"),
        ("FAIRLEAD_MAX_BODY_BYTES", "MiB"),
        ("FAIRLEAD_REDIS_URL", "http://h"),
        ("FAIRLEAD_REDIS_URL", "redis://"),
        ("FAIRLEAD_PEPPER", "short"),
    ],
)
def test_a_wrong_value_is_named(variable: str, text: str) -> None:
    """The variable and what it should be are told."""
    with pytest.raises(SettingsError, match=f"{variable} must be "):
        load_settings({variable: text})


def test_every_wrong_value_is_named_at_once() -> None:
    """Two mistakes are one error."""
    with pytest.raises(SettingsError, match=r"FAIRLEAD_PORT must be .*; FAIRLEAD_WORKERS must be"):
        load_settings({"FAIRLEAD_PORT": "x", "FAIRLEAD_WORKERS": "y"})


def test_a_variable_that_nobody_reads_is_a_warning() -> None:
    """A slip of the pen is told with the nearest right name."""
    warnings = load_settings({"FAIRLEAD_PROT": "1", "FAIRLEAD_XYZZY": "2"}).warnings

    assert warnings == (
        "nothing reads the variable FAIRLEAD_PROT; did you mean FAIRLEAD_PORT?",
        "nothing reads the variable FAIRLEAD_XYZZY",
    )


def test_settings_show_no_secret() -> None:
    """Neither a repr nor an error repeats a credential."""
    secret = "s3cret-s3cret-s3cret"
    settings = load_settings(
        {
            "FAIRLEAD_ADMIN_KEY": secret,
            "FAIRLEAD_PEPPER": secret,
            "FAIRLEAD_REDIS_URL": f"redis://u:{secret}@h/0",
        }
    )

    assert secret not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        load_settings({"FAIRLEAD_REDIS_URL": f"http://u:{secret}@h", "FAIRLEAD_PEPPER": "pw-9"})
    assert secret not in str(caught.value)
    assert "pw-9" not in str(caught.value)
