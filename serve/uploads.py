"""Documents over HTTP: ``/v1/documents``."""

from __future__ import annotations

import os
from typing import Any

import regex
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from serve.documents import DocumentResponse, Documents
from serve.requests import read_body
from serve.service import Service

MOST_BYTES = 5 << 20
BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_STRANGE = regex.compile(r"[^A-Za-z0-9 _.-]")


def add(app: FastAPI, service: Service, documents: Documents, errors: dict[int | str, dict[str, Any]]) -> None:
    """Add documents to an application."""

    @app.post("/v1/documents", status_code=202, responses=errors, openapi_extra={"requestBody": {"required": True, "content": BINARY}})
    async def send(
        request: Request,
        name: str = Query(max_length=200, description="The file's name; its ending says what it is: .txt .md .csv .tsv .docx"),
        source: str = Query(max_length=20),
        target: str = Query(max_length=20),
        model: str = Query("", max_length=200),
    ) -> DocumentResponse:
        """Send a document as the body of the request, to be translated in the background."""
        service.access.check(request)
        direction = service.direction(source, target, model)
        data = await read_body(request, MOST_BYTES)
        return await documents.send(os.path.basename(name.replace("\\", "/")), data, direction)

    @app.get("/v1/documents/{id}", responses=errors)
    async def progress(id: str, request: Request) -> DocumentResponse:
        """How far it is."""
        service.access.check(request)
        return await documents.find(id)

    @app.get("/v1/documents/{id}/file", responses={**errors, 200: {"content": BINARY}}, response_model=None)
    async def fetch(id: str, request: Request) -> Response:
        """The translated document, when it is done."""
        service.access.check(request)
        told, data = await documents.translation(id)
        stem, ending = os.path.splitext(told.name)
        file = f'attachment; filename="{_STRANGE.sub("_", stem)}.{told.target}{_STRANGE.sub("_", ending)}"'
        return Response(data, media_type="application/octet-stream", headers={"content-disposition": file})

    @app.delete("/v1/documents/{id}", status_code=204, responses=errors, response_model=None)
    async def delete(id: str, request: Request) -> Response:
        """Delete it and its translation from the service."""
        service.access.check(request)
        await documents.delete(id)
        return Response(status_code=204)
