"""OpenAI Embeddings: the view of a request and its pass-through to backends that have them."""
