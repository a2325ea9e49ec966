"""``python -m harness.reading.piece FORMAT PATH START:END:FIRST ...``: reads parts of a history.

It writes the piece that it made of each to its output, one after the other, and ends with 3 at a part that is
indivisible. Nobody else starts it; what it writes is for the process that did.
"""

import pickle
import signal
import sys
from pathlib import Path

from harness.reading.cutting import Part
from harness.reading.pieces import Indivisible, read_recorded, read_run

RUN = "run"
"""What stands for the format of a run of the harness."""
INDIVISIBLE = 3


def main(words: list[str]) -> int:
    """Do it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever started this says what there is to say
    format_name, path, *parts = words
    for part in (Part(Path(path), *map(int, numbers.split(":"))) for numbers in parts):
        try:
            piece = read_run(part) if format_name == RUN else read_recorded(part, format_name)
        except Indivisible:
            return INDIVISIBLE
        pickle.dump(piece, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()
        del piece
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
