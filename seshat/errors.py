"""Every error that a user can meet.

SeshatError
├── ConfigError   what a person wrote in YAML, or on the command line, is wrong; nothing has run (exit 2)
├── DataError     one source is unreadable; the record is rejected and the run goes on
├── StoreError    something on disk is missing or damaged; the message names the ``make`` that makes it
├── EngineError   a library, a system tool or model weights are missing; the message says how to install them
├── DivergedError the loss of a training run is not finite; the message says in which step, and which settings to lower
├── TooLargeError the smallest batch of a training run does not fit into memory; the message says which settings need less
└── StoppedError  somebody asked the process to end, and what was done is kept; the same command goes on (exit 143)

Every error takes one string, a whole sentence (what, where, what to do), so that it survives the trip from a Ray worker.
"""


class SeshatError(Exception):
    """The root of all errors on purpose."""

    exit_code = 1


class ConfigError(SeshatError):
    """A setting is wrong: the file, the key and the cure are named, and nothing has run."""

    exit_code = 2


class DataError(SeshatError):
    """One source (a file, a page, a row) cannot be used; its record is rejected with this sentence."""


class StoreError(SeshatError):
    """What should be on disk is missing, damaged or stale."""


class EngineError(SeshatError):
    """A library, a system tool or a model that an engine needs is not there."""


class DivergedError(SeshatError):
    """The loss of a training run, or its gradient, is not finite; the same steps would end in the same way."""


class TooLargeError(SeshatError):
    """Even the smallest batch of a training run does not fit into memory."""


class StoppedError(SeshatError):
    """The process was asked to end (SIGTERM), and what was done is kept."""

    exit_code = 143
