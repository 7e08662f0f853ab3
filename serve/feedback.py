"""What speakers say about translations: corrections, and judgements of what others corrected."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, Field

from serve.requests import JSON, Question, RefusedError, body_of, check_lengths, read
from serve.service import Service, short
from seshat.prompts import Card
from seshat.review.page import Corrections, Given
from seshat.review.page import Question as Asked
from seshat.rights import CORRECTIONS
from seshat.store import Store
from seshat.working_copy import address_of

MOST = 50
"""Questions of one answer."""
RAW = "data/raw"
NAME = 100
"""The longest name."""


class FeedbackRequest(Question):
    """A better translation."""

    source_text: str = Field(min_length=1, description="The text that was translated.")
    source: str
    target: str
    correction: str = Field(min_length=1, description="How a speaker would say it.")
    translation: str = Field("", description="What the model had said.")
    model: str = ""
    name: str = Field("", max_length=NAME, description="Of the speaker, if they want to give it.")
    author: str = Field(
        "", max_length=NAME, description="The same for all that one person sends, such as a random text that a browser keeps."
    )
    consent: Literal[True] = Field(description="The speaker allows that it is kept, and that models learn from it.")


class FeedbackResponse(BaseModel):
    """A correction that was kept."""

    id: str
    version: int


class Written(BaseModel):
    """A translation by a speaker."""

    id: str
    correction: str
    instead_of: str
    name: str
    when: str
    approved: int
    rejected: int


class ReviewQuestion(BaseModel):
    """A sentence, and what speakers wrote for it; several contradict each other."""

    text: str
    source: str
    target: str
    corrections: list[Written]


class ReviewResponse(BaseModel):
    """What waits for somebody who speaks the language."""

    total: int
    questions: list[ReviewQuestion]


class JudgeRequest(Question):
    """What somebody thinks of a correction of another."""

    id: str = Field(max_length=NAME)
    author: str = Field(min_length=1, max_length=NAME)
    good: bool
    model: str = ""


class JudgeResponse(BaseModel):
    """What has become of it."""

    status: str


LONGER = 4
"""Times as long as its source may be at most, a translation may be."""


def add(app: FastAPI, service: Service, errors: dict[int | str, dict[str, Any]]) -> None:
    """Add what speakers say to an application."""

    @app.post("/feedback", responses=errors, openapi_extra=body_of(FeedbackRequest, JSON))
    async def feedback(request: Request) -> FeedbackResponse:
        """Keep a better translation, for the next round of training."""
        asked = await read(FeedbackRequest, request, service.serving, form=False)  # JSON alone: no other page can send it
        service.access.check(request)
        most = service.serving.max_text_chars
        check_lengths("source_text", [asked.source_text], most)
        check_lengths("correction, translation", [asked.correction, asked.translation], LONGER * most)
        direction = service.direction(asked.source, asked.target, asked.model)
        if not asked.source_text.strip() or not asked.correction.strip():
            raise RefusedError(400, "source_text, correction: neither may be empty.")
        given = Given(
            source=asked.source_text,
            source_language=direction.source,
            target_language=direction.target,
            correction=asked.correction,
            instead_of=asked.translation,
            model=direction.card.name,
            reviewer=asked.name,
            author=asked.author,
        )
        kept = await asyncio.to_thread(_corrections(service, direction.card).add, given)
        return FeedbackResponse(id=kept.id, version=kept.version)

    @app.get("/v1/review", responses=errors)
    async def review(request: Request, author: str = Query("", max_length=NAME), model: str = Query("", max_length=200)) -> ReviewResponse:
        """What others wrote and the author has not judged, contradictions first."""
        service.access.check(request)
        card = service.card(model)
        asked = await asyncio.to_thread(_corrections(service, card).questions, author)
        return ReviewResponse(total=len(asked), questions=[_question(one, card) for one in asked[:MOST]])

    @app.post("/v1/review", responses=errors, openapi_extra=body_of(JudgeRequest, JSON))
    async def judge(request: Request) -> JudgeResponse:
        """Say whether a correction of another is good."""
        asked = await read(JudgeRequest, request, service.serving, form=False)
        service.access.check(request)
        card = service.card(asked.model)
        judged = await asyncio.to_thread(_corrections(service, card).judge, asked.id, asked.author, good=asked.good)
        if judged is None:
            raise RefusedError(404, "id: there is no such correction of another.")
        return JudgeResponse(status=judged.status)


def _corrections(service: Service, card: Card) -> Corrections:
    if not service.serving.feedback:
        raise RefusedError(403, "This service takes no corrections.")
    home = service.home(card)
    if home is None:
        raise RefusedError(404, "This model lies in no workspace, so there is nowhere to keep corrections.")
    raw = home.path(RAW)
    return Corrections(Store(address_of(raw)), card.language, lock=f"{raw}/{CORRECTIONS}")


def _question(one: Asked, card: Card) -> ReviewQuestion:
    return ReviewQuestion(
        text=one.source,
        source=short(card, one.source_language),
        target=short(card, one.target_language),
        corrections=[
            Written(
                id=written.id,
                correction=written.correction,
                instead_of=written.instead_of,
                name=written.reviewer,
                when=written.when,
                approved=len(written.approved_by),
                rejected=len(written.rejected_by),
            )
            for written in one.corrections
        ],
    )
