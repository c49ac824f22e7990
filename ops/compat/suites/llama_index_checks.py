"""What each LlamaIndex model class must do; a suite gives the `model` fixture."""

from __future__ import annotations

from typing import Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


WEATHER = FunctionTool.from_defaults(weather)
HELLO = [ChatMessage(role="system", content="Be brief."), ChatMessage("Hello there")]
EXTRACT = [ChatMessage("Extract the person: Jason is 25")]
BOTH = "What is the weather in Paris and in Rome?"


def test_complete(model: FunctionCallingLLM) -> None:
    """A bare prompt."""
    assert "Hello there" in model.complete("Hello there").text


def test_stream_complete(model: FunctionCallingLLM) -> None:
    """A bare prompt, streamed."""
    parts = list(model.stream_complete("Hello there"))

    assert len(parts) > 3
    assert "Hello there" in parts[-1].text


def test_chat(model: FunctionCallingLLM) -> None:
    """System and user messages, with usage in the raw answer."""
    answer = model.chat(HELLO)

    assert "Be brief." in str(answer.message.content)
    assert answer.raw is not None


def test_stream_chat(model: FunctionCallingLLM) -> None:
    """Deltas add up to the message."""
    parts = list(model.stream_chat(HELLO))

    assert "".join(part.delta or "" for part in parts) == parts[-1].message.content


async def test_async(model: FunctionCallingLLM) -> None:
    """Whole and streamed from a loop."""
    whole = await model.achat(HELLO)
    parts = [part async for part in await model.astream_chat(HELLO)]

    assert parts[-1].message.content == whole.message.content


def test_tool_calls(model: FunctionCallingLLM) -> None:
    """Two calls of one answer, with ids of their own."""
    answer = model.chat_with_tools([WEATHER], user_msg=BOTH, allow_parallel_tool_calls=True)
    calls = model.get_tool_calls_from_response(answer)

    assert [call.tool_kwargs for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert len({call.tool_id for call in calls}) == 2


def test_streamed_tool_calls(model: FunctionCallingLLM) -> None:
    """The same from arguments in pieces."""
    parts = list(
        model.stream_chat_with_tools([WEATHER], user_msg=BOTH, allow_parallel_tool_calls=True)
    )
    calls = model.get_tool_calls_from_response(parts[-1])

    assert [call.tool_kwargs for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]


def test_a_required_tool(model: FunctionCallingLLM) -> None:
    """A tool that nothing in the prompt asks for is called when it must be."""
    answer = model.chat_with_tools([WEATHER], user_msg="Hello", tool_required=True)

    assert model.get_tool_calls_from_response(answer)[0].tool_name == "weather"


def test_predict_and_call(model: FunctionCallingLLM) -> None:
    """The tool is run with what the model gave."""
    assert "sunny in Paris" in str(model.predict_and_call([WEATHER], "Weather in Paris?").response)


async def test_agent(model: FunctionCallingLLM) -> None:
    """An agent runs its tools and answers with their results."""
    answer = await FunctionAgent(tools=[weather], llm=model).run(BOTH)

    assert "sunny in Paris" in str(answer)
    assert "sunny in Rome" in str(answer)


def test_structured_predict(model: FunctionCallingLLM) -> None:
    """An object from a prompt template."""
    person = model.structured_predict(
        Person, PromptTemplate("Extract the person: {t}"), t="Jason is 25"
    )

    assert (person.name, person.age) == ("Jason", 25)


def test_as_structured_llm(model: FunctionCallingLLM) -> None:
    """An object from a chat."""
    structured = model.as_structured_llm(Person)

    assert structured.chat(EXTRACT).raw == Person(name="Jason", age=25)


def test_streamed_structured_llm(model: FunctionCallingLLM) -> None:
    """An object that grows while it arrives."""
    parts: list[Any] = list(model.as_structured_llm(Person).stream_chat(EXTRACT))

    assert parts[-1].raw.age == 25


def test_image(model: FunctionCallingLLM, png: bytes) -> None:
    """A picture arrives whole."""
    seen = [TextBlock(text="See this"), ImageBlock(image=png, image_mimetype="image/png")]
    answer = model.chat([ChatMessage(role="user", blocks=seen)])

    assert f"image/png, {len(png)} bytes" in str(answer.message.content)
