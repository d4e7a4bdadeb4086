"""Write docs/guide/options.md from the schemas and the first lines of the option files.

python docs/guide/options.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.config.described import DescribedKey, describe_keys, sections_of
from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import COMMANDS

HEAD = """# Every option

Made by `python docs/guide/options.py` from the schemas; `deepcryopicker COMMAND --help` shows the
common ones. A key is typed as GROUP.KEY=VALUE, an option of a group as GROUP=OPTION. *Required*
keys have no default; `null` is typed for "none".
"""


def table(prefix: str, keys: list[DescribedKey]) -> list[str]:
    """Return the lines of a table of keys."""
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key in keys:
        text = key.text.replace("``", "`").replace("|", "\\|")
        lines.append(f"| `{prefix}{key.name}` | {key.kind} | `{key.default}` | {text} |")
    return [*lines, ""]


def of_command(name: str, schema: type) -> list[str]:
    """Return the section of a command: its own keys, and those of its section."""
    lines = [f"## {name}", ""]
    keys = describe_keys(schema)
    lines += table("", keys) if keys else []
    for field, section in sections_of(schema).items():
        lines += table(f"{field}.", describe_keys(section))
    return lines


def of_group(group: str) -> list[str]:
    """Return the section of a group: its options, and the keys of its schemas."""
    lines = [f"## {group}", ""]
    for path in sorted((CONF_DIR / group).glob("*.yaml")):
        said = [line[1:].strip() for line in path.read_text().splitlines() if line.startswith("#")]
        lines.append(f"- `{group}={path.stem}`: {said[0] if said else ''}")
    lines.append("")
    prefix = group.replace("-", "_")
    known: set[str] = set()
    for name, schema in SCHEMAS[group].items():
        keys = [key for key in describe_keys(schema) if f"{key.name} {key.text}" not in known]
        known |= {f"{key.name} {key.text}" for key in keys}
        if keys:
            title = (
                ""
                if name == "schema"
                else f"Of `{name}`" + (", beside those above" * (len(known) > len(keys)))
            )
            lines += [title, ""] * bool(title) + table(f"{prefix}.", keys)
    return lines


def main() -> str:
    """Return the document."""
    lines = [HEAD]
    for name, schema in COMMANDS.items():
        lines += of_command(name, schema)
    for group in SCHEMAS:
        lines += of_group(group)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(main(), encoding="utf-8")
