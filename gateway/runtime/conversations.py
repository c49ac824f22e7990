"""Conversations that clients continue by id: recalled before a request is judged, kept after.

Rules of this file:
- the whole history is put back before classification, so each turn is judged with all of it;
- a conversation never counts as less sensitive than it was judged before;
- a response can be continued from the moment at which its last byte leaves.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.errors import InvalidRequest, RequestTooLarge, StoreUnavailable
from gateway.core.principal import Principal
from gateway.core.request import ChatRequest
from gateway.core.sensitivity import Sensitivity
from gateway.stores.responses import ResponseStore, StoredResponse
from gateway.wire.openai_responses import history
from gateway.wire.openai_responses.history import Items


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a conversation once its next request came in.

    `floor` is the level that it was judged at before; `items` is what the request itself adds.
    """

    kept: bool
    items: Items
    earlier: tuple[str, ...] = ()
    floor: Sensitivity = Sensitivity.PUBLIC


class Conversations:
    """Recalls, keeps, shows and deletes the stored responses of orgs."""

    def __init__(self, store: ResponseStore, log: Any, *, largest: int) -> None:
        self._store = store
        self._log = log
        self._largest = largest

    async def recall(self, org: str, request: ChatRequest) -> tuple[ChatRequest, Recalled | None]:
        """The request with all that was said before it; unchanged when it continues nothing.

        Raises:
            InvalidRequest: the response that it continues, or an item it refers to, is not known.
            RequestTooLarge: the whole conversation is larger than a request may be.
            StoreUnavailable: Redis does not answer.
        """
        turn = history.read_turn(request)
        if turn is None:
            return request, None
        items, floors = turn.items, [Sensitivity.PUBLIC]
        if turn.references:
            found, floors = await self._referred(org, turn.references)
            items = history.resolve(items, found)
        if not turn.previous:
            recalled = Recalled(kept=turn.kept, items=items, floor=max(floors))
            return (history.continued(request, items) if turn.references else request), recalled
        turns = await self._turns(org, turn.previous)
        said = (*_said(turns), *items)
        if sum(map(len, map(bytes, said))) > self._largest:
            raise RequestTooLarge(
                f"The conversation is larger than {self._largest} bytes. Begin a new one with a "
                "summary, or raise FAIRLEAD_MAX_BODY_BYTES on the gateway.",
                param="previous_response_id",
            )
        recalled = Recalled(
            kept=turn.kept,
            items=items,
            earlier=tuple(one.id for one in turns),
            floor=max(*floors, *(Sensitivity(one.floor) for one in turns)),
        )
        return history.continued(request, said), recalled

    async def keep(
        self,
        org: str,
        recalled: Recalled | None,
        sent: bytes,
        *,
        stream: bool,
        sensitivity: Sensitivity,
        floor: Sensitivity,
    ) -> None:
        """Store a turn that was answered, if its client wants that; failing is no error of it.

        Args:
            floor: the level of what was sent: below `sensitivity` where something was masked.
        """
        if recalled is None or not recalled.kept:
            return
        told = history.read_told(sent, stream=stream)
        if told is None:
            return
        stored = StoredResponse(
            id=told.id,
            items=recalled.items,
            response=told.response,
            earlier=recalled.earlier,
            sensitivity=max(sensitivity, recalled.floor),
            floor=max(floor, recalled.floor),
        )
        try:
            await self._store.keep(org, stored, told.item_ids)
        except StoreUnavailable as failure:
            self._log.error("response_not_kept", org=org, detail=failure.detail)

    async def show(self, principal: Principal, response_id: str) -> bytes:
        """A stored response, as it was answered.

        Raises:
            InvalidRequest: the org has none of this id that the key may see.
        """
        return bytes((await self._known(principal, response_id)).response)

    async def input_items(self, principal: Principal, response_id: str) -> list[dict[str, Any]]:
        """The items that a response answered, oldest first, those of earlier turns included.

        Raises:
            InvalidRequest: the org has none of this id that the key may see.
        """
        stored = await self._known(principal, response_id)
        turns = await self._turns(principal.org, response_id)
        before = _said([turn for turn in turns if turn.id != response_id])
        return history.listed_items((*before, *stored.items), response_id)

    async def delete(self, principal: Principal, response_id: str) -> None:
        """Forget a response; what continues it cannot be continued any more.

        Raises:
            InvalidRequest: the org has none of this id that the key may see.
        """
        await self._known(principal, response_id)
        await self._store.forget(principal.org, response_id)

    async def _known(self, principal: Principal, response_id: str) -> StoredResponse:
        """A response that the key could have asked for itself."""
        stored = await self._store.find(principal.org, response_id)
        if stored is None or stored.sensitivity > principal.max_sensitivity:
            raise InvalidRequest(
                f"Response with id '{response_id}' not found.",
                code="response_not_found",
                http_status=404,
            )
        return stored

    async def _turns(self, org: str, response_id: str) -> list[StoredResponse]:
        """A response and all turns before it, oldest first."""
        last = await self._store.find(org, response_id)
        found = [last] if last is None else await self._store.find_all(org, last.earlier) + [last]
        turns = [turn for turn in found if turn is not None]
        if len(turns) != len(found):
            raise InvalidRequest(
                f"Previous response with id '{response_id}' not found. Responses can be continued "
                "for a day after their last use, by keys of the same org.",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        return turns

    async def _referred(
        self, org: str, references: tuple[str, ...]
    ) -> tuple[dict[str, msgspec.Raw], list[Sensitivity]]:
        found: dict[str, msgspec.Raw] = {}
        floors = [Sensitivity.PUBLIC]
        for name in dict.fromkeys(references):
            stored = None if name in found else await self._store.find_by_item(org, name)
            if stored is None:
                continue
            floors.append(Sensitivity(stored.floor))
            for item in history.output_items(stored.response):
                found[str(msgspec.json.decode(item).get("id"))] = item
        return found, floors


def _said(turns: list[StoredResponse]) -> Items:
    """What was asked and answered in these turns."""
    return tuple(
        item
        for turn in turns
        for item in (*turn.items, *history.as_input(history.output_items(turn.response)))
    )
