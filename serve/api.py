"""The HTTP interface as a FastAPI application around anything that translates; it knows neither Ray nor models."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import unicodedata
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from serve import chat, deepl, feedback, libretranslate, lookup, uploads
from serve.access import Access
from serve.backend import Backend
from serve.documents import Documents
from serve.gate import FULL
from serve.guards import Guarded, Watched, refusal
from serve.joined import Joined
from serve.requests import RefusedError
from serve.service import Meter, NoMeter, Service
from seshat.errors import SeshatError
from seshat.language import Language
from seshat.prompts import Card, Task
from seshat.rights import Consent
from seshat.serving import Serving
from seshat.store import Store

log = logging.getLogger(__name__)
PAGE = Path(__file__).parent / "page"


class SourceResponse(BaseModel):
    """Material that the model learnt from, and what its owners allow."""

    name: str
    title: str
    steward: str
    licence: str
    allows: Consent


class InfoResponse(BaseModel):
    """What a page or a client may want to show about the service."""

    model: str
    base: str
    others: list[str] = Field(description="Other models of this service, by name; ask for one with `?model=`.")
    max_text_chars: int
    max_batch: int
    letters: list[str] = Field(description="Letters of the language that a usual keyboard lacks.")
    questions: list[str] = Field(description="What it was taught to be asked, beside translations; with … where the word or text goes.")
    sources: list[SourceResponse]
    feedback: bool = Field(description="Corrections are taken.")
    documents: bool = Field(description="Documents can be sent.")
    report: bool = Field(description="`/report` says how good it was when it was measured.")
    corpus: bool = Field(description="The texts that the model learnt from can be looked up.")
    keys: bool = Field(description="An API key is needed.")


class StatusResponse(BaseModel):
    """How the service is."""

    status: str


class ErrorResponse(BaseModel):
    """What went wrong, in one sentence; it never repeats what was sent."""

    error: str
    message: str = Field(description="The same, where DeepL's clients look for it.")


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorResponse, "description": "Something about the request is wrong."},
    401: {"model": ErrorResponse, "description": "An API key is needed."},
    403: {"model": ErrorResponse, "description": "An API key is needed, or this is switched off."},
    404: {"model": ErrorResponse, "description": "There is no such thing."},
    413: {"model": ErrorResponse, "description": "Too long, or too many texts."},
    415: {"model": ErrorResponse, "description": "Not a type that can be read."},
    422: {"model": ErrorResponse, "description": "A parameter is wrong."},
    429: {"model": ErrorResponse, "description": "Too many requests; try again after `Retry-After` seconds."},
    503: {"model": ErrorResponse, "description": "The model is not ready yet."},
    504: {"model": ErrorResponse, "description": "It took too long."},
}


def nowhere(card: Card) -> Store | None:
    """Models that lie in no workspace: no corrections are kept, and there is no report."""
    return None


def build_api(
    backend: Backend,
    serving: Serving,
    *,
    home: Callable[[Card], Store | None] = nowhere,
    meter: Meter | None = None,
) -> FastAPI:
    """The application: the interfaces of LibreTranslate, OpenAI and DeepL, our own, status, and the page at ``/``."""
    service = Service(backend, serving, Access(serving), meter or NoMeter(), home)
    documents = Documents(service)

    @contextlib.asynccontextmanager
    async def alive(app: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(documents.sweep())
        yield
        sweeping.cancel()

    app = FastAPI(
        title="Seshat",
        lifespan=alive,
        description="Translates between languages of few texts and those around them.",
        docs_url=None,  # both pages of documentation would load scripts from elsewhere
        redoc_url=None,
    )
    _handle_errors(app)
    for interface in (libretranslate, chat, deepl, lookup, feedback):
        interface.add(app, service, ERRORS)
    uploads.add(app, service, documents, ERRORS)
    _add_info(app, service)
    _add_status(app, service)
    _add_page(app)
    _add_guards(app, service)
    return app


def _add_info(app: FastAPI, service: Service) -> None:
    @app.get("/v1/info", responses=ERRORS)
    async def about(model: str = "") -> InfoResponse:
        """The model, its limits and the material it learnt from."""
        card, serving = service.card(model), service.serving
        return InfoResponse(
            model=card.name,
            base=Path(card.base).name,
            others=[one.name for one in service.backend.cards if one.name != card.name],
            max_text_chars=serving.max_text_chars,
            max_batch=serving.max_batch,
            letters=_letters(card.language),
            questions=_questions(card),
            sources=[
                SourceResponse(name=name, title=source.title or name, steward=source.steward, licence=source.licence, allows=source.consent)
                for name, source in sorted(card.rights.sources.items())
            ],
            feedback=serving.feedback and service.home(card) is not None,
            documents=service.home(card) is not None,
            report=lookup.report_of(service, card) is not None,
            corpus=service.backend.corpus(card.name) is not None,
            keys=bool(serving.keys),
        )


def _questions(card: Card) -> list[str]:
    ours, bridge = card.language.code, card.language.bridge.code
    asked: list[tuple[Task, str, str]] = [("dictionary", ours, bridge), ("grammar", ours, ""), ("morphology", ours, "")]
    return [card.prompts.instruction(task, "…", language=card.language, source=source, target=target) for task, source, target in asked]


def _letters(language: Language) -> list[str]:
    rare = {letter for letter in unicodedata.normalize("NFC", language.alphabet.lower() + language.apostrophe) if ord(letter) > 127}
    return sorted(letter for letter in rare if not letter.isspace())


def _add_status(app: FastAPI, service: Service) -> None:
    @app.get("/health")
    async def health() -> StatusResponse:
        """Alive."""
        return StatusResponse(status="ok")

    @app.get("/ready", responses={503: ERRORS[503]})
    async def ready() -> StatusResponse:
        """Able to translate: the model is loaded and takes requests."""
        service.card()
        return StatusResponse(status="ready")


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


def _add_guards(app: FastAPI, service: Service) -> None:
    """What every request and reply goes through."""

    if service.serving.origins:
        app.add_middleware(CORSMiddleware, allow_origins=list(service.serving.origins), allow_methods=["GET", "POST"], allow_headers=["*"])
    app.add_middleware(Guarded, serving=service.serving)
    app.add_middleware(Watched, meter=service.meter)
    app.add_middleware(Joined, alone=service.alone)


def _handle_errors(app: FastAPI) -> None:
    """Every error is one JSON object with one sentence; what is not on purpose is logged and not told."""

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> JSONResponse:
        headers = {"retry-after": str(error.retry_after)} if error.retry_after else {}
        return refusal(error.status, error.message, headers | ({FULL.decode(): str(error.room)} if error.room else {}))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        names = ", ".join(dict.fromkeys(str(detail["loc"][-1]) for detail in error.errors()))
        return refusal(422, f"{names}: not a value that this parameter can have.")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return refusal(error.status_code, f"{error.detail}.", dict(error.headers or {}))

    @app.exception_handler(SeshatError)
    async def ours(request: Request, error: SeshatError) -> JSONResponse:
        log.error("serve: %s", error)
        return refusal(500, "The model could not translate this.")

    @app.exception_handler(Exception)
    async def surprise(request: Request, error: Exception) -> JSONResponse:
        log.error("serve: %s", type(error).__name__, exc_info=error)
        return refusal(500, "An unexpected error; the log of the server says more.")
