"""Do a large computation in pieces that fit into memory."""

from collections.abc import Callable
from itertools import pairwise

import torch

from deepcryopicker.errors import MicrographError

Piece = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""


class OutOfMemoryError(MicrographError):
    """Memory does not even suffice for the smallest piece."""


def in_pieces(
    shape: tuple[int, int], side: int, smallest: int, compute: Callable[[Piece], None]
) -> None:
    """Compute a grid piece by piece; where memory runs out, pieces halve and it goes on.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the grid.
    side : int
        Most rows and columns of a piece.
    smallest : int
        A piece of this side is not made smaller.
    compute : callable
        Is given every piece; again in smaller ones if it raises for want of memory.

    Raises
    ------
    OutOfMemoryError
        If memory does not even suffice for the smallest pieces.
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
                    "out of memory even for the smallest part of a scan; free some memory, or "
                    "use picker.device=cpu or a smaller model"
                ) from error
            side = max(largest // 2, smallest)
        else:
            continue
        # Only now, when the traceback no longer holds tensors, is their memory free.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        pending.append(piece)


def _divided(piece: Piece, side: int) -> list[Piece]:
    """Divide a piece into as few as possible, all about as large."""
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
    """Tell a lack of memory from other errors; on a CPU torch raises a plain RuntimeError."""
    words = ("not enough memory", "DefaultCPUAllocator", "can't allocate memory")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)
