"""Parts of a dataset for many machines: each micrograph belongs to one, whoever lists them."""

import re
import zlib
from dataclasses import dataclass

from deepcryopicker.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, 1 the first.

    Examples
    --------
    >>> shards = [Shard.parse(f"{index}/3") for index in (1, 2, 3)]
    >>> [sum(shard.takes(name) for shard in shards) for name in ("a", "grid/b", "c")]
    [1, 1, 1]
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``index/count``.

        Raises
        ------
        UsageError
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(f"shard must be 1/N, 2/N, ... or N/N, got {text}")
        return cls(int(found[1]), int(found[2]))

    def takes(self, name: str) -> bool:
        """Whether a micrograph of this name belongs to it.

        By the name alone, not its place in a list: folders that fill up are listed differently
        by every machine.
        """
        return zlib.crc32(name.encode()) % self.count == self.index - 1
