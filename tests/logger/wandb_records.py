"""Reads what W&B keeps of an offline run, without W&B's own reader.

A file ``run-*.wandb`` is a log in the manner of LevelDB: after a header of 7 bytes, blocks of
32 KiB (the header counts as part of the first) hold chunks of CRC-32 (4 bytes, over kind and
content), length (2), kind (1) and content, all little-endian. A record that crosses blocks is cut
into a first, middle and last chunk; fewer than 7 bytes at a block's end are padding. Records are
protocol buffers.
"""

import json
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

HEADER = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
BLOCK = 32 * 1024
CHUNK = struct.Struct("<IHB")
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


@dataclass
class OfflineRun:
    """The records of one run, by what they say."""

    folder: Path
    id: str = ""
    project: str = ""
    name: str = ""
    group: str = ""
    job_type: str = ""
    tags: list[str] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def epochs(self):
        """Rows of the history that belong to an epoch, without what W&B adds."""
        rows = [row for row in self.history if "epoch" in row]
        return [{key: row[key] for key in row if not key.startswith("_")} for row in rows]

    def table(self, key):
        """Content of the table that a chart was drawn of."""
        return self.file(f"{key}_table")

    def file(self, key):
        """Content of a table."""
        entry = self._logged(key)
        assert entry["_type"] == "table-file"
        return json.loads((self.folder / "files" / entry["path"]).read_text())

    def picture(self, key):
        """What the history says of a picture: path below ``files``, caption, size."""
        entry = self._logged(key)
        assert entry["_type"] == "image-file"
        return entry

    def _logged(self, key):
        """The one value of the history under a key, whose parts are items of their own."""
        (row,) = [row for row in self.history if any(k.startswith(f"{key}.") for k in row)]
        return {k.removeprefix(f"{key}."): row[k] for k in row if k.startswith(f"{key}.")}


def read_run(folder):
    """Read the one offline run of a run folder."""
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    return read_file(path)


def read_file(path):
    run = OfflineRun(path.parent)
    for payload in payloads(path.read_bytes()):
        _take(run, Record.FromString(payload))
    return run


def payloads(data):
    """Yield the content of every record, whole; ValueError where the file is damaged."""
    if data[: len(HEADER)] != HEADER:
        raise ValueError("no header of a W&B file")
    position, parts = len(HEADER), []
    while position < len(data):
        left = BLOCK - position % BLOCK
        if left < CHUNK.size:
            position += left
            continue
        crc, length, kind = CHUNK.unpack_from(data, position)
        start = position + CHUNK.size
        position = start + length
        if zlib.crc32(data[start - 1 : position]) != crc or length > left - CHUNK.size:
            raise ValueError(f"damaged at byte {start}")
        if (kind in (MIDDLE, LAST)) != bool(parts):
            raise ValueError(f"chunk of kind {kind} out of order at byte {start}")
        parts.append(data[start:position])
        if kind in (FULL, LAST):
            yield b"".join(parts)
            parts = []
    if parts:
        raise ValueError("the last record is cut off")


def _take(run, record):
    kind = record.WhichOneof("record_type")
    if kind == "run":
        run.id, run.project = record.run.run_id, record.run.project
        run.name, run.group = record.run.display_name, record.run.run_group
        run.job_type, run.tags = record.run.job_type, list(record.run.tags)
        run.config |= _values(record.run.config.update)
    elif kind == "config":
        run.config |= _values(record.config.update)
    elif kind == "metric":
        run.metrics.append(record.metric)
    elif kind == "history":
        run.history.append(_values(record.history.item))
    elif kind == "summary":
        run.summary |= _values(record.summary.update)
    elif kind == "artifact":
        run.artifacts[record.artifact.name] = record.artifact
    elif kind == "exit":
        run.exit_code = record.exit.exit_code


def _values(items):
    """Items of a record as a dictionary; a nested key becomes a dotted one."""
    return {
        ".".join(item.nested_key) if item.nested_key else item.key: json.loads(item.value_json)
        for item in items
    }
