"""Composition root, pipeline and driver: where decisions become calls."""
