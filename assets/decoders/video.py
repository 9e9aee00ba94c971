"""Videos, by the FFmpeg (LGPL) inside OpenCV: duration, size, and one frame as the poster."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from assets.decode import shrunk
from assets.decoders import Look, Refused

# Nothing but this file, and only formats that hold a video themselves: playlists name other places.
CONTAINERS = "mov,matroska,webm,avi,mpeg,mpegvideo,mpegts,flv,asf,m4v"
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = (
    f"protocol_whitelist;file|format_whitelist;{CONTAINERS}|enable_drefs;0"
)
os.environ["OPENCV_FFMPEG_LOGLEVEL"] = os.environ["OPENCV_LOG_LEVEL"] = "0"
import cv2  # noqa: E402 (it reads the variables above)

ERRORS = (cv2.error,)
TRIED = (0.1, 0.25, 0.5, 0.0)  # of the duration: where a poster is looked for
TELLING = 12.0  # standard deviation of brightness, of 255: below it is a plain surface, often black
LONGEST_MS = 7 * 24 * 3600 * 1000  # a week; more is a damaged header
MIN_BYTES_A_SECOND = 20
NO_PICTURE = (
    "There is no video in this file that can be decoded here. Convert it to MP4 (H.264), or copy it again."
)
MEDIA_TYPES = (
    (b"\x1aE\xdf\xa3", 0, "video/x-matroska"),
    (b"AVI ", 8, "video/x-msvideo"),
    (b"FLV", 0, "video/x-flv"),
    (b"0&\xb2u", 0, "video/x-ms-wmv"),
    (b"\0\0\1", 0, "video/mpeg"),
    (b"G", 0, "video/mp2t"),
    (b"ftypqt", 4, "video/quicktime"),
    (b"ftyp", 4, "video/mp4"),
)


def look(path: str) -> Look:
    video = _opened(path)
    found = _frame(video, 0.0)
    if found is None:
        raise Refused(NO_PICTURE)
    height, width = found.shape[:2]
    return Look(width, height, 1, _duration(video, path), _media_type(path))


def show(path: str, longest: int) -> Image.Image:
    """A frame that shows something: not the black of the beginning, if there is any other."""
    video = _opened(path)
    seconds = (_duration(video, path) or 0) / 1000
    best, most = None, -1.0
    for part in TRIED if seconds else (0.0,):
        frame = _frame(video, seconds * part)
        telling = float(np.std(frame)) if frame is not None else -1.0
        if telling > most:
            best, most = frame, telling
        if most >= TELLING:
            break
    if best is None:
        raise Refused(NO_PICTURE)
    return shrunk(Image.fromarray(cv2.cvtColor(best, cv2.COLOR_BGR2RGB)), longest)


def _opened(path: str) -> cv2.VideoCapture:
    video = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not video.isOpened():
        raise Refused(NO_PICTURE)
    return video


def _frame(video: cv2.VideoCapture, seconds: float) -> np.ndarray | None:
    """(height, width, 3) in BGR, upright; None where there is none."""
    if seconds:
        video.set(cv2.CAP_PROP_POS_MSEC, seconds * 1000)
    read, frame = video.read()
    return frame if read and frame is not None and frame.size else None


def _duration(video: cv2.VideoCapture, path: str) -> int | None:
    """Milliseconds, as the file says; None where that cannot be true."""
    frames, rate = video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)
    if not (0 < frames < 1e10 and 0 < rate < 1e6):
        return None
    found = round(frames / rate * 1000)
    plausible = found / 1000 * MIN_BYTES_A_SECOND <= Path(path).stat().st_size + 10_000
    return found if 0 < found <= LONGEST_MS and plausible else None


def _media_type(path: str) -> str:
    with Path(path).open("rb") as file:
        head = file.read(64)
    if b"webm" in head:
        return "video/webm"
    for mark, at, media_type in MEDIA_TYPES:
        if head[at : at + len(mark)] == mark:
            return media_type
    return "video/quicktime"  # without a box of brands
