"""Seshat teaches a multilingual language model a new, low-resource language."""

__version__ = "0.1.0"
