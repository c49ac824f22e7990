"""In-process GGUF models through ctransformers, each in a worker of its own."""
