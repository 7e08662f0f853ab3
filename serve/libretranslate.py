"""The interface of LibreTranslate: ``/translate``, ``/languages``, ``/detect``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field, field_validator

from serve.requests import FORM, JSON, Question, body_of, check_texts, read
from serve.service import AUTO, Direction, Service, short
from seshat.serving import Band
from seshat.translate import Translation


class TranslateRequest(Question):
    """What to translate, as LibreTranslate's clients say it."""

    q: str | list[str] = Field(description="One text, or several; the answer has the same shape.", examples=["La casa es grande."])
    source: str = Field(
        description="ISO 639-3 or 639-1 code of the language of `q`, see `/languages`; `auto` finds it out.", examples=["es"]
    )
    target: str = Field(description="ISO 639-3 or 639-1 code of the language to translate into.")
    format: Literal["text"] = Field("text", description="Only plain text.")
    alternatives: int = Field(0, ge=0, le=5, description="How many other translations are wanted.")
    model: str = Field("", description="The name of a model, see `/v1/models`; empty: the first that knows both languages.")
    api_key: str = Field("", description="Where the service needs a key; it may be in the header `Authorization: Bearer` as well.")

    @field_validator("q", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        texts: list[object] = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("must be a text or a list of texts")
        return value

    @property
    def texts(self) -> list[str]:
        """All texts, also if there is one."""
        return [self.q] if isinstance(self.q, str) else self.q


class DetectRequest(Question):
    """A text in some language."""

    q: str = Field(examples=["La casa es grande."])
    api_key: str = ""


class Detected(BaseModel):
    """A language that a text may be in."""

    language: str
    confidence: float = Field(description="How probable it is among the languages of the model, in per cent.")


class TranslateResponse(BaseModel):
    """The translation, in the shape of the question: a text for a text, a list for a list."""

    translatedText: str | list[str]  # noqa: N815 (LibreTranslate's name)
    detectedLanguage: Detected | list[Detected] | None = Field(None, description="For the source `auto`.")  # noqa: N815
    alternatives: list[str] | list[list[str]] | None = Field(None, description="Other translations, the likeliest first, if asked for.")
    confidence: float | list[float | None] | None = Field(
        description="The chrF++ (0 to 100) to be expected, as it was measured on sentences with the same signs; null if it is not known."
    )
    band: Band | list[Band | None] | None = Field(description="`green`: mostly right; `yellow`: the gist; `red`: often wrong; null.")
    abstained: bool | list[bool] = Field(description="No translation is given, because too little is to be expected of it.")


class LanguageResponse(BaseModel):
    """A language that can be translated, and into which."""

    code: str
    name: str
    targets: list[str]


def add(app: FastAPI, service: Service, errors: dict[int | str, dict[str, Any]]) -> None:
    """Add the interface to an application."""
    serving = service.serving

    @app.post("/translate", responses=errors, openapi_extra=body_of(TranslateRequest, JSON, FORM), response_model_exclude_unset=True)
    async def translate(request: Request) -> TranslateResponse:
        """Translate a text, or a list of texts."""
        asked = await read(TranslateRequest, request, serving, repeated="q")
        service.access.check(request, asked.api_key)
        check_texts("q", asked.texts, serving)
        if asked.source == AUTO:
            direction = await service.detected("\n".join(asked.texts), asked.target, asked.model)
        else:
            direction = service.direction(asked.source, asked.target, asked.model)
        made = await service.translate(asked.texts, direction, alternatives=asked.alternatives)
        return _response(made.translations, direction, asked, service)

    @app.get("/languages")
    async def languages() -> list[LanguageResponse]:
        """The languages and their codes."""
        found: dict[str, LanguageResponse] = {}
        for card in service.backend.cards:
            bridge, language = card.language.bridge, card.language
            for one, other in ((bridge, language), (language, bridge)):
                known = found.setdefault(one.code, LanguageResponse(code=short(card, one.code), name=one.name, targets=[]))
                known.targets = list(dict.fromkeys([*known.targets, short(card, other.code)]))
        return list(found.values())

    @app.post("/detect", responses=errors, openapi_extra=body_of(DetectRequest, JSON, FORM))
    async def detect(request: Request) -> list[Detected]:
        """In which of its languages a text is, the most probable first; none if the text does not say."""
        asked = await read(DetectRequest, request, serving)
        service.access.check(request, asked.api_key)
        check_texts("q", [asked.q], serving)
        card = service.card()
        found = await service.identify(asked.q, card)
        return [Detected(language=short(card, code), confidence=round(100 * one, 1)) for code, one in found.items()]


def _response(made: Sequence[Translation], direction: Direction, asked: TranslateRequest, service: Service) -> TranslateResponse:
    """Translations with their confidence; an empty text in place of one that too little is to be expected of."""
    abstained = [service.abstains(one) for one in made]
    columns: dict[str, Sequence[Any]] = {
        "translatedText": [service.shown(one) for one in made],
        "confidence": [None if one.expected is None else round(one.expected, 1) for one in made],
        "band": [None if one.expected is None else service.serving.bands.of(one.expected) for one in made],
        "abstained": abstained,
    }
    if asked.alternatives:
        columns["alternatives"] = [[] if silent else list(one.alternatives) for one, silent in zip(made, abstained, strict=True)]
    if direction.detected is not None:
        code = short(direction.card, direction.source)
        columns["detectedLanguage"] = [Detected(language=code, confidence=round(100 * direction.detected, 1))] * len(made)
    alone = isinstance(asked.q, str)
    return TranslateResponse(**{name: values[0] if alone else list(values) for name, values in columns.items()})
