"""OpenAI Responses: as the API that clients call and as the wire of a backend."""
