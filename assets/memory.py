"""What the system keeps of files in memory: an import reads far more than there is room for."""

import os


def let_go(descriptor: int) -> None:
    """What was read for the last time need not stay, where it would drive out the database's pages; and what
    is written next need not be given fresh memory, which takes longer than writing it."""
    if hasattr(os, "posix_fadvise"):  # not on every system
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
