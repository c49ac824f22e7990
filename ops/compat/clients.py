"""The clients that are run against Fairlead, and what each run covers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """One client library on one API of ours.

    `environment` names the pins (`requirements/NAME.txt`, or `node`), `suite` the file in
    `suites/`, `packages` those whose versions the table shows, the first one leading.
    """

    name: str
    api: str
    environment: str
    suite: str
    packages: tuple[str, ...]
    exercised: str

    @property
    def slug(self) -> str:
        """A name for files and test ids."""
        return self.suite.rsplit(".", 1)[0].replace("/", "-").removesuffix(".test")


CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"

#: Wires of the backends that every client is run against.
BACKS = ("openai_chat", "openai_responses", "anthropic_messages")

CLIENTS = (
    Client(
        "LangChain ChatOpenAI",
        CHAT,
        "langchain",
        "langchain_openai_chat.py",
        ("langchain-openai", "langchain-tests", "langchain-core", "openai"),
        "the standard chat-model integration tests",
    ),
    Client(
        "LangChain ChatOpenAI (responses)",
        RESPONSES,
        "langchain",
        "langchain_openai_responses.py",
        ("langchain-openai", "langchain-tests", "langchain-core", "openai"),
        "the standard chat-model integration tests",
    ),
    Client(
        "LangChain ChatAnthropic",
        MESSAGES,
        "langchain",
        "langchain_chat_anthropic.py",
        ("langchain-anthropic", "langchain-tests", "langchain-core", "anthropic"),
        "the standard chat-model integration tests",
    ),
    Client(
        "LlamaIndex OpenAI",
        CHAT,
        "llama_index",
        "llama_index_openai.py",
        ("llama-index-llms-openai", "llama-index-core", "openai"),
        "complete, chat, streams, async, tools, agent, structured output, images",
    ),
    Client(
        "LlamaIndex OpenAIResponses",
        RESPONSES,
        "llama_index",
        "llama_index_responses.py",
        ("llama-index-llms-openai", "llama-index-core", "openai"),
        "complete, chat, streams, async, tools, agent, structured output, images",
    ),
    Client(
        "LlamaIndex Anthropic",
        MESSAGES,
        "llama_index",
        "llama_index_anthropic.py",
        ("llama-index-llms-anthropic", "llama-index-core", "anthropic"),
        "complete, chat, streams, async, tools, structured output",
    ),
    Client(
        "Pydantic AI OpenAI",
        CHAT,
        "pydantic_ai",
        "pydantic_ai_openai.py",
        ("pydantic-ai-slim", "openai"),
        "run, stream, tools, parallel tools, three modes of structured output, images, usage",
    ),
    Client(
        "Pydantic AI Anthropic",
        MESSAGES,
        "pydantic_ai",
        "pydantic_ai_anthropic.py",
        ("pydantic-ai-slim", "anthropic"),
        "run, stream, tools, parallel tools, structured output, images, thinking, usage",
    ),
    Client(
        "Pydantic AI OpenAI Responses",
        RESPONSES,
        "pydantic_ai",
        "pydantic_ai_responses.py",
        ("pydantic-ai-slim", "openai"),
        "run, stream, tools, parallel tools, structured output, images, usage",
    ),
    Client(
        "Instructor OpenAI",
        CHAT,
        "instructor",
        "instructor_openai.py",
        ("instructor", "openai"),
        "modes tools, JSON and JSON schema; partial and iterable streams; async; lists",
    ),
    Client(
        "Instructor Anthropic",
        MESSAGES,
        "instructor",
        "instructor_anthropic.py",
        ("instructor", "anthropic"),
        "modes tools and JSON; partial and iterable streams; async; lists",
    ),
    Client(
        "llm (command line)",
        CHAT,
        "llm",
        "llm_cli.py",
        ("llm", "openai"),
        "prompts, streams, system prompts, conversations, schemas, tools, images, keys",
    ),
    Client(
        "Vercel AI SDK openai-compatible",
        CHAT,
        "node",
        "vercel/compatible.test.mjs",
        ("@ai-sdk/openai-compatible", "ai"),
        "generateText, streamText, tools, several steps, objects, images",
    ),
    Client(
        "Vercel AI SDK openai (chat)",
        CHAT,
        "node",
        "vercel/chat.test.mjs",
        ("@ai-sdk/openai", "ai"),
        "generateText, streamText, tools, several steps, objects, images",
    ),
    Client(
        "Vercel AI SDK openai (responses)",
        RESPONSES,
        "node",
        "vercel/responses.test.mjs",
        ("@ai-sdk/openai", "ai"),
        "generateText, streamText, tools, several steps, objects, images",
    ),
    Client(
        "Vercel AI SDK anthropic",
        MESSAGES,
        "node",
        "vercel/anthropic.test.mjs",
        ("@ai-sdk/anthropic", "ai"),
        "generateText, streamText, tools, several steps, objects, images",
    ),
)
