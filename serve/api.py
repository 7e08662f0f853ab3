"""The HTTP interface as a FastAPI application around anything that translates; it knows neither Ray nor models."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from serve.requests import FORM, JSON, RefusedError, TranslateRequest, read_request
from seshat.errors import SeshatError
from seshat.language import Language
from seshat.prompts import Card
from seshat.serving import Band, Serving
from seshat.translate import Translation

log = logging.getLogger(__name__)
PAGE = Path(__file__).parent / "page"
SECURITY = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class BusyError(Exception):
    """The queue is full."""


class Backend(Protocol):
    """What does the work behind the interface."""

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """The translations in order; raises BusyError if the queue is full, TimeoutError if it takes too long."""
        ...

    async def ready(self) -> bool:
        """True if a translation could be served now."""
        ...


class TranslateResponse(BaseModel):
    """The translation, in the shape of the question: a text for a text, a list for a list."""

    translatedText: str | list[str]  # noqa: N815 (LibreTranslate's name)
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


class SourceResponse(BaseModel):
    """Material that the model learnt from."""

    title: str
    steward: str
    licence: str


class InfoResponse(BaseModel):
    """What a page or a client may want to show about the service."""

    model: str
    base: str
    max_text_chars: int
    max_batch: int
    letters: list[str] = Field(description="Letters of the language that a usual keyboard lacks.")
    sources: list[SourceResponse]


class StatusResponse(BaseModel):
    """How the service is."""

    status: str


class ErrorResponse(BaseModel):
    """What went wrong, in one sentence; it never repeats what was sent."""

    error: str


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorResponse, "description": "Something about the request is wrong."},
    413: {"model": ErrorResponse, "description": "Too long, or too many texts."},
    415: {"model": ErrorResponse, "description": "Neither JSON nor a form."},
    429: {"model": ErrorResponse, "description": "Too many requests wait; try again after `Retry-After` seconds."},
    504: {"model": ErrorResponse, "description": "It took too long."},
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": TranslateRequest.model_json_schema()} for kind in (JSON, FORM)},
    }
}


def build_api(backend: Backend, card: Card, serving: Serving) -> FastAPI:
    """The application: ``/translate``, ``/languages``, ``/v1/info``, ``/health``, ``/ready`` and the page at ``/``."""
    app = FastAPI(
        title="Seshat",
        description=f"Translates between {card.language.bridge.name} and {card.language.name}.",
        docs_url=None,  # both pages of documentation would load scripts from elsewhere
        redoc_url=None,
    )
    _handle_errors(app)
    _add_translation(app, backend, card.language, serving)
    _add_info(app, card, serving)
    _add_status(app, backend, card)
    _add_page(app)
    return app


def _add_translation(app: FastAPI, backend: Backend, language: Language, serving: Serving) -> None:
    @app.post("/translate", responses=ERRORS, openapi_extra=BODY)
    async def translate(request: Request) -> TranslateResponse:
        """Translate a text, or a list of texts."""
        asked = await read_request(request, serving)
        source, target = _direction(asked, language)
        try:
            made = await backend.translate(asked.texts, source, target)
        except BusyError:
            raise RefusedError(429, "Too many requests are waiting. Try again in a moment.", serving.retry_after) from None
        except TimeoutError:
            raise RefusedError(504, f"The translation took longer than {serving.timeout:g} seconds. Try a shorter text.") from None
        return _response(made, serving, alone=isinstance(asked.q, str))

    @app.get("/languages")
    async def languages() -> list[LanguageResponse]:
        """The two languages and their codes."""
        ours, bridge = language.short or language.code, language.bridge.short or language.bridge.code
        return [
            LanguageResponse(code=bridge, name=language.bridge.name, targets=[ours]),
            LanguageResponse(code=ours, name=language.name, targets=[bridge]),
        ]


def _response(made: Sequence[Translation], serving: Serving, *, alone: bool) -> TranslateResponse:
    """Translations with their confidence; an empty text in place of one that too little is to be expected of."""
    abstained = [one.expected is not None and one.expected < serving.abstain_below for one in made]
    columns: dict[str, Sequence[Any]] = {
        "translatedText": ["" if silent else one.text for one, silent in zip(made, abstained, strict=True)],
        "confidence": [None if one.expected is None else round(one.expected, 1) for one in made],
        "band": [None if one.expected is None else serving.bands.of(one.expected) for one in made],
        "abstained": abstained,
    }
    return TranslateResponse(**{name: values[0] if alone else values for name, values in columns.items()})


def _add_info(app: FastAPI, card: Card, serving: Serving) -> None:
    sources = [
        SourceResponse(title=source.title or name, steward=source.steward, licence=source.licence)
        for name, source in sorted(card.rights.sources.items())
    ]
    info = InfoResponse(
        model=card.name,
        base=Path(card.base).name,
        max_text_chars=serving.max_text_chars,
        max_batch=serving.max_batch,
        letters=_letters(card.language),
        sources=sources,
    )

    @app.get("/v1/info")
    async def about() -> InfoResponse:
        """The model, its limits and the material it learnt from."""
        return info


def _letters(language: Language) -> list[str]:
    rare = {letter for letter in unicodedata.normalize("NFC", language.alphabet.lower() + language.apostrophe) if ord(letter) > 127}
    return sorted(letter for letter in rare if not letter.isspace())


def _add_status(app: FastAPI, backend: Backend, card: Card) -> None:
    @app.get("/health")
    async def health() -> StatusResponse:
        """Alive."""
        return StatusResponse(status="ok")

    @app.get("/ready", responses={503: {"model": ErrorResponse, "description": "No translation can be served now."}})
    async def ready() -> StatusResponse:
        """Able to translate: the model is loaded and takes requests."""
        if not await backend.ready():
            raise RefusedError(503, f"The model {card.name} is not ready yet.", 1)
        return StatusResponse(status="ready")


def _add_page(app: FastAPI) -> None:
    @app.middleware("http")
    async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(SECURITY)
        return response

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


def _direction(asked: TranslateRequest, language: Language) -> tuple[str, str]:
    """Both languages as ISO 639-3 codes."""
    source, target = language.called(asked.source), language.called(asked.target)
    known = ", ".join(filter(None, (language.bridge.code, language.bridge.short, language.code, language.short)))
    if not source or not target:
        raise RefusedError(400, f"{'target' if source else 'source'}: not a language of this model; it knows {known}.")
    if source == target:
        raise RefusedError(400, "source and target are the same language.")
    return source, target


def _handle_errors(app: FastAPI) -> None:
    """Every error is one JSON object with one sentence; what is not on purpose is logged and not told."""

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> JSONResponse:
        headers = {"retry-after": str(error.retry_after)} if error.retry_after else None
        return JSONResponse({"error": error.message}, error.status, headers)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": f"{error.detail}."}, error.status_code, error.headers)

    @app.exception_handler(SeshatError)
    async def ours(request: Request, error: SeshatError) -> JSONResponse:
        log.error("serve: %s", error)
        return JSONResponse({"error": "The model could not translate this."}, 500)

    @app.exception_handler(Exception)
    async def surprise(request: Request, error: Exception) -> JSONResponse:
        log.error("serve: %s", type(error).__name__, exc_info=error)
        return JSONResponse({"error": "An unexpected error; the log of the server says more."}, 500)
