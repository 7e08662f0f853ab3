"""A small translator that is learnt from the pairs alone, in minutes on one core, and can point at its hints.

It reads a sentence with the translations that dictionary and lexicon have for its words, and writes the translation piece by piece,
each out of its vocabulary or copied from what it has read (``network``: See, Liu and Manning, 2017, "Get To The Point"). It is an
instrument: so few pairs do not make a good translator of it, but it shows in minutes what hints are worth.
"""
