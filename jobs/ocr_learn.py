"""Teach OCR an alphabet that no engine knows, from lines that were corrected, texts of the language and the fonts of this machine.

DIR holds NAME.png and NAME.gt.txt for each line. A share of the lines is held out and tested on; the others are learnt from.
Without --lines only the alphabet (language.alphabet), texts and fonts are learnt from, and nothing is tested.
Then: make ocr ARGS="ocr.engine=learnt ocr.model=MODEL"

Examples:
    seshat ocr-learn --lines corrected --output models/ocr/shp language=configs/languages/shp.yaml
"""

import argparse

from seshat.command import main
from seshat.engines.ocr_learnt import write_model
from seshat.messages import say
from seshat.settings import Settings
from seshat.training.ocr import learn
from seshat.training.ocr_lines import apart, divide, read_lines, read_texts

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--lines", default="", metavar="DIR", help="corrected lines: NAME.png (.bin.png, .jpg, .tif) and NAME.gt.txt")
ARGUMENTS.add_argument("--output", required=True, metavar="MODEL", help="the folder to write")
ARGUMENTS.add_argument("--text", nargs="+", action="extend", default=[], metavar="FILE", help="text of the language, in UTF-8")
ARGUMENTS.add_argument("--held-out", type=float, default=0.2, metavar="SHARE", help="test on so many of the lines (default 0.2; 0: none)")


def run(settings: Settings, *, lines: str, output: str, text: list[str], held_out: float) -> None:
    known, tested = divide(read_lines(lines) if lines else [], held_out)
    learnt = learn(known, settings.language.order, apart(read_texts(text), tested), settings.ocr_learn)
    say(write_model(output, learnt.card(settings.language.code, tested), learnt.head))


if __name__ == "__main__":
    main(run, __doc__, section="ocr_learn", arguments=ARGUMENTS)
