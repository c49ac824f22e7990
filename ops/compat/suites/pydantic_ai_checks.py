"""What each Pydantic AI model class must do; a suite gives the `model` fixture."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, ModelSettings, NativeOutput, PromptedOutput
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models import Model


class City(BaseModel):
    """A city and how many people live there."""

    name: str
    people: int
    twins: list[str]


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def calls_of(messages: list[Any]) -> list[ToolCallPart]:
    """Every tool call in a history."""
    return [part for m in messages for part in m.parts if isinstance(part, ToolCallPart)]


async def test_run(model: Model) -> None:
    """A prompt and instructions arrive, usage comes back."""
    result = await Agent(model, instructions="Be brief.").run("Hello there")

    assert "Hello there" in result.output
    assert "Be brief." in result.output
    assert result.usage.input_tokens > 0
    assert result.usage.output_tokens > 0


def test_run_sync(model: Model) -> None:
    """The same without a loop of one's own."""
    assert "Hello there" in Agent(model).run_sync("Hello there").output


async def test_conversation(model: Model) -> None:
    """A history is sent back and understood."""
    agent = Agent(model)
    first = await agent.run("Hello")
    second = await agent.run("And again", message_history=first.all_messages())

    assert "And again" in second.output


async def test_stream(model: Model) -> None:
    """Text comes in several pieces, usage at the end."""
    async with Agent(model).run_stream("Tell me a long story") as streamed:
        pieces = [piece async for piece in streamed.stream_text(delta=True, debounce_by=None)]

    assert len(pieces) > 3
    assert "long story" in "".join(pieces)
    assert streamed.usage.output_tokens > 0


async def test_tool(model: Model) -> None:
    """A tool is called with arguments of the prompt, and its result is used."""
    result = await Agent(model, tools=[weather]).run("What is the weather in Paris?")

    assert [call.args_as_dict() for call in calls_of(result.all_messages())] == [{"city": "Paris"}]
    assert "sunny in Paris" in result.output


async def test_parallel_tools(model: Model) -> None:
    """Two calls of one answer are both run and both results are used."""
    result = await Agent(model, tools=[weather]).run("What is the weather in Paris and in Rome?")

    assert len({call.tool_call_id for call in calls_of(result.all_messages())}) == 2
    assert "sunny in Paris" in result.output
    assert "sunny in Rome" in result.output


async def test_tools_in_a_stream(model: Model) -> None:
    """Calls whose arguments arrive in pieces are run before the text is streamed."""
    agent = Agent(model, tools=[weather])
    async with agent.run_stream("What is the weather in Paris and in Rome?") as streamed:
        text = await streamed.get_output()

    assert "sunny in Paris" in text
    assert "sunny in Rome" in text


@pytest.mark.parametrize("mode", ["tool", "native", "prompted"])
async def test_structured_output(model: Model, mode: str) -> None:
    """An object comes back by a tool, by the API's own schema and by a prompt."""
    wanted: Any = {"tool": City, "native": NativeOutput(City), "prompted": PromptedOutput(City)}
    result = await Agent(model, output_type=wanted[mode]).run("In Paris live 2100000 people")

    assert isinstance(result.output, City)
    assert result.output.people == 2_100_000


@pytest.mark.parametrize("mode", ["tool", "native"])
async def test_structured_output_in_a_stream(model: Model, mode: str) -> None:
    """A streamed object is whole at the end."""
    wanted: Any = {"tool": City, "native": NativeOutput(City)}[mode]
    async with Agent(model, output_type=wanted).run_stream("In Paris live 2100000 people") as s:
        output = await s.get_output()

    assert output.people == 2_100_000


async def test_a_tool_and_then_an_object(model: Model) -> None:
    """A function tool is called first, the object is given after its result."""
    agent = Agent(model, tools=[weather], output_type=City)
    result = await agent.run("What is the weather in Paris, where 2100000 people live?")

    assert calls_of(result.all_messages())[0].tool_name == "weather"
    assert result.output.people == 2_100_000


async def test_image(model: Model, png: bytes) -> None:
    """A picture arrives whole."""
    result = await Agent(model).run(["See this", BinaryContent(png, media_type="image/png")])

    assert f"image/png, {len(png)} bytes" in result.output


async def test_output_cap(model: Model) -> None:
    """A short answer is asked for and its end is reported."""
    settings = ModelSettings(max_tokens=16)
    result = await Agent(model, model_settings=settings).run("Write " + "many words " * 30)

    assert result.usage.output_tokens <= 16
    assert result.response.finish_reason == "length"
