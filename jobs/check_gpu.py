"""Say whether a GPU is there, and whether torch and 4-bit arithmetic really use it."""

from seshat.command import main
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.training.hardware import describe


def run(settings: Settings) -> Outcome:
    verdict, *details = describe()
    print("\n".join(details))
    return Outcome(stage="check-gpu", note=verdict)


if __name__ == "__main__":
    main(run, __doc__)
