"""The child: `python -m jobs.engines.video VIDEO POSTER MEMORY_BYTES CPU_S` prints the verdict as JSON."""

import json
import os
import resource
import sys
from pathlib import Path

MAX_POSTER_BYTES = 4 * 2**20


def main(path: str, poster: str, memory_bytes: str, cpu_s: str) -> int:
    """Check one file under limits that the file cannot lift."""
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s) + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_POSTER_BYTES, MAX_POSTER_BYTES))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    # After the limits: importing FFmpeg's libraries is part of what they bound.
    import av

    from jobs.engines.video.probe import probe

    av.logging.set_level(av.logging.PANIC)
    print(json.dumps(probe(Path(path), poster=Path(poster)).as_dict()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
