"""What a shell needs to complete verbs, options and keys: eval "$(seshat completion bash)" """

import sys
from collections.abc import Sequence

from seshat.command import answer
from seshat.verbs import SHELLS


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) != 1 or words[0] in ("-h", "--help"):
        print(f"usage: seshat completion {'|'.join(SHELLS)}\n\n{__doc__}")
        return 0 if words in (["-h"], ["--help"]) else 2

    def work() -> int:
        from seshat.completion import script  # loads the whole configuration

        print(script(words[0]), end="")
        return 0

    return answer(work)


if __name__ == "__main__":
    sys.exit(main())
