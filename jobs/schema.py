"""The configuration as a JSON Schema, for editors that check YAML while it is written; configs/schema.json is the same."""

import sys

from seshat.messages import Parser


def main() -> int:
    Parser(prog="seshat schema", description=__doc__).parse_args()
    from seshat.schema import text  # loads the whole configuration

    print(text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
