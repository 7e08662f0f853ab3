"""Phrase-based statistical translation (Koehn, Och and Marcu, 2003): the best that a few thousand pairs and one minute can do.

Words are aligned (``words``), phrases are cut along the alignment (``table``), a language model of the target side says what
reads well (``ngram``), and a beam search finds the best of both (``search``). ``translator`` puts them together.
"""
