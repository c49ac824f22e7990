"""Ollama's native chat (/api/chat) as the backend's side of a translation."""
