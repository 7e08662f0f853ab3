"""Whatever is sent, nothing breaks: requests made up from the description of the interface, valid and not."""

from __future__ import annotations

import functools
import tempfile

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from serve.api import build_api
from seshat.serving import Serving
from seshat.store import Store
from tests.serve.test_api import Upper
from tests.serve.test_lookup import CORPUS

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
HOST = {"host": "localhost"}
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]


@functools.cache
def operations() -> dict[str, schemathesis.schemas.APIOperation]:
    """All paths and methods that the interface describes."""
    home = Store(tempfile.mkdtemp(prefix="seshat-fuzz-"))
    app = build_api(Upper(corpus=CORPUS), Serving(max_text_chars=200, max_batch=4), home=lambda card: home)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HOST)
    return {found.ok().label: found.ok() for found in schema.get_all_operations()}


def kinds() -> list[tuple[str, schemathesis.GenerationMode]]:
    """Every path with right requests, and with wrong ones where there is anything to be wrong."""
    found = operations()
    return [(name, mode) for name, one in found.items() for mode in MODES if mode.is_positive or one.body or one.query]


def ask(name: str, mode: schemathesis.GenerationMode, number: int) -> None:
    """Send requests of a kind; a 5xx, or what the description does not say, fails."""

    @given(case=operations()[name].as_strategy(generation_mode=mode))
    @settings(
        max_examples=number,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
    )
    def run(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=HOST, checks=schemathesis.checks.CHECKS.get_by_names(CHECKS))

    run()


@pytest.mark.parametrize(("name", "mode"), kinds())
def test_no_request_breaks_the_service(name: str, mode: schemathesis.GenerationMode) -> None:
    ask(name, mode, 15)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), kinds())
def test_a_thousand_requests_to_every_path_break_nothing(name: str, mode: schemathesis.GenerationMode) -> None:
    ask(name, mode, 500)
