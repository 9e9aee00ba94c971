"""Looking at files and decoding them in a process of its own, with limits.

    python -m assets.apart look FORMAT SOURCE
    python -m assets.apart show FORMAT SOURCE TARGET LONGEST [MARK]

`look` prints what assets.decoders.Look has, as JSON. `show` writes an upright sRGB picture of at most
LONGEST pixels, as PNG, JPEG, TIFF or (.tif) a TIFF pyramid by the name of TARGET; MARK is written on it. The
words of a document go to a text file beside it. A reason for people goes to standard error with exit
status 3. A file that crashes a decoder takes only this process with it. No Django in there: it must start
fast, so its limits come as LIMITS in its environment.
"""

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image

from assets.decode import DAMAGED, reason
from assets.decoders import Look, Refused
from assets.kinds import KINDS
from assets.marking import marked

CODE_DIR = Path(__file__).resolve().parent.parent
REFUSED = 3
LIMITS = ("DECODE_MEMORY_MB", "DECODE_SECONDS", "DECODE_LARGE_SECONDS")  # dam/settings.py has what they mean
MORE_ADDRESSES = 1700 * 1024**2  # are never touched: libraries, files that are mapped
FILE_BYTES = 2 * 1024**3
PARENT_DEATH = 1  # PR_SET_PDEATHSIG in linux/prctl.h
JPEG_QUALITY = 90
PYRAMID = ".tif"
SAVED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    ".png": ({"compress_level": 1}, {"compression": 1}),
    ".jpg": ({"quality": JPEG_QUALITY}, {"Q": JPEG_QUALITY}),
    ".tiff": ({"compression": "tiff_deflate"}, {"compression": "deflate"}),
    PYRAMID: ({}, {}),
}
"""How a format is written, by Pillow and by libvips."""
TILE = 512  # pixels of a side
PASSED_ON = (
    "PATH",
    "LANG",
    "TZ",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)  # no secret of this server
NOT_INSTALLED = (
    "{} files need the Python package that has {}, which is not installed on this server. "
    "An administrator can install it: see “File formats” in docs/operations.md."
)
UNREADABLE = (
    "The file ({}) is damaged, or stored in a way that is not known here ({}). Copy or export it again."
)
INCOMPLETE = "The file ({}) cannot be decoded completely ({}). Export or copy it again."
NOISE = re.compile(r"unable to (?:call|load from file)(?: the file)? |VipsForeign\w+:? ?|vips2\w+: .*")
# One thread each: every thread would take address space, which is limited.
QUIET = {"VIPS_CONCURRENCY": "1", "VIPS_WARNING": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Undecodable(Exception):
    """The message is for people."""


class Killed(ChildProcessError):
    """Somebody else ended the decoder: perhaps this machine had no memory left. Worth another try."""


def look(source: Path, format: str, seconds: float = 60) -> Look:
    """Size and more of a file of a format of KINDS. Raises Undecodable, Killed."""
    said = _run(["look", format, str(source.absolute())], format, seconds)
    return Look(**json.loads(said))


def show(source: Path, format: str, target: Path, longest: int, seconds: float, mark: str = "") -> str:
    """Write the picture of a file to `target`, .png, .jpg, .tiff or .tif; returns its words.

    `mark` is a line to write on it: see assets.marking.

    Raises as `look` does. A .tif is a pyramid of tiles, from the whole down to what fits into one: a part
    is read without the rest.
    """
    line = " ".join(mark.replace("\x00", " ").split())
    _run(["show", format, str(source.absolute()), str(target), str(longest), line], format, seconds)
    words = target.with_suffix(".txt")
    return words.read_text() if words.exists() else ""


def _run(arguments: list[str], format: str, seconds: float) -> str:
    from django.conf import settings  # of this side alone

    limits = {name: int(getattr(settings, name)) for name in LIMITS}
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {name: str(limit) for name, limit in limits.items()}
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and module)
            [sys.executable, "-m", "assets.apart", *arguments],
            cwd=CODE_DIR,
            env=environment | QUIET,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Undecodable(f"Decoding took longer than {seconds:.0f} seconds and was stopped.") from None
    if done.returncode == REFUSED:
        raise Undecodable(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    if done.returncode == -signal.SIGXCPU:
        seconds = limits[_seconds(format, "".join(arguments[3:4]))]
        raise Undecodable(
            f"The file needs more than {seconds} seconds of work to be shown, and was given "
            "up. An administrator can allow more."
        )
    if done.returncode == -signal.SIGKILL:  # its own limits end it otherwise
        raise Killed("The decoder was stopped from outside: perhaps this machine had no memory left.")
    if done.returncode != 0:
        raise Undecodable(
            f"The decoder stopped (status {done.returncode}): the file is damaged, "
            f"or needs more than {limits['DECODE_MEMORY_MB']:,} MB of memory."
        )
    return done.stdout.decode()


def _seconds(format: str, target: str) -> str:
    """The limit of processor time: kinds that are only decoded here have less than large pictures."""
    less = KINDS[format].apart and not target.endswith(PYRAMID)
    return "DECODE_SECONDS" if less else "DECODE_LARGE_SECONDS"


# --- in the process of its own ----------------------------------------------------------------------


def main(act: str, format: str, source: str, target: str = "", longest: str = "0", mark: str = "") -> int:
    _limit(_seconds(format, target))
    Image.MAX_IMAGE_PIXELS = None  # the limits are what counts here
    try:
        decoder = import_module(f"assets.decoders.{format.lower() if KINDS[format].apart else 'pictures'}")
    except ImportError as error:
        return _refuse(NOT_INSTALLED.format(KINDS[format].label, error.name))
    try:
        if act == "look":
            sys.stdout.write(json.dumps(decoder.look(source)._asdict()))
        else:
            _show(decoder, source, target, int(longest), mark)
    except Refused as error:
        return _refuse(str(error))
    except MemoryError:
        return _refuse(f"The file needs more than {os.environ['DECODE_MEMORY_MB']} MB of memory to be shown.")
    except (*DAMAGED, *getattr(decoder, "ERRORS", ())) as error:
        said = NOISE.sub("", reason(error).replace(source, "the file")).strip() or "no reason is given"
        return _refuse((UNREADABLE if act == "look" else INCOMPLETE).format(KINDS[format].label, said))
    return 0


def _refuse(said: str) -> int:
    sys.stderr.write(f"\n{said}")
    return REFUSED


def _limit(seconds_by: str) -> None:
    seconds, memory = int(os.environ[seconds_by]), int(os.environ["DECODE_MEMORY_MB"]) * 1024**2
    if sys.platform == "linux":  # a worker that is killed takes along what it waits for
        ctypes.CDLL(None).prctl(PARENT_DEATH, int(signal.SIGKILL))
    for kind, most in (
        (resource.RLIMIT_AS, memory + MORE_ADDRESSES),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))


def _show(decoder: ModuleType, source: str, target: str, longest: int, mark: str) -> None:
    """A decoder shows a Pillow image, or one of libvips that is still to be computed."""
    shown, (pillow, vips) = decoder.show(source, longest), SAVED[Path(target).suffix]
    if mark:
        shown = marked(shown if isinstance(shown, Image.Image) else Image.fromarray(shown.numpy()), mark)
    if target.endswith(PYRAMID):
        _save_pyramid(shown, target)
    elif isinstance(shown, Image.Image):
        shown.save(target, **pillow)
    else:
        shown.write_to_file(target, keep="none", **vips)
    if words := decoder.words(source) if hasattr(decoder, "words") else "":
        Path(target).with_suffix(".txt").write_text(words)


def _save_pyramid(shown: Any, target: str) -> None:
    import pyvips  # needed for nothing else where Pillow decodes

    if isinstance(shown, Image.Image):
        rgb = shown.convert("RGB")
        shown = pyvips.Image.new_from_memory(rgb.tobytes(), rgb.width, rgb.height, 3, "uchar")
        shown = shown.copy(interpretation="srgb")
    tiles = {"tile": True, "tile_width": TILE, "tile_height": TILE, "pyramid": True, "depth": "onetile"}
    shown.tiffsave(target, **tiles, compression="jpeg", Q=JPEG_QUALITY, bigtiff=True, keep="none")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:7]))
