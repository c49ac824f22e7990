"""What Instructor must do in every mode; a suite gives the `clients` fixture."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import instructor
import pytest
from instructor.v2.core.errors import InstructorRetryException
from pydantic import BaseModel, Field


class Clients(NamedTuple):
    """The two clients of one mode, the model that they ask and the wire that they speak."""

    sync: instructor.Instructor
    asynchronous: instructor.AsyncInstructor
    model: str
    native: str


class Person(BaseModel):
    """A person."""

    name: str
    age: int = Field(ge=0)
    mood: Literal["glad", "sad"] = "glad"


class Team(BaseModel):
    """People who work together."""

    title: str
    members: list[Person]


ONE: list[Any] = [{"role": "user", "content": "Extract: Jason is 25 years old and sad."}]
TWO: list[Any] = [{"role": "user", "content": "Extract: Jason is 25 and Sarah is 31."}]


def test_an_object(clients: Clients) -> None:
    """An object of the given class, with what was said in it."""
    person = clients.sync.create(model=clients.model, response_model=Person, messages=ONE)

    assert (person.name, person.age, person.mood) == ("Jason", 25, "sad")


async def test_an_object_async(clients: Clients) -> None:
    """The same from a loop."""
    person = await clients.asynchronous.create(
        model=clients.model, response_model=Person, messages=ONE
    )

    assert person.age == 25


def test_a_nested_list(clients: Clients) -> None:
    """Objects within an object, by references in the schema."""
    team = clients.sync.create(model=clients.model, response_model=Team, messages=TWO)

    assert [member.age for member in team.members] == [25, 31]


def test_the_raw_answer_beside_it(clients: Clients) -> None:
    """The completion and its usage are there too."""
    person, raw = clients.sync.create_with_completion(
        model=clients.model, response_model=Person, messages=ONE
    )

    assert person.age == 25
    assert raw.usage is not None


def test_partial_objects(clients: Clients, back: str) -> None:
    """A stream of growing objects ends with the whole one."""
    grown = list(
        clients.sync.create_partial(model=clients.model, response_model=Person, messages=ONE)
    )

    assert grown[-1].age == 25
    if len(grown) == 1 and back != clients.native:
        pytest.skip("one piece: the gateway checks the JSON of this backend before it is given")
    assert len(grown) > 1


def test_an_iterable(clients: Clients) -> None:
    """Objects are given one by one while they arrive."""
    people = list(
        clients.sync.create_iterable(model=clients.model, response_model=Person, messages=TWO)
    )

    assert [person.age for person in people] == [25, 31]


def test_a_wrong_answer_is_asked_again(clients: Clients) -> None:
    """A validation error is sent back as a tool result or message that the API accepts."""

    class Impossible(BaseModel):
        """An age above what was said."""

        age: int

        def model_post_init(self, _: object) -> None:
            if self.age < 100:
                raise ValueError("age must be 100 or more")

    with pytest.raises(InstructorRetryException) as caught:
        clients.sync.create(
            model=clients.model, response_model=Impossible, messages=ONE, max_retries=1
        )

    assert caught.value.n_attempts == 2
    assert "age must be 100 or more" in str(caught.value)
