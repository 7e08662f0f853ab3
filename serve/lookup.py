"""Looking things up: why a translation is as it is, the dictionary, the sentences, and where each line comes from."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from serve.corpus import Corpus
from serve.requests import JSON, Question, RefusedError, body_of, check_texts, read
from serve.service import Service
from seshat.evaluation.results import FOLDER, read_details
from seshat.prompts import Card
from seshat.store import Store

REPORT = f"{FOLDER}/index.html"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""It is one file without scripts, and has its styles in it."""


class ExplainRequest(Question):
    """A text whose translation is to be understood."""

    q: str = Field(examples=["La casa es grande."])
    source: str
    target: str
    model: str = ""


class Word(BaseModel):
    """A word as the dictionary or the sentences have it."""

    word: str
    translations: list[str]


class Near(BaseModel):
    """A sentence that people have translated."""

    text: str
    translation: str


class ExplainResponse(BaseModel):
    """What is known about a text."""

    words: list[Word]
    examples: list[Near] = Field(description="Sentences like those of the text.")
    used: bool = Field(description="The model was told such things before it translated; if not, they only explain.")


class LineResponse(BaseModel):
    """An entry or a sentence."""

    text: str
    translation: str
    task: Literal["dictionary", "translation"]
    collection: str = Field(description="The folder that it is from, as `sources` of `/v1/info` name it.")
    origin: str = Field(description="The file with its page, line or second.")


class SearchResponse(BaseModel):
    """A page of what was found."""

    total: int
    lines: list[LineResponse]


def add(app: FastAPI, service: Service, errors: dict[int | str, dict[str, Any]]) -> None:
    """Add what looks things up to an application."""

    @app.post("/v1/explain", responses=errors, openapi_extra=body_of(ExplainRequest, JSON))
    async def explain(request: Request) -> ExplainResponse:
        """Entries for the words of a text, and sentences like it, with their translations."""
        asked = await read(ExplainRequest, request, service.serving, form=False)
        service.access.check(request)
        check_texts("q", [asked.q], service.serving)
        direction = service.direction(asked.source, asked.target, asked.model)
        corpus, card = _corpus(service, direction.card.name), direction.card
        bridge = direction.source == card.language.bridge.code
        sentences = card.language.sentences(asked.q if bridge else card.language.normalize(asked.q), bridge=bridge)
        told = await service.lookup(corpus.explain, sentences, direction.source, direction.target)
        words = dict(entry for one in told for entry in one.words)
        examples = dict.fromkeys(pair for one in told for pair in one.examples)
        return ExplainResponse(
            words=[Word(word=word, translations=list(translations)) for word, translations in words.items()],
            examples=[Near(text=text, translation=translation) for text, translation in examples],
            used=bool(card.hints),
        )

    @app.get("/report", responses={**errors, 200: {"content": {"text/html": {}}, "description": "The report."}}, response_model=None)
    async def report(request: Request, model: str = Query("", max_length=200)) -> HTMLResponse:
        """The report of the evaluation that the model went through."""
        service.access.check(request)
        home = report_of(service, service.card(model))
        if home is None:
            raise RefusedError(404, "There is no report about this model here.")
        return HTMLResponse(home.read(REPORT), headers={"content-security-policy": REPORT_POLICY})

    @app.get("/v1/search", responses=errors)
    async def search(
        request: Request,
        q: str = Query("", max_length=200, description="What either side holds; empty: all."),
        task: Literal["", "dictionary", "translation"] = "",
        start: int = Query(0, ge=0, le=10_000_000),
        model: str = Query("", max_length=200),
    ) -> SearchResponse:
        """Entries and sentences that the model learnt from, the shortest first, twenty at a time."""
        service.access.check(request)
        corpus = _corpus(service, service.card(model).name)
        found, total = await service.lookup(corpus.search, q, task=task, start=start)
        lines = [LineResponse.model_validate(line, from_attributes=True) for line in found]
        return SearchResponse(total=total, lines=lines)


def report_of(service: Service, card: Card) -> Store | None:
    """The workspace whose report is about a model; None if none is, or if it would show to others what its owners keep back."""
    home = service.home(card)
    if home is None or home.size(REPORT) < 0 or (service.serving.public and card.rights.refusal("publish_text")):
        return None
    details = read_details(home)
    return home if details is not None and details.name == card.name else None


def _corpus(service: Service, model: str) -> Corpus:
    corpus = service.backend.corpus(model)
    if corpus is None:
        raise RefusedError(404, "The texts that this model learnt from are not here.")
    return corpus
