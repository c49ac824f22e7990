"""OpenAI's legacy text completions: view, pass-through, and translation of plain prompts."""
