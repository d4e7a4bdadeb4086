"""Lines and cells of a STAR file: quotes, comments, text between semicolons, reserved words."""

import re
from collections.abc import Iterator
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.text import LONGEST_LINE, text_lines

_BLOCKS = ("data_", "save_")
_MARKS = frozenset(("loop_", "stop_", "global_"))
_QUOTES = "\"'"
_WORD = re.compile(r"\S+", re.ASCII)
# A quotation mark ends a cell only before white space: 'it's' is one cell.
_END = {mark: re.compile(rf"{mark}(?=\s|$)", re.ASCII) for mark in _QUOTES}


class Lines:
    """The current line of a STAR file that is neither blank nor a comment.

    Attributes
    ----------
    path : Path
    number : int
        Of the line in the file, from 1.
    cells : list of str
        Without quotation marks and without a comment at their end; empty at the end of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.cells: list[str] = []
        self._text = ""
        self._after_gap = False
        self._returned: list[tuple[int, str]] = []
        self._numbered = self._replayed(path)
        self.advance()

    def advance(self) -> None:
        """Go to the next line that is neither blank nor a comment; no cells at the end."""
        self._after_gap = False
        for number, text in self._numbered:
            if cells := split_cells(text):
                self.number, self.cells, self._text = number, cells, text
                return
            self._after_gap = True
        self.cells, self._text = [], ""

    @property
    def is_label(self) -> bool:
        """Whether the line begins with the name of a column or value, such as ``_rlnVoltage``."""
        return self._text.lstrip().startswith("_")

    @property
    def begins_text(self) -> bool:
        """Whether the line begins text that ends with a line that begins with a semicolon."""
        return self._text.startswith(";")

    @property
    def reserved(self) -> str:
        """The word in lower case if the line is one reserved word without quotes, else empty."""
        if len(self.cells) != 1 or self._text.lstrip().startswith(tuple(_QUOTES)):
            return ""
        word = self.cells[0].lower()
        return word if word in _MARKS or word.startswith(_BLOCKS) else ""

    def ends_rows(self, columns: int) -> bool:
        """Return whether the rows of a ``loop_`` with this number of columns end here.

        In a table of one column, such as a list of micrographs, ``data_2.mrc`` may be a row or
        begin a block. It begins one if a ``loop_`` or a value follows; it is a row if another row
        follows, or if it stands directly below a row, where RELION reads one as well.

        Raises
        ------
        UsageError
            It stands alone, so that it may be either; or rows follow what ends a table.
        """
        word = self.reserved
        if not self.cells or not word:
            return not self.cells
        following = self._following()
        first = following[0].lower() if following else "data_"
        if columns == 1 and word.startswith(_BLOCKS):
            label = first.startswith("_") and (len(following) > 1 or self._after_gap)
            if label or first == "loop_":
                return True
            if not self._after_gap or not first.startswith(_BLOCKS):
                return False
            raise self._damaged(
                "may be a row or a new block",
                "put quotes around it if it is a row, or remove the blank line above it",
            )
        # Directly below a row, a block without content is rather a row that lacks its other cells.
        empty = first.startswith(_BLOCKS) and word.startswith(_BLOCKS) and word != "save_"
        if empty and not self._after_gap:
            raise self._damaged(
                "may be a row without its other cells or a new block",
                "complete or remove the line, or put a blank line above it",
            )
        if first.startswith(("_", *_BLOCKS)) or first in _MARKS:
            return True
        raise self._damaged("ends a table, and rows follow", "correct or remove the line")

    def _damaged(self, what: str, advice: str) -> UsageError:
        return UsageError(
            f"{self.path}: damaged STAR table: line {self.number}, '{self.cells[0][:80]}', {what}"
            f"\n{advice}"
        )

    def take(self, wanted: int) -> list[str]:
        """Return the cells of a row, and advance; text between semicolons continues a row.

        Parameters
        ----------
        wanted : int
            Number of cells of a row. There may be more or fewer.
        """
        cells: list[str] = []
        if not self.begins_text:
            cells = self.cells
            self.advance()
        while len(cells) < wanted and self.begins_text:
            cells = [*cells, *self._take_text()]
        return cells

    def _take_text(self) -> list[str]:
        """Return the text that begins here and the cells after its last semicolon; advance."""
        first, parts, length = self.number, [self._text[1:]], 0
        for _, text in self._numbered:
            if text.startswith(";"):
                self.advance()
                return ["".join(parts).strip("\r\n"), *split_cells(text[1:])]
            parts.append(text)
            length += len(text)
            if length > LONGEST_LINE:
                break
        raise UsageError(
            f"{self.path}: damaged STAR table: the text that begins in line {first} has no end\n"
            "it ends with a line that begins with a semicolon"
        )

    def _following(self) -> list[str]:
        """Return the cells of the line after the current one without going there."""
        gap: list[tuple[int, str]] = []
        for number, text in self._numbered:
            if cells := split_cells(text):
                self._returned += [*gap, (number, text)]
                return cells
            gap = [(number, text)]
        return []

    def _replayed(self, path: Path) -> Iterator[tuple[int, str]]:
        """Yield the lines of the file by number, and those returned once more."""
        for line in enumerate(text_lines(path), 1):
            yield line
            while self._returned:
                yield self._returned.pop(0)


def split_cells(line: str) -> list[str]:
    """Split a line at white space outside quotes, up to a ``#`` that begins a word.

    Examples
    --------
    >>> split_cells("1 'a b.mrc' it's # comment")
    ['1', 'a b.mrc', "it's"]
    """
    if '"' not in line and "'" not in line and "#" not in line and line.isascii():
        return line.split()
    cells: list[str] = []
    ends = dict(_END)
    word = _WORD.search(line)
    while word and word.group()[0] != "#":
        mark = word.group()[0]
        end = ends[mark].search(line, word.start() + 1) if mark in ends else None
        if end is None:
            ends.pop(mark, None)  # it never ends, nor will another
            cells.append(word.group())
        else:
            cells.append(line[word.start() + 1 : end.start()])
        word = _WORD.search(line, word.end() if end is None else end.end())
    return cells
