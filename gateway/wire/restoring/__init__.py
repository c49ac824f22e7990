"""Answers on their way to the client, with hidden values put back: one module for each API."""
