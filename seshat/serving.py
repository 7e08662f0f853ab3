"""What a user may set about the HTTP endpoint."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, model_validator

from seshat.config import PathSetting, Section

Band = Literal["green", "yellow", "red"]
Engine = Literal["llamacpp", "transformers", "vllm", "phrases"]
BANDS: tuple[Band, ...] = ("green", "yellow", "red")


class Bands(Section):
    """Where the expected quality of a translation is called green, yellow or red, in chrF++ (0 to 100)."""

    green: float = Field(50.0, ge=0, le=100)
    """From here on a translation is mostly right, and small errors remain."""
    yellow: float = Field(30.0, ge=0, le=100)
    """From here on the gist is there, and somebody who knows the language has to look; below, it is often wrong."""

    @model_validator(mode="after")
    def _order(self) -> Bands:
        if self.green < self.yellow:
            raise ValueError(f"green ({self.green:g}) must not be below yellow ({self.yellow:g})")
        return self

    def of(self, expected: float) -> Band:
        """The band of an expected chrF++."""
        return "green" if expected >= self.green else "yellow" if expected >= self.yellow else "red"


class Serving(Section):
    """The section ``serving:``."""

    model: PathSetting = ""
    """A model folder or GGUF file; empty: the newest one that the workspace has for the engine."""
    others: tuple[PathSetting, ...] = ()
    """More models beside it, of other languages or other rounds: a request gets the first that knows its languages, or names one."""
    engine: Engine = "llamacpp"
    """llamacpp runs GGUF and is the fast one on processors; transformers runs the merged model, also on a GPU; vllm does so
    faster, where it is installed; phrases learns from the
    pairs of ``seshat phrases`` when it starts, and only translates."""
    host: str = "127.0.0.1"
    """Where to listen. Anything but this machine needs ``keys``, and sources that allow ``serve_public``."""
    port: int = Field(8000, ge=1, le=65535)
    max_text_chars: int = Field(4000, ge=1)
    """The longest text of a request, and of all texts of a request together ``max_batch`` times that."""
    max_batch: int = Field(64, ge=1)
    """How many texts one request may hold."""
    max_ongoing_requests: int = Field(8, ge=1)
    """How many prompts llama.cpp works on at once in a replica."""
    max_queued_requests: int = Field(64, ge=0)
    """How many requests more than that may be in a replica; the next one is refused with 429 and Retry-After."""
    retry_after: int = Field(2, ge=1, description="seconds that a refused client is asked to wait")
    timeout: float = Field(60.0, gt=0, description="seconds after which a request is given up with 504")
    replicas: int = Field(1, ge=1)
    """How many copies of the model are loaded."""
    max_replicas: int = Field(0, ge=0)
    """As many copies come up when requests pile up, and go again; 0: always ``replicas``."""
    reload: bool = True
    """When the workspace gets a newer model, it is served without a request being dropped; only if ``model`` is empty."""
    keys: PathSetting = ""
    """The file of API keys (``seshat api-key NAME`` writes it); empty: whoever reaches the service may use it, on this machine only."""
    rate_per_minute: int = Field(0, ge=0)
    """How many requests a key, or without keys an address, has in a minute, in each replica; 0: any number."""
    origins: tuple[str, ...] = ()
    """Other web pages that may ask from a browser (CORS): ``https://example.org``."""
    feedback: bool = True
    """Speakers may send corrections; they go to ``data/raw/corrections`` of the model's workspace."""
    cpus_per_replica: float = Field(1.0, gt=0)
    """Cores of one copy; llama.cpp gets as many threads, rounded down, and at least one."""
    gpus_per_replica: float = Field(0.0, ge=0)
    bands: Bands = Bands()
    """Where confidence is green, yellow or red, here and in the report."""
    abstain_below: float = Field(0.0, ge=0, le=100)
    """No translation is given, and that is said, where less chrF++ than this is expected; 0: one is always given."""
    context: int = Field(0, ge=0, description="tokens of prompt and answer; 0: twice the length of training")

    @model_validator(mode="after")
    def _scaled(self) -> Serving:
        if self.max_replicas and self.max_replicas < self.replicas:
            raise ValueError(f"max_replicas ({self.max_replicas}) must not be below replicas ({self.replicas})")
        return self

    @property
    def public(self) -> bool:
        """True if other machines can reach it."""
        if self.host == "localhost":
            return False
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return True
