"""The policy language: read, compiled, decided and explained; only the loader does IO."""
