"""All that was measured about scans and recordings, in one run: python -m benchmarks.media [PART ...]

PART is pages, learning, recordings, timing or training; each is a program of its own (``benchmarks.media_pages --help``).
"""

from __future__ import annotations

import subprocess
import sys

PARTS = {
    "pages": "media_pages",
    "learning": "media_ocr_learn",
    "recordings": "media_speech",
    "timing": "media_timing",
    "training": "media_speech_train",
}


def main() -> int:
    """Run the parts, one after the other; the first exit code that is not 0."""
    asked = sys.argv[1:] or list(PARTS)
    if unknown := [part for part in asked if part not in PARTS]:
        print(f"{', '.join(unknown)}: the parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    codes = []
    for part in asked:
        print(f"== {part}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{PARTS[part]}"], check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
