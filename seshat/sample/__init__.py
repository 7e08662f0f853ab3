"""The embedded default: Tamuri, a small agglutinative language that is made by code from a seed, with all its raw material.

Nothing is downloaded and everything has a gold answer. A `Meaning` is said in both languages, so that translation is a
function both ways::

    phonology -> lexicon (words, verbs) -> compose (clauses, phrases) -> Meaning -> tamuri, castilian -> Sentence
                                                                                                          |
    write (dictionary, documents, scans, speech, ...)  <---------------------------------------------------

Tamuri puts the verb last and everything else in suffixes: *kesi-nu-ye-ma*, house-PL-POSS.1SG-LOC, «en mis casas». Any
likeness to a living language is by chance.
"""
