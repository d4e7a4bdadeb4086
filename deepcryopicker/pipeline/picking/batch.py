"""Pick micrographs one by one into a folder, continuing where an earlier run stopped."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from rich.markup import escape

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.named_files import NamedFiles
from deepcryopicker.io.console import console, counted
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.star.relion_folder import is_converted
from deepcryopicker.picker.function import Picker
from deepcryopicker.pipeline.inputs.polarity import PolarityCheck
from deepcryopicker.pipeline.picking.fit_doubt import fit_doubt, is_unsure
from deepcryopicker.pipeline.picking.prepared import (
    FoundPicks,
    Prepared,
    find_candidates,
    prepare,
    prepare_ahead,
)
from deepcryopicker.pipeline.picking.results.assessed_groups import AssessedGroups
from deepcryopicker.pipeline.picking.results.folder_scores import FolderScores
from deepcryopicker.pipeline.picking.results.masks import Masks
from deepcryopicker.pipeline.picking.results.pick_files import Files, write_candidates
from deepcryopicker.pipeline.picking.results.picked_lists import (
    find_named,
    write_relion_lists,
    write_summary,
)
from deepcryopicker.pipeline.picking.results.recipe import Recipe, digest_of_entry
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.manifest import Finished, Manifest, Record

_NAMED = 3  # micrographs in a line


class Batch:
    """Micrographs that are picked into one folder, and the records of finished ones.

    Parameters
    ----------
    recipe : Recipe
    run : Run
    folder : Path
    groups : sequence of str
        Groups of the micrographs.
    keep : bool
        Whether finished micrographs of an earlier run are kept.
    stage : str
        Name of the stage in ``failures.csv`` and in messages.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: Run,
        folder: Path,
        groups: Sequence[str],
        keep: bool,
        stage: str = "picking",
    ) -> None:
        self._recipe, self._run, self._stage = recipe, run, stage
        self.names = NamedFiles(recipe.micrograph_suffix)
        # Picks in pixels of other files are written with the lists.
        written = [each for each in recipe.outputs if each != "relion" or not self.names.others]
        self._files = Files.of(folder, groups, written)
        self._manifest = Manifest(folder, recipe.settings, keep)
        self._common = recipe.digest(self._manifest)
        self._done: dict[str, Picked] = {}
        self._polarity = PolarityCheck(run)
        self._masks = Masks(recipe.mask)
        self._scores = FolderScores(self._files)
        self._groups = AssessedGroups(recipe, self._files, self._scores)
        self._noise: set[str] = set()

    @cached_property
    def _picker(self) -> Picker:
        return self._recipe.make_picker()

    @property
    def done(self) -> list[Picked]:
        """The finished micrographs, sorted by name."""
        return [self._done[name] for name in sorted(self._done)]

    @property
    def recorded(self) -> list[Path]:
        """Files of the micrographs that were finished with these settings."""
        return [Path(record.path) for record in self._manifest.records]

    @property
    def relion(self) -> dict[str, Path]:
        """RELION folder of every group; none without that output."""
        return self._files.relion if "relion" in self._recipe.outputs else {}

    def find_finished(self, entries: Iterable[Entry]) -> list[Entry]:
        """Record the micrographs finished by an earlier run, and return the others.

        Formats that the earlier run did not write are written from its candidates.
        """
        left = []
        for entry in entries:
            record = self._manifest.find(
                entry.name, entry.path, digest_of_entry(entry, self._common)
            )
            path = self._files.candidates(entry)
            if record is not None and path.is_file():
                done = self._done[entry.name] = self._picked(entry, record)
                wanted = self._files.wanted(entry).items()
                missing = [
                    name
                    for name, file in wanted
                    if not file.is_file() or (name == "relion" and is_converted(file))
                ]
                if missing:
                    self._groups.write_others(done, missing)
            else:
                left.append(entry)
        return left

    def withdraw(self, left_out: Collection[Path]) -> list[str]:
        """Remove the results of files that were picked and are left out now.

        A better form of the same micrograph may have arrived, or an earlier version have picked
        its own overlays.

        Returns
        -------
        list of str
            Names of these micrographs.
        """
        records = self._manifest.remove({str(path) for path in left_out})
        for record in records:
            self._done.pop(record.name, None)
            for group in self._files.relion:
                self._files.remove(Entry(record.name, Path(record.path), group))
        if records:
            names = ", ".join(record.name for record in records[:_NAMED])
            more = f" and {len(records) - _NAMED} more" if len(records) > _NAMED else ""
            console.print(
                f"{counted(len(records), 'micrograph')} left out now, picks removed: "
                f"{escape(names)}{more}"
            )
        return [record.name for record in records]

    def copy_finished(self, folder: Path, entries: Sequence[Entry]) -> None:
        """Copy the results of micrographs finished in another folder with the same settings."""
        there = Finished(folder, self._recipe.settings)
        theirs, common = Files.of(folder, list(self._files.relion)), self._recipe.digest(there)
        records = []
        for entry in entries:
            record = there.find(entry.name, entry.path, digest_of_entry(entry, common))
            ours = self._manifest.find(entry.name, entry.path, digest_of_entry(entry, self._common))
            if record is not None and ours is None and theirs.candidates(entry).is_file():
                self._files.copy_from(theirs, entry)
                records.append(replace(record, made_by=digest_of_entry(entry, self._common)))
        self._manifest.add(records)

    def pick(
        self,
        entries: Sequence[Entry],
        drawn: Collection[str],
        show: Callable[[Sequence[Entry]], Iterator[Entry]],
    ) -> None:
        """Pick micrographs; while files of one are written, the next are read and preprocessed.

        A network also searches them at the same time.

        Parameters
        ----------
        entries : sequence of Entry
        drawn : collection of str
            Names of the micrographs with an overlay.
        show : callable
            Yields the entries and shows the progress; picking stops when it ends.
        """
        self._groups.draw_later(drawn)
        if not entries:
            return
        picker = self._picker
        self._noise = self._scores.drawn_for_noise([*entries, *(one.entry for one in self.done)])
        find = partial(self._find, picker) if self._recipe.concurrent else None
        coming = prepare_ahead(entries, self._recipe.preprocessing, find, self._groups.is_drawn)
        with closing(coming) as prepared:
            for entry, take in zip(show(entries), prepared, strict=False):
                work = partial(self._pick, entry, take, picker)
                picked = self._run.attempt(self._stage, entry.name, entry.path, work)
                if picked is not None:
                    self._done[entry.name] = picked

    def write_lists(self, complete: bool = True) -> None:
        """Write ``summary.csv`` and the configured lists of all finished micrographs.

        Scores are calibrated before, if they are calibrated on the micrographs themselves. Blocks
        are not listed, because RELION would treat them as whole micrographs.

        Parameters
        ----------
        complete : bool
            False while more micrographs are expected, or after a signal: scores that would hardly
            change stay, and no noise is picked.
        """
        if self._recipe.assess:
            for group in self._files.relion:
                members = [one for one in self.done if one.entry.group == group]
                if complete:
                    self._pick_missing_noise(members)
                    if self._recipe.recalibrate:
                        self._cut_missing_windows(members)
                found, verdict = self._groups.assess(group, members, complete)
                self._done |= {one.entry.name: one for one in found}
                self._manifest.replace(one.record for one in found)
                if verdict is not None:
                    self._run.verdicts[group] = verdict
                    self._warn_of_fit(group, found, complete and is_unsure(verdict))
        done = self.done
        if "topaz" in self._recipe.outputs:
            write_topaz(self._files.folder / "topaz.txt", ((o.entry.name, o.load()) for o in done))
        write_summary(self._files.folder / "summary.csv", done)
        for group, folder in self.relion.items():
            members = [one for one in done if (one.entry.group, one.entry.block) == (group, None)]
            named = find_named(members, self.names, self._run)
            write_relion_lists(folder, group, named, self._recipe.threshold, self.names.others)

    def _find(self, picker: Picker, entry: Entry, preprocessed: Preprocessed) -> FoundPicks:
        """Pick a micrograph and write what it alone decides; several at once, each in a thread."""
        correction = self._recipe.by_hand.get(entry.name)
        picks = find_candidates(entry, preprocessed, picker, self._files, self._masks, correction)
        snr = write_candidates(entry, preprocessed, picks, self._files)
        if self._recipe.recalibrate:
            self._scores.keep_windows(entry, preprocessed, picks)
        if self._recipe.assess and entry.name in self._noise:
            self._scores.pick_noise(entry, preprocessed, picks, picker, self._recipe.recalibrate)
        return FoundPicks(picks, snr)

    def _pick(self, entry: Entry, take: Callable[[], Prepared], picker: Picker) -> Picked:
        prepared = take()
        (size, modified), preprocessed = prepared.stamp, prepared.preprocessed
        self._polarity.add(entry, preprocessed)
        threshold = self._recipe.threshold
        picks, snr = prepared.found or self._find(picker, entry, preprocessed)
        record = Record(
            name=entry.name,
            path=str(entry.path),
            size=size,
            modified=modified,
            made_by=digest_of_entry(entry, self._common),
            height=preprocessed.micrograph.image.shape[0],
            width=preprocessed.micrograph.image.shape[1],
            diameter=float(preprocessed.diameter),
            pixel_size=preprocessed.micrograph.pixel_size,
            snr=snr,
            picks=int((picks.score >= threshold).sum()),
            candidates=len(picks),
        )
        picked = self._picked(entry, record)
        self._groups.add(picked, picks, prepared.background)
        self._manifest.add([record])
        return picked

    def _pick_missing_noise(self, members: Sequence[Picked]) -> None:
        """Pick noise like chosen micrographs for which it is missing."""

        def pick(one: Picked) -> None:
            seen = prepare(self._recipe.preprocessing, one.entry).preprocessed
            windows = self._recipe.recalibrate
            self._scores.pick_missing_noise(one, seen, self._picker, windows)

        for one in self._scores.without_noise(members):
            work = partial(pick, one)
            self._run.attempt(self._stage, one.entry.name, one.entry.path, work)

    def _warn_of_fit(self, group: str, members: Sequence[Picked], unsure: bool) -> None:
        """Warn where picks are doubtful and particles of another size or polarity fit better."""
        if not self._recipe.recalibrate:  # networks for one diameter
            return
        for one in self._scores.with_noise(members)[:1] if unsure else ():
            doubt = fit_doubt(one.entry, self._recipe.preprocessing, self._picker)
            if doubt is not None:
                self._run.warn(f"{doubt.subject} of {group}", f"{group}: {doubt.text}")

    def _cut_missing_windows(self, members: Sequence[Picked]) -> None:
        """Cut the windows of candidates that an earlier version picked, or that were removed."""

        def cut(one: Picked) -> None:
            preprocessed = prepare(self._recipe.preprocessing, one.entry).preprocessed
            self._scores.keep_missing_windows(one, preprocessed)

        for one in self._scores.without_windows(members):
            self._run.attempt(self._stage, one.entry.name, one.entry.path, partial(cut, one))

    def _picked(self, entry: Entry, record: Record) -> Picked:
        return Picked(entry, record, self._files.candidates(entry), self._files.outcomes(entry))
