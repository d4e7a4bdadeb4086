"""Parts of a dataset for several machines: a micrograph belongs to one shard on all of them."""

import re
import zlib
from dataclasses import dataclass

from deepcryopicker.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, counted from 1.

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
            Not 1/N to N/N.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(f"shard must be 1/N, 2/N, ... or N/N, got {text}")
        return cls(int(found[1]), int(found[2]))

    def takes(self, name: str) -> bool:
        """Return whether a micrograph of this name belongs to the shard.

        By the name alone, not its position in a list: machines list a growing folder differently.
        """
        return zlib.crc32(name.encode()) % self.count == self.index - 1
