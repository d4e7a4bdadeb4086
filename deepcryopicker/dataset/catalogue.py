"""The micrographs of a run, their settings and their truth."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from deepcryopicker.dataset.inside import reading_inside, within
from deepcryopicker.dataset.left_out.reasons import LeftOut
from deepcryopicker.errors import MicrographError
from deepcryopicker.frames import Reading
from deepcryopicker.io.coordinates.corrections import SUFFIX, Correction, read_corrections
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.coordinates.selected_picks import Selection, read_selected
from deepcryopicker.io.images.reader import micrograph_shape, read_micrograph
from deepcryopicker.io.star.optics_groups import Optics
from deepcryopicker.types import Micrograph, Picks

_ROUNDING = 1e-3  # relative difference of a diameter in pixels and one from a pixel size


@dataclass(frozen=True)
class Block:
    """A rectangle of a micrograph, original pixels: rows from `top`, columns from `left`.

    `micrograph` is the name of the whole micrograph.
    """

    micrograph: str
    top: int
    left: int
    height: int
    width: int

    def holds(self, picks: Picks) -> Picks:
        """Return the picks whose centres lie in the block; in the frame of the micrograph."""
        x, y = picks.x - self.left, picks.y - self.top
        inside = (x >= 0) & (x <= self.width - 1) & (y >= 0) & (y <= self.height - 1)
        return picks[inside]


@dataclass(frozen=True)
class Entry:
    """One micrograph of a dataset, or a block of one.

    Data is loaded in the frame of the entry: that of the block, if it is one.
    ``to_micrograph`` and ``from_micrograph`` convert to the frame of the micrograph and back.

    Attributes
    ----------
    name : str
        Name of its outputs.
    path : Path
    group : str
        Row of the score tables: the name of the dataset, or the simulated particle species.
    diameter : float or None
        Particle diameter, original pixels.
    diameter_angstrom : float or None
        Beside `diameter`, if both are those of the training of weights.
    pixel_size : float or None
        Angstrom per pixel; overrides the header.
    polarity : str
        ``dark`` or ``bright``.
    average_frames : bool
        Whether a stack of frames is averaged rather than refused.
    truth : Path or None
        File of true particles.
    truth_from_bottom, truth_swapped : bool
    truth_scale : float
        How that file is read, see :class:`frames.Reading`.
    selection : Selection
        Which rows of that file are true particles.
    estimated : bool
        Whether the diameter was estimated from the data, or is that of the training of weights.
    optics : Optics or None
        Optics group, if a STAR file lists the micrographs with optics.
    block : Block or None
        Part of the micrograph; None for the whole.
    turned_over : bool
        Whether it is a picture of an MRC file whose rows it has in reverse order.
    """

    name: str
    path: Path
    group: str
    diameter: float | None = None
    diameter_angstrom: float | None = None
    pixel_size: float | None = None
    polarity: str = "dark"
    average_frames: bool = False
    truth: Path | None = None
    truth_from_bottom: bool = False
    truth_swapped: bool = False
    truth_scale: float = 1.0
    selection: Selection = field(default_factory=Selection)
    estimated: bool = False
    optics: Optics | None = None
    block: Block | None = None
    turned_over: bool = False

    def load(self) -> Micrograph:
        """Read the micrograph."""
        whole = read_micrograph(
            self.path, self.name, self.pixel_size, self.polarity, self.average_frames
        )
        if self.block is None:
            return whole
        rows = slice(self.block.top, self.block.top + self.block.height)
        columns = slice(self.block.left, self.block.left + self.block.width)
        return replace(whole, image=whole.image[rows, columns].copy())

    def to_micrograph(self, picks: Picks) -> Picks:
        """Move picks from the frame of this entry to that of its micrograph."""
        return picks if self.block is None else picks.moved(self.block.left, self.block.top)

    def from_micrograph(self, picks: Picks) -> Picks:
        """Move picks from the micrograph's frame to that of this entry."""
        return picks if self.block is None else picks.moved(-self.block.left, -self.block.top)

    def shape_in(self, whole: tuple[int, int]) -> tuple[int, int]:
        """Return H and W of the entry in a micrograph of H and W `whole`, pixels."""
        return whole if self.block is None else (self.block.height, self.block.width)

    def particle_diameter(self, micrograph: Micrograph) -> float:
        """Return the particle diameter in original pixels, see :meth:`diameter_at`."""
        return self.diameter_at(micrograph.pixel_size)

    def diameter_at(self, pixel_size: float | None) -> float:
        """Return the particle diameter in original pixels.

        Of a diameter in both units, that in Angstrom is used where the pixel size is known.

        Parameters
        ----------
        pixel_size : float or None
            Angstrom per pixel of the micrograph, None if unknown.

        Raises
        ------
        MicrographError
            The diameter is known in Angstrom only and the pixel size is unknown.
        """
        if self.diameter_angstrom is None or pixel_size is None:
            if self.diameter is not None:
                return self.diameter
            if self.diameter_angstrom is None:
                raise ValueError("the diameter has not been estimated yet")
            raise MicrographError("pixel size missing in the header; set dataset.pixel_size")
        found = self.diameter_angstrom / pixel_size
        # The rounding of a pixel size must not change the picks.
        same = self.diameter is not None and math.isclose(found, self.diameter, rel_tol=_ROUNDING)
        return self.diameter if same and self.diameter is not None else found

    @property
    def truth_files(self) -> tuple[Path, ...]:
        """Files with true and, if there are any, uncertain particles."""
        if self.truth is None:
            return ()
        if self.selection.name is not None:
            return (self.truth,)
        uncertain = self.truth.with_name(f"{self.truth.stem}.uncertain.csv")
        return (self.truth, uncertain) if uncertain.exists() else (self.truth,)

    @property
    def truth_reading(self) -> Reading:
        """How the numbers of the file of true particles become positions."""
        return Reading(self.truth_scale, self.truth_swapped, self.truth_from_bottom)

    def load_correction(self) -> Correction | None:
        """Read what a person changed in earlier picks; None if the truth is of another kind."""
        if self.truth is None or self.truth.suffix.lower() != SUFFIX or self.selection.name is None:
            return None
        return read_corrections(self.truth).by_name.get(self.selection.name)

    def given_places(self) -> Picks:
        """Read the file of true particles as it is, in its own frame; the entry has one."""
        if self.truth is None:
            raise ValueError(f"{self.name} has no coordinates")
        return read_selected(self.truth, self.selection).picks

    def load_truth(self) -> tuple[Picks, Picks] | None:
        """Read true and uncertain particles; None without truth.

        Raises
        ------
        UsageError
            Many of them lie outside the image, see :func:`within`.
        """
        if self.truth is None:
            return None
        whole = micrograph_shape(self.path, self.average_frames)
        certain, *others = self.truth_files
        given = [(certain, read_selected(certain, self.selection).picks)]
        given += [(path, read_picks(path)) for path in others]
        reading = self.truth_reading
        read = []
        for path, picks in given:
            hint = partial(reading_inside, picks, reading, whole)
            read.append(within(path, reading.apply(picks, whole), whole, hint))
        if self.block is not None:
            read = [self.from_micrograph(self.block.holds(picks)) for picks in read]
        truth, *uncertain = read
        correction = self.load_correction()
        if correction is not None:
            uncertain = [self.truth_reading.apply(correction.uncertain, whole)]
        return truth, uncertain[0] if uncertain else Picks.empty()


@dataclass(frozen=True)
class Catalogue:
    """All micrographs of a dataset, in processing order.

    Attributes
    ----------
    name : str
    entries : tuple of Entry
    left_out : tuple of LeftOut
        Image files beside them that are not micrographs.
    alike : tuple of (Path, Path)
        Micrographs with similar names, see :class:`deepcryopicker.dataset.listing.Listing`.
    remarks : tuple of str
        Warnings about the dataset, a line each.
    published : mapping
        From a group to the particle diameter that its authors published, original pixels, and the
        source in words; used where none is given, and weights have none.
    """

    name: str
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...] = ()
    alike: tuple[tuple[Path, Path], ...] = ()
    remarks: tuple[str, ...] = ()
    published: Mapping[str, tuple[float, str]] = field(default_factory=dict)

    @property
    def groups_without_diameter(self) -> list[str]:
        """Groups whose particle diameter has to be estimated."""
        lacking = [e.group for e in self.entries if not (e.diameter or e.diameter_angstrom)]
        return sorted(set(lacking))

    def with_diameter(
        self, group: str, diameter: float | None, angstrom: float | None = None
    ) -> "Catalogue":
        """Return a copy in which every entry of `group` has this diameter.

        Parameters
        ----------
        group : str
        diameter : float or None
            Original pixels.
        angstrom : float, optional
            The same in Angstrom, used where the pixel size is known.
        """
        entries = [
            replace(entry, diameter=diameter, diameter_angstrom=angstrom, estimated=True)
            if entry.group == group
            else entry
            for entry in self.entries
        ]
        return replace(self, entries=tuple(entries))
