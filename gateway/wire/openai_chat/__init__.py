"""OpenAI Chat Completions: the view of a request, its patching, its relay and its errors."""
