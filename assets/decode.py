"""Large or unusual originals are decoded here, in a process of its own with limits.

    python -m assets.decode SOURCE TARGET LONGEST

writes SOURCE as an upright sRGB PNG of at most LONGEST pixels and exits 0; a reason for people goes to
standard error with exit status 3. A file that crashes the decoder takes only this process with it.
No Django here: it must start fast.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

MEMORY_BYTES = 3 * 1024**3
CPU_SECONDS = 90
REFUSED = 3
CODE_DIR = Path(__file__).resolve().parent.parent


class Undecodable(Exception):
    """The message is for people."""


def decode_apart(source: Path, target: Path, longest: int, seconds: float) -> None:
    """Run this module in a child process. Raises Undecodable."""
    command = [sys.executable, "-m", "assets.decode", str(source.absolute()), str(target), str(longest)]
    environment = {**os.environ, "VIPS_CONCURRENCY": "1", "VIPS_WARNING": "0"}
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and module)
            command,
            cwd=CODE_DIR,
            env=environment,
            capture_output=True,
            timeout=seconds,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Undecodable(f"Decoding took longer than {seconds:.0f} seconds and was stopped.") from None
    if done.returncode == REFUSED:
        raise Undecodable(done.stderr.strip())
    if done.returncode != 0:
        raise Undecodable(
            f"The decoder stopped (status {done.returncode}): the file is damaged, "
            f"or needs more than {MEMORY_BYTES // 1024**3} GB of memory or {CPU_SECONDS} seconds."
        )


def main(source: str, target: str, longest: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    import pyvips

    pyvips.cache_set_max(0)
    side = int(longest)
    try:
        image = pyvips.Image.thumbnail(source, side, height=side, size="down", fail_on="truncated")
        if image.hasalpha():
            image = image.flatten(background=255)
        if image.interpretation not in ("srgb", "b-w"):
            image = image.colourspace("srgb")
        if image.format != "uchar":
            image = image.cast("uchar", shift=image.format == "ushort")
        image.write_to_file(target, compression=1, keep="none")
    except pyvips.Error as error:
        first = str(error).strip().splitlines()[-1]
        sys.stderr.write(f"The picture cannot be decoded completely ({first}). Export or copy it again.")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
