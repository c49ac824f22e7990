"""The `llm` command line with a model of its own in `extra-openai-models.yaml`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MODELS = """
- model_id: fairlead
  model_name: gpt-4.1-mini
  api_base: "{url}/v1"
  api_key_name: fairlead
  supports_schema: true
  supports_tools: true
  vision: true
- model_id: fairlead-whole
  model_name: gpt-4.1-mini
  api_base: "{url}/v1"
  api_key_name: fairlead
  can_stream: false
  supports_tools: true
- model_id: fairlead-completion
  model_name: gpt-4.1-mini
  api_base: "{url}/v1"
  api_key_name: fairlead
  completion: true
"""
TOOL = (
    'def weather(city: str) -> str:\n    "The weather of a city."\n    return f"sunny in {city}"\n'
)

Run = Callable[..., str]


@pytest.fixture(scope="session")
def llm(tmp_path_factory: pytest.TempPathFactory, url: str, key: str) -> Run:
    """Run `llm` with a configuration of its own and give what it printed."""
    home = tmp_path_factory.mktemp("llm")
    (home / "extra-openai-models.yaml").write_text(MODELS.format(url=url))
    (home / "keys.json").write_text(json.dumps({"fairlead": key}))
    command = str(Path(sys.executable).with_name("llm"))

    def run(*arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            [command, *arguments],
            env={**os.environ, "LLM_USER_PATH": str(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    return run


@pytest.mark.parametrize("model", ["fairlead", "fairlead-whole"])
def test_prompt(llm: Run, model: str) -> None:
    """A prompt is answered, streamed and whole."""
    assert "Hello there" in llm("prompt", "-m", model, "Hello there")


def test_no_stream(llm: Run) -> None:
    """The switch that turns streaming off."""
    assert "Hello there" in llm("prompt", "-m", "fairlead", "--no-stream", "Hello there")


def test_system_prompt_and_options(llm: Run) -> None:
    """A system prompt and sampling options arrive."""
    given = ("-s", "Be brief.", "-o", "temperature", "0.2", "-o", "seed", "7")

    assert "Be brief." in llm("prompt", "-m", "fairlead", *given, "Hello there")


def test_output_cap(llm: Run) -> None:
    """An answer of five tokens."""
    text = llm("prompt", "-m", "fairlead", "-o", "max_tokens", "5", "Write many words, please")

    assert len(text.split()) == 5


def test_usage(llm: Run) -> None:
    """Usage is shown, so it came with the stream."""
    llm("prompt", "-m", "fairlead", "Hello there")
    logged = json.loads(llm("logs", "-n", "1", "--json"))[0]

    assert logged["input_tokens"] > 0
    assert logged["output_tokens"] > 0


def test_conversation(llm: Run) -> None:
    """A conversation goes on with its history."""
    llm("prompt", "-m", "fairlead", "Hello there")

    assert "And again" in llm("prompt", "-c", "And again")


def test_schema(llm: Run) -> None:
    """A schema in the short notation gives JSON that fits."""
    text = llm("prompt", "-m", "fairlead", "--schema", "name, age int", "Extract: Jason is 25")

    assert json.loads(text) == {"name": "Jason", "age": 25}


@pytest.mark.parametrize("model", ["fairlead", "fairlead-whole"])
def test_tools(llm: Run, model: str) -> None:
    """A function is called with arguments of the prompt, and its result is used."""
    asked = "What is the weather in Paris?"

    assert "sunny in Paris" in llm("prompt", "-m", model, "--functions", TOOL, asked)


def test_parallel_tools(llm: Run) -> None:
    """Two calls of one answer."""
    text = llm(
        "prompt", "-m", "fairlead", "--functions", TOOL, "What is the weather in Paris and in Rome?"
    )

    assert "sunny in Paris" in text
    assert "sunny in Rome" in text


def test_image(llm: Run, png: bytes, tmp_path: Path) -> None:
    """A picture arrives whole."""
    (tmp_path / "one.png").write_bytes(png)
    text = llm("prompt", "-m", "fairlead", "See this", "-a", str(tmp_path / "one.png"))

    assert f"image/png, {len(png)} bytes" in text


def test_a_wrong_key_is_told(llm: Run) -> None:
    """An error of ours reaches the terminal in words."""
    assert "401" in llm("prompt", "-m", "fairlead", "--key", "fl_wrong", "Hi", fails=True)
