from pathlib import Path

import pytest

from seshat.data.tokenizer import Analysis, LanguageFigures, Pieces, TokenizerAnalysis, analyse, tokenizer_analysis
from seshat.errors import EngineError, StoreError
from seshat.language import Language
from seshat.records import SentencePair
from seshat.store import PROCESSED, Manifest, Store

LANGUAGE = Language(code="qtm", name="tamo", alphabet="a k s ñ", apostrophe="\u02bc")
SPANISH = ["la casa grande", "la casa blanca", "el perro come", "la perra come"]


def pair(text: str, translation: str) -> SentencePair:
    return SentencePair(text=text, translation=translation, origin=f"a#{text}", collection="a", language="qtm", bridge="spa")


PAIRS = [pair("kaskaʼa ñaka", "la casa grande"), pair("saka", "el perro come")]


@pytest.fixture(scope="module")
def byte_level() -> bytes:
    """Byte-level BPE that knows Spanish words, and the language's ñ and ʼ only as bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(SPANISH * 5, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False))
    return tokenizer.to_str().encode()


@pytest.fixture(scope="module")
def with_unknown() -> bytes:
    """One token for each letter that it knows, and one for all others."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {token: number for number, token in enumerate(["<unk>", *"acekloprs "])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return tokenizer.to_str().encode()


def test_byte_level_counts_parts_of_letters(byte_level: bytes) -> None:
    analysis = analyse(TokenizerAnalysis(), LANGUAGE, PAIRS, Pieces(byte_level), "tiny")
    assert analysis.byte_level
    assert analysis.language.unknown == 0
    # 16 characters with a space: ʼ and ñ take two bytes each, and "as" may be merged
    assert analysis.language.partial_bytes == pytest.approx(4 / analysis.language.num_tokens)
    assert analysis.bridge.partial_bytes == 0
    assert analysis.bridge.fertility < analysis.language.fertility
    assert analysis.ratio > 2
    assert analysis.parity == analysis.language.num_tokens / analysis.bridge.num_tokens
    assert {letter.letter: letter.tokens for letter in analysis.letters if letter.tokens > 1} == {"Ñ": 2, "ñ": 2, "ʼ": 2}
    assert analysis.coverage == pytest.approx(13 / 15)


def test_unknown_tokens_are_counted(with_unknown: bytes) -> None:
    analysis = analyse(TokenizerAnalysis(), LANGUAGE, [pair("kaña", "ala")], Pieces(with_unknown))
    assert not analysis.byte_level
    assert analysis.language.unknown == 0.25
    assert analysis.bridge.unknown == 0
    assert analysis.language.partial_bytes == 0


@pytest.mark.parametrize(
    ("tokens", "advice"),
    [(150, "The tokenizer is fine"), (250, "training will be slower"), (350, "Consider extending the vocabulary")],
)
def test_the_rules_of_thumb(tokens: int, advice: str) -> None:
    def figures(code: str, number: int) -> LanguageFigures:
        return LanguageFigures(code=code, num_words=100, num_characters=500, num_tokens=number, partial_bytes=0, unknown=0, whole_words=0)

    facts = {"tokenizer": "x", "vocabulary": 1, "byte_level": True, "num_pairs": 1, "letters": ()}
    analysis = Analysis(language=figures("qtm", tokens), bridge=figures("spa", 100), **facts)
    assert analysis.recommendation.startswith(advice) or advice in analysis.recommendation
    assert advice in str(analysis)
    offered = "make tokenizer-extend ARGS='extend.tokens=500'" in analysis.recommendation
    assert offered == ("quality has not been established" in analysis.recommendation) == (tokens > 300)


def test_the_sample_is_taken_by_content(byte_level: bytes) -> None:
    settings = TokenizerAnalysis(sample=1)
    one = analyse(settings, LANGUAGE, PAIRS, Pieces(byte_level))
    assert one.num_pairs == 1
    assert one == analyse(settings, LANGUAGE, PAIRS[::-1], Pieces(byte_level))


def test_tokenizer_analysis_of_a_workspace(tmp_path: Path, byte_level: bytes) -> None:
    store, base = Store(str(tmp_path)), tmp_path / "models" / "base" / "tiny"
    with pytest.raises(StoreError, match="make align"):
        tokenizer_analysis(TokenizerAnalysis(), LANGUAGE, store, str(base))
    line = store.commit("align", "k", PAIRS, rows_in=2)
    store.finish(f"{PROCESSED}/align", Manifest(stage="align", fingerprint="one", parts=(line,)))
    with pytest.raises(EngineError, match="make download-model"):
        tokenizer_analysis(TokenizerAnalysis(), LANGUAGE, store, str(base))
    base.mkdir(parents=True)
    (base / "tokenizer.json").write_bytes(byte_level)
    outcome, analysis = tokenizer_analysis(TokenizerAnalysis(), LANGUAGE, store, str(base))
    assert analysis.tokenizer == "tiny"
    assert "fertility" in outcome.note
    again, same = tokenizer_analysis(TokenizerAnalysis(), LANGUAGE, store, str(base))
    assert again.done_before
    assert same == analysis
