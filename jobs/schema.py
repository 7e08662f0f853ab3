"""The configuration as a JSON Schema, for editors that check YAML while it is written; configs/schema.json is the same."""

import sys

from seshat.schema import text


def main() -> int:
    print(text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
