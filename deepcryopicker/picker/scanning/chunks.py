"""Compute a large grid in pieces that fit into memory."""

from collections.abc import Callable
from itertools import pairwise

import torch

from deepcryopicker.errors import MicrographError

Piece = tuple[int, int, int, int]
"""First row, end row (excluded), first column, end column (excluded)."""


class OutOfMemoryError(MicrographError):
    """Not even the smallest piece fits into memory."""


def in_pieces(
    shape: tuple[int, int], side: int, smallest: int, compute: Callable[[Piece], None]
) -> None:
    """Compute a grid piece by piece, with pieces half as large whenever memory runs out.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the grid.
    side : int
        Maximum number of rows and of columns of a piece.
    smallest : int
        Pieces of this side are not divided further.
    compute : callable
        Called with every piece, and again with smaller ones if it runs out of memory.

    Raises
    ------
    OutOfMemoryError
        If not even the smallest pieces fit into memory.
    """
    pending: list[Piece] = [(0, shape[0], 0, shape[1])]
    while pending:
        piece = pending.pop()
        top, bottom, left, right = piece
        if max(bottom - top, right - left) > side:
            pending += reversed(_divided(piece, side))
            continue
        try:
            compute(piece)
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            largest = max(bottom - top, right - left)
            if largest <= smallest:
                raise OutOfMemoryError(
                    "out of memory even for the smallest tile of a scan; free some memory, or "
                    "use picker.device=cpu or a smaller model"
                ) from error
            side = max(largest // 2, smallest)
        else:
            continue
        # Outside the except block: the traceback keeps the tensors, and so their memory, alive.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        pending.append(piece)


def _divided(piece: Piece, side: int) -> list[Piece]:
    """Divide a piece into as few pieces as possible, of about equal size."""
    top, bottom, left, right = piece
    return [
        (*rows, *columns)
        for rows in pairwise(_bounds(top, bottom, side))
        for columns in pairwise(_bounds(left, right, side))
    ]


def _bounds(start: int, stop: int, side: int) -> list[int]:
    count = -(-(stop - start) // side)
    return [start + (stop - start) * i // count for i in range(count + 1)]


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether memory ran out; on a CPU torch raises a plain RuntimeError for it."""
    words = ("not enough memory", "DefaultCPUAllocator", "can't allocate memory")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)
