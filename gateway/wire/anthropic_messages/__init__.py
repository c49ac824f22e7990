"""Anthropic Messages (API version 2026-10-21) as the backend's side of a translation."""
