"""A folder for a new language: its configuration, written from what a look at the raw material finds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from seshat.data.readers import FOLDERS
from seshat.data.survey import Survey, place
from seshat.errors import ConfigError
from seshat.language import Bridge, Language
from seshat.rights import RECORD

PROJECT, PROFILE = "seshat.yaml", "language.yaml"
BRIDGES = {
    "spa": Bridge(),
    "eng": Bridge(code="eng", name="English", short="en", abbreviations=("Mr.", "Mrs.", "Dr.", "St.", "etc.", "e.g.", "i.e.", "No.")),
    "por": Bridge(code="por", name="português", short="pt", abbreviations=("Sr.", "Sra.", "Dr.", "Dra.", "art.", "pág.", "etc.", "n.º")),
    "fra": Bridge(code="fra", name="français", short="fr", abbreviations=("M.", "Mme.", "Dr.", "art.", "p.", "etc.", "ex.")),
}
"""Languages through which others are taught, ready to use; Tesseract's language packs are called by the same codes."""


def sorted_raw(raw: Path, directory: Path, language: Language) -> tuple[Path, dict[str, str]]:
    """The raw folder itself if it is sorted as Seshat wants it; else one in the project, with links to its files, and what went where.

    Raises:
        ConfigError: If there is no such folder, or nothing in it.
    """
    if not raw.is_dir():
        raise ConfigError(f"--raw: there is no folder {raw}")
    files = sorted(
        path for path in raw.rglob("*") if path.is_file() and not any(part.startswith(".") for part in path.relative_to(raw).parts)
    )
    if not files:
        raise ConfigError(f"--raw: {raw} is empty: put dictionaries, tables, translations, scans and recordings into it")
    if all(path.relative_to(raw).parts[0] in FOLDERS and len(path.relative_to(raw).parts) > 1 for path in files):
        return raw, {}
    inside, moved = directory / "data" / "raw", {}
    for path in files:
        name = path.relative_to(raw).as_posix()
        if path.name != RECORD:
            moved[name] = name if name.partition("/")[0] in FOLDERS else f"{place(str(path), language)}/{name}"
            _link(path, inside / moved[name])
    for record in (path for path in files if path.name == RECORD):  # the rights go wherever something goes that they are about
        below = record.parent.relative_to(raw).as_posix()
        about = [name for name in moved if below == "." or name.startswith(f"{below}/")]
        for folder in {moved[name].removesuffix(name) for name in about}:
            _link(record, inside / folder / record.relative_to(raw))
    return inside, moved


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(path.resolve())
    except OSError:  # a file system without links
        shutil.copy2(path, target)


def check_new(directory: Path) -> None:
    """Refuse a folder that is a project already, before anything is put into it."""
    for path in (directory / PROJECT, directory / PROFILE):
        if path.exists():
            raise ConfigError(f"{path} is there already: edit it, or delete it first")


def write(directory: Path, name: str, language: Language, raw: Path, found: Survey, *, model: str) -> list[Path]:
    """The project's two files; what is not in them has Seshat's defaults."""
    directory.mkdir(parents=True, exist_ok=True)
    default = directory / "data" / "raw"
    pipeline: dict[str, Any] = {"root": str(directory.resolve()), "language": PROFILE}
    if raw != default:
        pipeline["data"] = {"raw": str(raw.resolve())}
    if found.rules:
        pipeline["ingest"] = {"files": [rule.model_dump(exclude_unset=True) for rule in found.rules]}
    pipeline["ocr"] = {"languages": [language.bridge.code]}
    pipeline["training"] = {"name": name, "model": model}
    profile = language.model_dump(exclude_unset=True) | {
        "bridge": {"code": language.bridge.code} | language.bridge.model_dump(exclude_unset=True)
    }
    remarks = {
        PROJECT: f"The project {name}: what differs from configs/data/pipeline.yaml, where every key is explained.",
        PROFILE: "The profile of the language: configs/languages/template.yaml explains every key. The alphabet was counted in the texts:\n"
        "# put digraphs into it (sh, ch), take letters of loans and names out of it.",
    }
    return [_write(directory / file, remarks[file], data) for file, data in ((PROJECT, pipeline), (PROFILE, profile))]


def _write(path: Path, remark: str, data: Mapping[str, Any]) -> Path:
    stream, yaml = StringIO(), YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(_plain(data), stream)
    path.write_text(f"# {remark}\n{stream.getvalue()}", encoding="utf-8")
    return path


def _plain(value: Any) -> Any:
    """Tuples as lists, which YAML knows."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def check_place(directory: Path, raw: Path) -> None:
    """A project is no part of its own raw folder: what it writes would be read as material."""
    if directory.resolve().is_relative_to(raw.resolve()):
        raise ConfigError(f"--directory: {directory} lies in the raw folder {os.fspath(raw)}: choose another place")
