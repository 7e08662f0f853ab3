"""Say when each sentence of a transcript is spoken, and write ELAN, Praat and subtitle files; no configuration or model is needed.

    python -m jobs.time_transcripts --output DIR [--formats eaf,textgrid,srt,vtt] FILE...

FILE is a recording or its transcript (x.wav with x.txt, x.csv, x.eaf, x.TextGrid, x.srt or x.vtt), a folder with both, or
RECORDING=TRANSCRIPT. Of two languages, x.shp.txt and x.spa.txt, each is said in one piece. Times that a transcript has are kept.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seshat.data.plain_timing import pairs, spoken, tell, write
from seshat.data.time_transcripts import Timing
from seshat.data.timed_text import FORMATS
from seshat.errors import ConfigError, SeshatError
from seshat.messages import Parser, say


def main(argv: Sequence[str] | None = None) -> int:
    """Align, write, print what came of each recording, and return the exit code: 1 if one of them was refused."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--formats", default="eaf,textgrid,srt", help="which files to write (default %(default)s)")
    parser.add_argument("--language", default="und", metavar="CODE", help="the language that is spoken, for columns called by it")
    parser.add_argument("--model", default="", metavar="FOLDER", help="a CTC model of transformers (default: none is needed)")
    arguments = parser.parse_args(argv)
    try:
        formats = [form for form in FORMATS if form in arguments.formats.lower().split(",")]
        if len(formats) != len(arguments.formats.split(",")):
            raise ConfigError(f"--formats {arguments.formats}: known are {', '.join(FORMATS)}, with commas between them")
        language, aligner = spoken(arguments.language), Timing(model=arguments.model).aligner()
        refused = 0
        for told in tell(pairs(arguments.files, language), aligner, language):
            say("\n  ".join(map(str, [told, *([] if told.refused else write(told, arguments.output, formats))])))
            refused += bool(told.refused)
    except (SeshatError, OSError) as error:
        say(error, file=sys.stderr)
        return getattr(error, "exit_code", 1)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
