"""The home and orgs of the end-to-end tests, for the regressions that need the whole pipeline."""

from tests.e2e.conftest import _quiet_log, home, org

__all__ = ["_quiet_log", "home", "org"]
