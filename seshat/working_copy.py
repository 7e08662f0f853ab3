"""A workspace in an object store, at hand: the files of it that a machine needs as files.

Libraries load models from folders, map rows into memory and lock databases, so training, export and serving work in a *working copy*:
a folder that is named after the address (``.../s3%3A%2F%2Fbucket%2Fname``), so that every node knows from a path alone where its files
come from. A verb fetches what it reads, works as in any folder, and publishes what it made; between, training publishes its checkpoints.

What lies in the object store counts. The commit protocol holds there, too: a manifest that will change is deleted first and written
last. A file that was made here and not published stays, and is published next time; a file that changed there since it was fetched is
fetched again; one that was deleted there is deleted here. Nothing is deleted there because it is missing here, for this is a cache that
somebody may clear: what a verb means to delete it discards.
"""

from __future__ import annotations

import fcntl
import functools
import logging
import os
import posixpath
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, unquote

from pyarrow import fs
from pydantic import ValidationError

from seshat.config import Section
from seshat.cost import size
from seshat.errors import StoreError
from seshat.examples import TRAINING
from seshat.filesystem import is_remote
from seshat.preview import is_on
from seshat.store import PROCESSED, Store
from seshat.withdrawals import FILE

log = logging.getLogger(__name__)
PLACE = "~/.cache/seshat/workspaces"
"""Where working copies are, unless ``cluster.working_copies`` says otherwise."""
DATA = (PROCESSED, TRAINING, FILE, "reports")
"""What every verb may read that works in a working copy, beside its models."""
INPUTS = (
    "{review.returned}",
    "{evaluation.test.text}",
    "{evaluation.test.translation}",
    "{evaluation.monolingual}",
    "{next.texts}",
)
"""Settings that name files of the workspace."""
BASE = ("models/base", "{training.model}")
"""For verbs that need the base model: where it is kept, and where the workspace has it if the settings name a folder of it."""
DIARY = ("mlflow.db", "mlartifacts")
MANIFEST = "manifest.json"
KNOWN, LOCK = ".fetched.json", ".fetching"
SMALL, SETTLED = 1 << 20, 60.0
"""Object stores tell time in whole seconds. So a smaller file is taken for the one that was fetched only if it was this many seconds old
then: it cannot have been written again in the same second."""
ATTEMPTS = 5
"""How often what changes while it is fetched is fetched again."""
THREADS = 8
LOUD = 50_000_000
"""Bytes from which a transfer is announced."""
_COPY = re.compile(r"(.*/[^/]*%3A%2F%2F[^/]+)(?:/(.*))?")
S = TypeVar("S", bound=Section)
P = ParamSpec("P")
R = TypeVar("R")


class _Seen(Section):
    """A file when both sides were last the same."""

    size: int
    here: int
    """When it was written, in nanoseconds: here, and in the object store."""
    there: int
    at: float
    """When that was seen, in seconds since 1970."""


class _Index(Section):
    files: dict[str, _Seen] = {}


class WorkingCopy:
    """A folder of this machine that holds files of a workspace in an object store."""

    def __init__(self, root: str) -> None:
        """Of the folder that ``path_of`` names."""
        self.here, self.there = Store(root), Store(unquote(os.path.basename(root)))

    def fetch(self, *names: str) -> None:
        """Have these files, and all files below these folders, as they are in the object store.

        Raises:
            StoreError: If the store cannot be read, or there is no room.
        """
        with self._alone() as seen:
            for _ in range(ATTEMPTS):
                here, there = _listed(self.here, names), _listed(self.there, names)
                todo = [name for name, info in there.items() if not self._is_here(info, here.get(name), seen.get(name))]
                if self._fetch_all(names, todo, there, seen):
                    break
            else:
                raise StoreError(f"{self.there.root}: somebody writes what is read there: run the same command again when they are done")
            for name in here.keys() - there.keys():
                if name in seen and _is_as_seen(here[name], seen[name]) and self._is_ours(name):
                    self.here.remove(name)
                    del seen[name]

    def _fetch_all(self, names: Sequence[str], todo: Sequence[str], there: Mapping[str, fs.FileInfo], seen: dict[str, _Seen]) -> bool:
        """Fetch files, manifests last; False, and no manifest is fetched, if one of them has changed meanwhile."""
        self._check_room(sum(there[name].size for name in todo))
        for name in filter(_is_manifest, todo):
            self.here.remove(name)
        manifests = [name for name in todo if _is_manifest(name)]
        others = [name for name in todo if not _is_manifest(name)]
        self._move("fetch", there, others, lambda name: self._fetch(name, there[name], seen))
        if others:
            now = _listed(self.there, names)
            if not all(name in now and _is_same(now[name], there[name]) for name in todo):
                return False
        self._move("fetch", there, manifests, lambda name: self._fetch(name, there[name], seen))
        return True

    def _is_ours(self, name: str) -> bool:
        """Whether a file lies here, and not where a link leads to."""
        root = os.path.realpath(self.here.root)
        return os.path.commonpath([root, os.path.realpath(os.path.dirname(self.here.path(name)))]) == root

    def publish(self, *names: str) -> None:
        """Bring these files, and all files below these folders, to the object store as they are here.

        Raises:
            StoreError: If the store takes them not; what is whole there stays so, and the next call goes on.
        """
        with self._alone() as seen:
            here = _listed(self.here, names)
            todo = [name for name, info in here.items() if not (name in seen and _is_as_seen(info, seen[name]))]
            for name in filter(_is_manifest, todo):
                self.there.remove(name)
            for last in (False, True):
                names_ = [name for name in todo if _is_manifest(name) == last]
                self._move("publish", here, names_, lambda name: self._publish(name, here[name], seen))

    def discard(self, *names: str) -> None:
        """Delete these files, and all files below these folders, in the object store; manifests first."""
        with self._alone() as seen:
            for name in sorted(_listed(self.there, names), key=_is_manifest, reverse=True):
                self.there.remove(name)
            for name in [name for name in seen if _is_below(name, names)]:
                del seen[name]

    def _fetch(self, name: str, there: fs.FileInfo, seen: dict[str, _Seen]) -> None:
        at, path = time.time(), self.here.path(name)
        self.there.download(name, path)
        os.utime(path, ns=(there.mtime_ns, there.mtime_ns))  # which model is the newest is seen by it
        seen[name] = _Seen(size=there.size, here=os.stat(path).st_mtime_ns, there=there.mtime_ns, at=at)

    def _publish(self, name: str, here: fs.FileInfo, seen: dict[str, _Seen]) -> None:
        if self.here.size(name) < 0:
            return  # it has gone since the folder was looked at
        self.there.upload(self.here.path(name), name)
        [there] = self.there.below(name).values()
        seen[name] = _Seen(size=here.size, here=here.mtime_ns, there=there.mtime_ns, at=time.time())

    def _is_here(self, there: fs.FileInfo, here: fs.FileInfo | None, seen: _Seen | None) -> bool:
        """Whether nothing is to be fetched: it was before, and has not changed there since."""
        if here is None or seen is None or (there.mtime_ns, there.size) != (seen.there, seen.size):
            return False
        return there.size > SMALL or seen.at - there.mtime_ns / 1e9 > SETTLED or not _is_as_seen(here, seen)

    def _check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.here.root).free
        if needed > free:
            raise StoreError(
                f"{self.here.root}: {size(needed)} of {self.there.root} are needed here and {size(free)} are free: make room, or set "
                "cluster.working_copies to a larger disk"
            )

    def _move(self, what: str, infos: Mapping[str, fs.FileInfo], todo: Sequence[str], move: Callable[[str], None]) -> None:
        """Do that with files, some at once."""
        if (total := sum(infos[name].size for name in todo)) > LOUD:
            log.info("%s: %d files, %s (%s, %s)", what, len(todo), size(total), self.there.root, self.here.root)
        threads = ThreadPoolExecutor(THREADS)
        try:
            for done in [threads.submit(move, name) for name in todo]:
                done.result()
        finally:
            threads.shutdown(cancel_futures=True)

    @contextmanager
    def _alone(self) -> Iterator[dict[str, _Seen]]:
        """What was seen of each file, for one process at a time; kept at the end, whatever that is."""
        path = self.here.path(KNOWN)
        try:
            os.makedirs(self.here.root, exist_ok=True)
            with open(self.here.path(LOCK), "w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                index = _Index.model_validate_json(self.here.read(KNOWN)) if os.path.isfile(path) else _Index()
                seen = dict(index.files)
                try:
                    yield seen
                finally:
                    if seen != index.files:
                        self.here.write(KNOWN, _Index(files=seen).model_dump_json().encode())
        except ValidationError:
            raise StoreError(
                f"{path} is not what was written there: delete {self.here.root}; it holds copies of {self.there.root}"
            ) from None
        except OSError as error:
            raise StoreError(
                f"{self.there.root}: the working copy {self.here.root} cannot be brought up to date ({error}): run the same command again"
            ) from None


def path_of(address: str, place: str = PLACE) -> str:
    """The folder of the working copy of an object-store address."""
    return os.path.join(os.path.expanduser(place), quote(address.rstrip("/"), safe=""))


def is_copy(path: str) -> bool:
    """Whether a path lies in a working copy."""
    return _COPY.fullmatch(path) is not None


def address_of(path: str) -> str:
    """Where a path of a working copy lies in the object store; every other path stays what it is."""
    found = _COPY.fullmatch(path)
    return "/".join(filter(None, (unquote(os.path.basename(found[1])), found[2]))) if found else path


def fetch(*paths: str) -> None:
    """Have files and folders on this machine that lie in working copies; a path that lies in none is here, or nowhere."""
    for copy, names in _by_copy(paths):
        copy.fetch(*names)


def publish(*paths: str) -> None:
    """Bring files and folders that lie in working copies to their object stores; nothing for other paths."""
    for copy, names in _by_copy(paths):
        copy.publish(*names)


def discard(*paths: str) -> None:
    """Delete files and folders; of what lies in a working copy, in the object store, too."""
    for copy, names in _by_copy(paths):
        copy.discard(*names)
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)


def on_files(*models: str) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """A verb that needs files: where ``root`` is an object store, it is given the settings of a working copy.

    ``models`` are the folders that it reads or makes beside the data, with settings in braces: ``models/adapters/{training.name}``.
    """

    def decorate(verb: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(verb)
        def run(given: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            settings: Any = given  # those of the whole pipeline, which are put together above this layer
            there = Store(settings.root)
            if there.local:
                return verb(given, *args, **kwargs)
            copy = WorkingCopy(path_of(settings.root, settings.cluster.working_copies))
            filled = [name.format(**dict(settings)) for name in (*DATA, *INPUTS, *models)]
            filled += settings.format.held_out
            names = [name for name in filled if name and not os.path.isabs(name) and not is_remote(name)]
            raw = settings.data.raw
            if raw not in names:
                settings = settings.model_copy(update={"data": settings.data.model_copy(update={"raw": there.path(raw)})})
            copy.fetch(*names)
            result = verb(settings.model_copy(update={"root": copy.here.root}), *args, **kwargs)
            if not is_on():
                copy.publish(*names)
            return result

        return run

    return decorate


def _by_copy(paths: Iterable[str]) -> Iterator[tuple[WorkingCopy, list[str]]]:
    by_root: dict[str, list[str]] = {}
    for path in paths:
        if found := _COPY.fullmatch(path):
            by_root.setdefault(found[1], []).append(found[2] or "")
    for root, names in by_root.items():
        yield WorkingCopy(root), names


def _listed(store: Store, names: Iterable[str]) -> dict[str, fs.FileInfo]:
    """The files below some folders, without drafts, locks and what Ray keeps for itself."""
    return {name: info for folder in names for name, info in store.below(folder).items() if not _is_private(name)}


def _is_private(name: str) -> bool:
    parts = name.split("/")
    return any(part.startswith(".") or part.endswith((".tmp", ".tries")) for part in parts) or parts[3:4] in (["ray"], ["lock"])


def _is_below(name: str, folders: Iterable[str]) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


def _is_as_seen(here: fs.FileInfo, seen: _Seen) -> bool:
    return (here.size, here.mtime_ns) == (seen.size, seen.here)


def _is_same(one: fs.FileInfo, other: fs.FileInfo) -> bool:
    return (one.size, one.mtime_ns) == (other.size, other.mtime_ns)


def _is_manifest(name: str) -> bool:
    return posixpath.basename(name) == MANIFEST
