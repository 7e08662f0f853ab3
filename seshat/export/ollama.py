"""The file that tells Ollama how to run a GGUF file: it reads no chat templates of Jinja, but one of its own, and other settings."""

from __future__ import annotations

from seshat.prompts import Card, ChatTokenizer

MODELFILE = "Modelfile"


def modelfile(card: Card, tokenizer: ChatTokenizer, file: str) -> str:
    """A Modelfile for a GGUF file beside it: the tokenizer's own turns in Ollama's template, greedy, its end of turn, the licences.

    Source: Ollama's Modelfile reference.
    """
    before, between, after = (_quoted(piece) for piece in tokenizer.turns(system=True))
    _, alone, _ = (_quoted(piece) for piece in tokenizer.turns(system=False))
    end = tokenizer.tokenizer.convert_ids_to_tokens(tokenizer.end)
    licences = ", ".join(sorted({source.licence for source in card.rights.sources.values()})) or "unknown"
    language = card.language
    message = card.prompts.instruction("translation", "…", language=language, source=language.bridge.code, target=language.code)
    return (
        f"# ollama create {card.name.lower()} -f {MODELFILE}\n"
        f"# It was taught to be asked, one sentence at a time: {message}\n"
        f"FROM ./{file}\n"
        f'TEMPLATE """{{{{ if .System }}}}{before}{{{{ .System }}}}{between}{{{{ else }}}}{alone}{{{{ end }}}}{{{{ .Prompt }}}}{after}"""\n'
        "PARAMETER temperature 0\n"
        f'PARAMETER stop "{end}"\n'
        f"PARAMETER num_ctx {2 * card.max_seq_length}\n"
        f'LICENSE """{licences}"""\n'
    )


def _quoted(text: str) -> str:
    """A piece of a chat template as it stands in Ollama's: its braces would be read as code."""
    return text.replace("{{", '{{ "{{" }}').replace('"""', '{{ "\\"\\"\\"" }}')
