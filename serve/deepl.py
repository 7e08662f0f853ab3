"""The interface of DeepL: ``/v2/translate``, ``/v2/languages``, ``/v2/usage``. Codes are in capitals there."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field, field_validator

from serve.requests import FORM, JSON, Question, body_of, check_texts, read
from serve.service import Service, short


class DeeplRequest(Question):
    """What to translate, as DeepL's clients say it."""

    text: list[str] = Field(description="The texts.", examples=[["La casa es grande."]])
    target_lang: str = Field(description="The code of the language to translate into, see `/v2/languages`.")
    source_lang: str = Field("", description="That of the texts; empty: it is found out.")

    @field_validator("text", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class DeeplTranslation(BaseModel):
    """A translation."""

    detected_source_language: str
    text: str
    billed_characters: int = Field(description="The characters of the text; nobody is billed.")
    confidence: float | None = Field(description="As in `/translate`.")
    abstained: bool = Field(description="As in `/translate`.")


class DeeplResponse(BaseModel):
    """The translations in order."""

    translations: list[DeeplTranslation]


class DeeplLanguage(BaseModel):
    """A language."""

    language: str
    name: str
    supports_formality: Literal[False] = False


class UsageResponse(BaseModel):
    """There is no account, so nothing is used up."""

    character_count: int = 0
    character_limit: int = 10**12


def add(app: FastAPI, service: Service, errors: dict[int | str, dict[str, Any]]) -> None:
    """Add the interface to an application."""

    @app.post("/v2/translate", responses=errors, openapi_extra=body_of(DeeplRequest, JSON, FORM))
    async def translate(request: Request) -> DeeplResponse:
        """Translate some texts."""
        asked = await read(DeeplRequest, request, service.serving, repeated="text")
        service.access.check(request)
        check_texts("text", asked.text, service.serving)
        target, source = asked.target_lang.lower(), asked.source_lang.lower()
        if source:
            direction = service.direction(source, target)
        else:
            direction = await service.detected("\n".join(asked.text), target)
        made = await service.translate(asked.text, direction)
        code = short(direction.card, direction.source).upper()
        return DeeplResponse(
            translations=[
                DeeplTranslation(
                    detected_source_language=code,
                    text=service.shown(one),
                    billed_characters=len(text),
                    abstained=service.abstains(one),
                    confidence=None if one.expected is None else round(one.expected, 1),
                )
                for text, one in zip(asked.text, made.translations, strict=True)
            ]
        )

    @app.get("/v2/languages", responses=errors)
    async def languages(request: Request) -> list[DeeplLanguage]:
        """The languages and their codes."""
        service.access.check(request)
        found = {
            side.code: DeeplLanguage(language=short(card, side.code).upper(), name=side.name)
            for card in service.backend.cards
            for side in (card.language.bridge, card.language)
        }
        return list(found.values())

    @app.get("/v2/usage", responses=errors)
    async def usage(request: Request) -> UsageResponse:
        """For clients that ask before they begin."""
        service.access.check(request)
        return UsageResponse()
