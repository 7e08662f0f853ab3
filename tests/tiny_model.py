"""A tiny base model, and an adapter that was really trained on it, made in seconds: for the tests of export and serving.

Ten sentences are learnt by heart, so that the best next token is far ahead of the second and greedy output is stable.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from seshat.engines.weights import weights_sha256
from seshat.language import Language
from seshat.prompts import CARD, Card, ChatTokenizer
from seshat.rights import Consent, Rights, Source
from seshat.store import Manifest, Store

LANGUAGE = Language(code="qtm", name="tamo", apostrophe="\u02bc")
PAIRS = {
    "La mujer canta.": "Waru siʼa taki.",
    "El hombre come pescado.": "Runo pescë miku.",
    "El niño duerme en la casa.": "Wawë wasipi puñu.",
    "La casa es grande.": "Wasi hatun ka.",
    "El perro corre.": "Allku pawa.",
    "Mañana vamos al río.": "Qaya mayuta riʼi.",
    "La abuela teje.": "Awitsa awa.",
    "Yo bebo agua.": "Noka yaku upya.",
    "¿Dónde está tu hermano?": "¿Maypi wawqi ka?",
    "El sol sale temprano.": "Inti ñawpa lluqsi.",
}
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@functools.cache
def exported_workspace() -> Path:
    """A workspace with a base, an adapter, a merged model and GGUF files: made once, whoever asks first."""
    from seshat.export.export import export
    from seshat.export.settings import Export

    root = Path(tempfile.mkdtemp(prefix="seshat-tiny-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    make_workspace(root)
    export(Export(threads=1), Store(str(root)), "tiny")
    return root


def make_workspace(root: Path, *, name: str = "tiny", steps: int = 40, tied: bool = True, apart: bool = False) -> Card:
    """Write ``models/base/tiny`` and ``models/adapters/<name>`` under ``root``, as training leaves them behind.

    With fewer ``steps`` it has not learnt its sentences, which is enough to compare weights.
    ``tied``: the base's head is its embedding; ``apart``: they are trained apart all the same.
    """
    import torch

    torch.manual_seed(7)
    torch.set_num_threads(1)  # two threads on a busy machine wait for each other most of the time
    base, adapter = root / "models" / "base" / "tiny", root / "models" / "adapters" / name
    tokenizer = make_tokenizer(base)
    model = _base(base, tokenizer, steps, tied)
    card = Card(
        name=name,
        language=LANGUAGE,
        base=str(base),
        max_seq_length=256,
        base_sha256=weights_sha256(str(base)),
        rights=Rights(sources={"dictionary": Source(title="Words", licence="CC-BY-4.0", consent=Consent(serve_public=True))}),
    )
    _adapter(adapter, model, tokenizer, card, steps, apart)
    return card


def make_tokenizer(folder: Path) -> ChatTokenizer:
    """A small byte-level BPE as Qwen has it, saved in a folder."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    split = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=list(CONTROL), show_progress=False)
    inner.train_from_iterator([*PAIRS, *PAIRS.values(), "Traduce del español al tamo: "], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    return ChatTokenizer.load(str(folder))


def _base(folder: Path, tokenizer: ChatTokenizer, steps: int, tied: bool):
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=len(tokenizer.tokenizer),
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=512,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=tokenizer.end,
        pad_token_id=tokenizer.pad,
    )
    model = Qwen3ForCausalLM(config)
    _learn(model, [(tokenizer.prompt(text), tokenizer.answer(text)) for text in PAIRS], steps // 2, 2e-3)
    model.save_pretrained(folder)
    return model


def _adapter(folder: Path, model, tokenizer: ChatTokenizer, card: Card, steps: int, apart: bool) -> None:
    from peft import LoraConfig, get_peft_model

    from seshat.training.adapter import finish

    tied = model.config.tie_word_embeddings and not apart
    lora = LoraConfig(
        r=8,
        lora_alpha=16,
        target_modules="all-linear",
        modules_to_save=["embed_tokens"] if tied else ["embed_tokens", "lm_head"],
        ensure_weight_tying=tied,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, lora)
    loss = _learn(model, [example(card, tokenizer, *pair) for pair in both_ways()], steps, 5e-3)
    assert steps < 40 or loss < 0.1, f"the adapter has not learnt its ten sentences (loss {loss:.3f})"
    model.save_pretrained(folder)
    (folder / "README.md").unlink()  # peft's, without a word in it
    tokenizer.tokenizer.save_pretrained(folder)
    (folder / CARD).write_text(card.model_dump_json(indent=1), encoding="utf-8")
    store, place = Store(str(folder.parents[2])), f"models/adapters/{folder.name}"
    finish(store, place, Manifest(stage="train", fingerprint="tiny", settings="precision: nf4\n"))


def both_ways():
    for spanish, other in PAIRS.items():
        yield spanish, other, "spa", "qtm"
        yield other, spanish, "qtm", "spa"


def example(card: Card, tokenizer: ChatTokenizer, text: str, answer: str, source: str, target: str):
    message = card.prompts.instruction("translation", text, language=card.language, source=source, target=target)
    return tokenizer.prompt(message), tokenizer.answer(answer)


def _learn(model, examples, steps: int, rate: float) -> float:
    """Plain teacher forcing on the answers, all examples in one padded batch; the last loss."""
    import torch

    width = max(len(prompt) + len(answer) for prompt, answer in examples)
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for row, (prompt, answer) in enumerate(examples):
        ids[row, : len(prompt) + len(answer)] = torch.tensor([*prompt, *answer])
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=rate)
    model.train()
    for _ in range(steps):
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    return float(loss.detach())
