"""What a shell completes after ``seshat``: verbs, options, and the keys of the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from seshat.config import sections_of
from seshat.errors import ConfigError
from seshat.settings import Settings
from seshat.verbs import SHELLS, VERBS

OPTIONS = ("--config", "--debug", "--dry-run", "--help", "--json", "--lang")
_BASH = """\
# seshat: eval "$(seshat completion {shell})"
_seshat() {{
    local word=${{COMP_WORDS[COMP_CWORD]}}
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{verbs}" -- "$word"))
        compopt +o nospace 2>/dev/null
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "{options}" -- "$word"))
        compopt +o nospace 2>/dev/null
    else
        COMPREPLY=($(compgen -W "{keys}" -- "$word"))
    fi
}}
complete -o default -o nospace -F _seshat seshat
"""


def keys(kind: type[BaseModel] = Settings, before: str = "") -> Iterator[str]:
    """Every key that may be set on the command line, dotted."""
    for name, field in kind.model_fields.items():
        below = list(sections_of(field.annotation))
        if below:
            for section in below:
                yield from keys(section, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def script(shell: str, verbs: Mapping[str, tuple[str, str]] = VERBS) -> str:
    """What the shell evaluates.

    Raises:
        ConfigError: For a shell that is not known here.
    """
    if shell not in SHELLS:
        raise ConfigError(f"completion: {shell!r} is not known; known here: {', '.join(SHELLS)}")
    known = sorted(set(keys()))
    if shell == "fish":
        lines = ["# seshat: seshat completion fish > ~/.config/fish/completions/seshat.fish", "complete -c seshat -f"]
        for verb, (_, said) in verbs.items():
            quoted = said.replace("\\", "\\\\").replace("'", "\\'")
            lines.append(f"complete -c seshat -n __fish_use_subcommand -a {verb} -d '{quoted}'")
        lines += [f"complete -c seshat -n 'not __fish_use_subcommand' -l {option.removeprefix('--')}" for option in OPTIONS]
        lines.append(f"complete -c seshat -n 'not __fish_use_subcommand' -a '{' '.join(f'{key}=' for key in known)}'")
        return "\n".join(lines) + "\n"
    text = _BASH.format(shell=shell, verbs=" ".join(verbs), options=" ".join(OPTIONS), keys=" ".join(f"{key}=" for key in known))
    return f"autoload -U +X bashcompinit && bashcompinit\n{text}" if shell == "zsh" else text
