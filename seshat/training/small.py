"""The small base model: Qwen3 architecture, made on this machine; its weights see text in the bridge language only.

It is what a hub model is to a big run: it knows the bridge language, the chat template and a few things that can be done
with a text (to repeat it, to turn it round, to put it in order), and not one word of the language that is taught. Its
tokenizer has met the spelling of both languages, as a multilingual tokenizer has. It exists so that the whole main job
runs without a download, in minutes; it is no use for anything else.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import regex
import torch
import torch.distributed
import torch.multiprocessing

from seshat.engines.download import BASES, commit
from seshat.engines.weights import sha256
from seshat.examples import TRAINING, by_people, read_examples
from seshat.language import Language, words
from seshat.preview import about_to_make
from seshat.prompts import ChatTokenizer, Prompts
from seshat.records import Document, Example, digest
from seshat.store import Manifest, Store
from seshat.training.batches import Chat, Packed
from seshat.training.loop import setup, train_step
from seshat.training.pack import pack
from seshat.training.settings import Small, Training
from seshat.training.strategy import Place

log = logging.getLogger(__name__)
VERSION = 2
TEXT_END, TURN_END = "<|endoftext|>", "<|end|>"
CONTROL = (TEXT_END, TURN_END, "<|system|>", "<|user|>", "<|assistant|>")
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""Four tokens around a prompt: in a small model's short texts the usual template would be a third of all tokens."""
QWEN_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
"""How the tokenizer of Qwen cuts text before it merges bytes: llama.cpp knows it as ``qwen2``."""
REPEAT, REVERSE, ORDER = "Repite", "Al revés", "Ordena"
LESSONS_PER_TEXT = 4
LISTED = 5
"""How often the tokenizer meets each headword and translation of a dictionary."""
VALUE_GAIN = 1.5
"""How loudly a token takes over what it looked at, in the beginning; measured with 1, 1.5 and 2."""
PRINT_EVERY = 50
WORTH_PROCESSES = 100
"""With fewer steps it takes longer to start processes than to train."""


def build(small: Small, language: Language, prompts: Prompts, store: Store, folder: str = f"{BASES}/small") -> tuple[Manifest, bool]:
    """The manifest of the small base in the workspace, and whether it was there before."""
    names = (prompts.model_dump_json(), language.name, language.bridge.name)
    sources = digest("small-sources", VERSION, small.model_dump_json(), *names, language.model_dump_json(), *_sources(store))
    before = store.manifest(folder)
    if before and before.notes.get("sources") == sources and store.done(folder, before.fingerprint):
        return before, True  # from these very files: they need not be read
    texts, spelling = bridge_texts(language, store), taught_words(store)
    fingerprint = digest("small", VERSION, small.model_dump_json(), *names, len(texts), *texts, *spelling)
    done = store.done(folder, fingerprint)
    if done:
        return done, True
    about_to_make("download-model", folder, store)
    log.info("download-model: the small base is made here, from %d texts in %s", len(texts), language.bridge.name)
    tokenizer = _save_tokenizer(small, [*_damped(texts), *spelling, *_instructions(prompts, language)], store.path(folder))
    chats = (chat for lesson in _lessons(texts, small) for chat in _encode(lesson, tokenizer, small.row_length))
    rows = pack(chats, {"lessons": fingerprint}, small.row_length, small.seed, store)
    _learn(small, rows, store.path(folder))
    notes = {"tokens": str(small.steps * small.rows * small.row_length), "sources": sources}
    return commit("small", folder, fingerprint, store, notes), False


def _sources(store: Store) -> list[str]:
    """SHA-256 of the files that the texts are read from."""
    files = [store.path(f"{TRAINING}/{split}.jsonl") for split in ("train", "val", "test")]
    ingested = store.manifest("data/processed/ingest")
    return [ingested.fingerprint if ingested else "", *(sha256(file) if os.path.isfile(file) else "" for file in files)]


def bridge_texts(language: Language, store: Store) -> list[str]:
    """Sentences in the bridge language: of the training pairs, and of documents that are in this language only.

    What occurs in val or test is left out, wherever it comes from.
    """
    bridge = language.bridge.code
    held_out = {text for split in ("val", "test") for text in _bridge_sides(split, bridge, store)}
    found = dict.fromkeys(text for text in _bridge_sides("train", bridge, store) if text not in held_out)
    documents = list(store.records("ingest", Document))
    parallel = {document.name for document in documents if document.language != bridge}
    for document in documents:
        if document.language == bridge and document.name not in parallel:
            sentences = (text for paragraph in document.paragraphs for text in language.sentences(paragraph, bridge=True))
            found |= dict.fromkeys(text for text in sentences if text not in held_out)
    return list(found)


def _bridge_sides(split: str, bridge: str, store: Store) -> Iterator[str]:
    """The bridge language's side of the translations of a split."""
    for example in by_people(read_examples(store.path(f"{TRAINING}/{split}.jsonl"))):
        source, _, target = example.direction.partition("-")
        if example.task == "translation" and bridge in (source, target):
            yield example.source if source == bridge else example.answer


def taught_words(store: Store) -> list[str]:
    """The words of both sides of the training examples, for the tokenizer only: cut into morphemes where an example says how.

    What a dictionary lists counts most, so that stems become tokens whole, and endings others.
    """
    examples = list(by_people(read_examples(store.path(f"{TRAINING}/train.jsonl"))))
    known = dict(pair for example in examples if example.task == "morphology" for pair in _morphemes(example))
    texts = dict.fromkeys(text for example in examples for text in (example.source, example.answer))
    found = [part for piece in _damped(texts) for part in _parts(piece, known)]
    listed = [f" {text}" for example in examples if example.task == "dictionary" for text in (example.source, example.answer)]
    return [*found, *listed * LISTED]


def _damped(texts: Iterable[str]) -> list[str]:
    """The words of some texts as they are written; one that stands there a hundred times comes ten times."""
    return [
        piece for piece, count in Counter(piece for text in texts for piece in _cut(text)).items() for _ in range(round(math.sqrt(count)))
    ]


def _morphemes(example: Example) -> Iterator[tuple[str, list[str]]]:
    """The words of a text, in small letters, with their morphemes: hyphenated, as many, and spelling the words."""
    said, analyses = words(example.source), [analysis.split("-") for analysis in example.answer.lower().split()]
    if len(said) == len(analyses):
        yield from ((word, parts) for word, parts in zip(said, analyses, strict=True) if "".join(parts) == word and all(parts))


def _parts(piece: str, known: Mapping[str, list[str]]) -> list[str]:
    """A piece as the tokenizer sees it, cut into its morphemes if they are known; it is written as before."""
    word = piece.strip()
    if word.lower() not in known:
        return [piece]
    ends = list(itertools.accumulate((len(part) for part in known[word.lower()]), initial=piece.index(word)))
    return [piece[begin:end] for begin, end in itertools.pairwise([0, *ends[1:-1], len(piece)])]


def _cut(text: str) -> list[str]:
    found: list[str] = regex.findall(QWEN_SPLIT, text)
    return found


def _instructions(prompts: Prompts, language: Language) -> list[str]:
    """What the user says around the texts, often enough for the tokenizer to learn it."""
    templates = [template.replace("{text}", "") for template in prompts.model_dump().values()]
    names = (language.name, language.bridge.name)
    filled = [template.replace("{source}", name).replace("{target}", name) for template in templates for name in names]
    return [*filled, *(f"{instruction}: " for instruction in (REPEAT, REVERSE, ORDER))] * 100


def _save_tokenizer(small: Small, texts: Sequence[str], folder: str) -> ChatTokenizer:
    """A byte-level BPE tokenizer, cut like Qwen's."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    cut = pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated")
    inner.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=small.vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(CONTROL),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=TURN_END, pad_token=TEXT_END, model_max_length=small.context)
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    return ChatTokenizer.load(folder)


def _lessons(texts: Sequence[str], small: Small) -> Iterator[tuple[str, str]]:
    """What is asked and what is to be said, in a fixed order; nothing is asked before a plain text.

    Half of what is repeated or turned round are words drawn at random: they cannot be guessed, only looked up, and looking
    up is what translation needs most.
    """
    rng = random.Random(small.seed)
    vocabulary = sorted({word.strip("¿?¡!.,;:") for text in texts for word in text.lower().split()})
    for _ in range(LESSONS_PER_TEXT):
        for text in rng.sample(texts, len(texts)):
            draw = rng.random()
            if draw < 0.15:
                yield "", text
            elif draw < 0.25:
                yield f"{ORDER}: {' '.join(rng.sample(text.split(), len(text.split())))}", text
            else:
                words = text.split() if rng.random() < 0.5 else rng.choices(vocabulary, k=rng.randint(1, 6))
                if rng.random() < 0.5:
                    yield f"{REPEAT}: {' '.join(words)}", " ".join(words)
                else:
                    yield f"{REVERSE}: {' '.join(words)}", " ".join(reversed(words))


def _encode(lesson: tuple[str, str], chat: ChatTokenizer, longest: int) -> Iterator[Chat]:
    question, answer = lesson
    before = chat.prompt(question) if question else [chat.pad]
    ids = [*before, *chat.answer(answer)]
    if len(ids) <= longest:
        yield Chat(ids=ids, prompt=len(before))


def _new_model(small: Small, chat: ChatTokenizer) -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(small.seed)
    config = Qwen3Config(
        vocab_size=len(chat.tokenizer),
        hidden_size=small.hidden_size,
        intermediate_size=small.intermediate_size,
        num_hidden_layers=small.num_layers,
        num_attention_heads=small.num_heads,
        num_key_value_heads=small.num_key_value_heads,
        head_dim=small.hidden_size // small.num_heads,
        max_position_embeddings=small.context,
        tie_word_embeddings=True,
        initializer_range=small.hidden_size**-0.5,
        bos_token_id=None,
        eos_token_id=chat.end,
        pad_token_id=chat.pad,
    )
    model = Qwen3ForCausalLM(config)
    for number, layer in enumerate(model.model.layers):
        _imitate_trained_attention(layer.self_attn, alike=number > 0)
    return model


@torch.no_grad()
def _imitate_trained_attention(attention: Any, *, alike: bool) -> None:
    """Begin where attention ends up anyway, in a tenth of the time (mimetic initialisation, Trockman and Kolter, 2023).

    With ``alike`` keys are made like queries, so that a token looks at those like it; the output undoes the values, so that
    what was looked at is taken over as it is.
    """
    size, groups = attention.head_dim, attention.num_key_value_groups
    query, key, value, output = (getattr(attention, f"{name}_proj").weight for name in "qkvo")
    if alike:
        query.copy_(key.view(-1, size, key.shape[1]).repeat_interleave(groups, dim=0).reshape_as(query))
    torch.nn.init.orthogonal_(value, gain=VALUE_GAIN)
    spread = value.view(-1, size, value.shape[1]).repeat_interleave(groups, dim=0) / groups
    output.copy_(spread.reshape(-1, value.shape[1]).T)


def _learn(small: Small, rows: Packed, folder: str) -> None:
    """Train the model and save it beside its tokenizer, with one process for each core: small matrices gain nothing from threads."""
    cores = torch.get_num_threads()
    world = max(number for number in range(1, cores + 1) if small.rows % number == 0)
    if world == 1 or small.steps < WORTH_PROCESSES:
        _work(0, 1, small, rows, folder, "")
    else:
        with tempfile.TemporaryDirectory() as meeting:
            torch.multiprocessing.spawn(_work, (world, small, rows, folder, f"{meeting}/point"), nprocs=world)


def _work(rank: int, world: int, small: Small, rows: Packed, folder: str, meeting: str) -> None:
    """What every process does; the first one saves the model."""
    from transformers.utils.logging import disable_progress_bar

    if world > 1:
        torch.set_num_threads(1)
        logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING, format="%(message)s")
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # as in the parent
        torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    tokenizer = ChatTokenizer.load(folder)
    model = _new_model(small, tokenizer)
    training = Training(
        learning_rate=small.learning_rate,
        per_device_train_batch_size=small.rows // world,
        num_workers=world,
        max_steps=small.steps,
        max_seq_length=small.row_length,
        seed=small.seed,
    )
    run = setup(training, model.train(), rows, None, tokenizer.pad, Place(rank, world))
    while run.step < small.steps:
        loss, _ = train_step(run)
        run.step += 1
        if run.step % PRINT_EVERY == 0 or run.step == small.steps:
            log.info("download-model: the small base, step %d of %d, loss %.2f", run.step, small.steps, loss)
    if rank == 0:
        disable_progress_bar()
        model.save_pretrained(folder)
    if world > 1:
        torch.distributed.destroy_process_group()
