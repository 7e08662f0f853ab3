"""The interface of OpenAI: ``/v1/chat/completions`` and ``/v1/models``.

A model of ours can be spoken to (``NAME``: grammar, words, anything it was taught), and each of its directions is a model as well
(``NAME:spa-shp``), which translates whatever the last message of the user says.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from serve.requests import JSON, Question, RefusedError, body_of, check_texts, read
from serve.service import Service
from seshat.errors import SeshatError
from seshat.prompts import Card

log = logging.getLogger(__name__)
UNAUTHORISED = 401
"""What OpenAI's clients know as a wrong key."""


class Part(Question):
    """A piece of a message; only text can be read."""

    type: Literal["text"]
    text: str


class Message(Question):
    """A turn of the talk."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @property
    def text(self) -> str:
        """All its text."""
        return self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)


class ChatRequest(Question):
    """What OpenAI's clients ask; answers are greedy, so settings of sampling change nothing."""

    model: str = Field(description="A model of `/v1/models`.")
    messages: list[Message] = Field(min_length=1, max_length=1000, description="The last one of the user is answered; see `system`.")
    stream: bool = Field(False, description="Tell the answer piece by piece (server-sent events).")


class Choice(BaseModel):
    """An answer."""

    index: int = 0
    message: dict[str, str]
    finish_reason: str = "stop"


class ChatResponse(BaseModel):
    """The answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]


class ModelResponse(BaseModel):
    """A model, or a direction of it."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "seshat"


class ModelsResponse(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[ModelResponse]


def add(app: FastAPI, service: Service, errors: dict[int | str, dict[str, Any]]) -> None:
    """Add the interface to an application."""

    @app.get("/v1/models", responses=errors)
    async def models(request: Request) -> ModelsResponse:
        """What can be spoken to, and what translates."""
        service.access.check(request, status=UNAUTHORISED)
        return ModelsResponse(data=[ModelResponse(id=name) for card in service.backend.cards for name in _names(card)])

    @app.get("/v1/models/{name}", responses=errors)
    async def model(name: str, request: Request) -> ModelResponse:
        """One of them."""
        service.access.check(request, status=UNAUTHORISED)
        _chosen(service, name)
        return ModelResponse(id=name)

    @app.post("/v1/chat/completions", response_model=ChatResponse, responses=errors, openapi_extra=body_of(ChatRequest, JSON))
    async def complete(request: Request) -> Response:
        """Answer the last message of the user, or translate it."""
        asked = await read(ChatRequest, request, service.serving, form=False)
        service.access.check(request, status=UNAUTHORISED)
        pieces = service.spoken(_answer(service, asked))
        name = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": asked.model}
        if not asked.stream:
            text = "".join([piece async for piece in pieces])
            answer = ChatResponse(**name, choices=[Choice(message={"role": "assistant", "content": text})])
            return JSONResponse(answer.model_dump())
        first = await anext(pieces, "")  # what is refused is refused before anything is told
        return StreamingResponse(_events(first, pieces, name), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _answer(service: Service, asked: ChatRequest) -> AsyncGenerator[str]:
    card, direction = _chosen(service, asked.model)
    said = [message for message in asked.messages if message.role == "user"]
    if not said:
        raise RefusedError(400, "messages: none of them is the user's.")
    text = said[-1].text
    check_texts("messages", [text], service.serving)
    if direction:
        source, _, target = direction.partition("-")
        return service.translated(service.backend.translate_stream(text, source, target, card.name))
    system = "\n".join(message.text for message in asked.messages if message.role in ("system", "developer"))
    check_texts("messages", [system], service.serving)
    return service.backend.answer(text, system, card.name)


def _names(card: Card) -> list[str]:
    return [card.name, *(f"{card.name}:{direction}" for direction in _directions(card))]


def _directions(card: Card) -> list[str]:
    ours, bridge = card.language.code, card.language.bridge.code
    return [f"{bridge}-{ours}", f"{ours}-{bridge}"]


def _chosen(service: Service, name: str) -> tuple[Card, str]:
    """The model of a name, and the direction if it names one."""
    if not service.backend.cards:
        service.card()
    for card in service.backend.cards:
        if name == card.name:
            return card, ""
        for direction in _directions(card):
            if name == f"{card.name}:{direction}":
                return card, direction
    known = ", ".join(name for card in service.backend.cards for name in _names(card))
    raise RefusedError(404, f"model: there is none of that name; there are {known}.")


async def _events(first: str, rest: AsyncIterator[str], name: dict[str, Any]) -> AsyncIterator[bytes]:
    """Server-sent events as OpenAI's clients read them; what goes wrong on the way is the last of them."""
    head = {**name, "object": "chat.completion.chunk"}

    def event(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({**head, 'choices': [choice]}, ensure_ascii=False)}\n\n".encode()

    yield event({"role": "assistant", "content": first})
    try:
        async for piece in rest:
            yield event({"content": piece})
    except (RefusedError, SeshatError) as error:
        known = isinstance(error, RefusedError)
        log.log(logging.DEBUG if known else logging.ERROR, "serve: %s", error)
        message, code = (error.message, error.status) if isinstance(error, RefusedError) else ("The model could not go on.", 500)
        yield f"data: {json.dumps({'error': {'message': message, 'code': code}})}\n\n".encode()
        return
    yield event({}, "stop")
    yield b"data: [DONE]\n\n"
