"""Words that were given up for the field's own stay away from code, messages and documents."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("deepcryopicker", "conf", "tests", "docs", ".github")
FILES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "pyproject.toml")
SUFFIXES = {".py", ".yaml", ".yml", ".md", ".toml", ".j2", ".js", ".css", ""}


@dataclass(frozen=True)
class Word:
    """A word that was given up.

    Attributes
    ----------
    pattern : str
        Regular expression of the word in lower case. A blank matches any white space, the start of
        a comment and the joint of two strings; identifiers are read word by word.
    instead : str
        What to write.
    where : {"text", "names"}
        Anywhere, or in identifiers of Python only.
    except_in : tuple of str
        Expressions around the word in which it stays.
    """

    pattern: str
    instead: str
    where: str = "text"
    except_in: tuple[str, ...] = ()


WORDS = (
    # Nouns that the field does not use.
    Word(r"lessons?", "training examples"),
    Word(r"lots?", "the picks of a run", except_in=("a lot",)),
    Word(r"clarity", "contrast"),
    Word(r"evidence", "what it is: correlation, number of detections, ...", where="names"),
    Word(r"rims?", "border or margin (of an image), wall (of a shell)"),
    Word(r"houses?|rooms?|doors?", "package, module, space, entry point"),
    Word(r"looks?", "poll, orientation, appearance", where="names"),
    Word(r"(last|next|first|one|two|each|every|a|of) looks?(?! (for|like|at|up|into))", "poll"),
    Word(r"reach", "radius, distance", where="names"),
    Word(r"turns", "quarter_turns, angles", where="names", except_in=("quarter turns",)),
    Word(r"views of (a|the|one)( same)? micrograph", "preprocessed micrograph"),
    # Verbs of people for what code does.
    Word(r"shelv(e|es|ed|ing)", "postpone, keep back"),
    Word(r"judg(e[sd]?|ing|e?ments?)", "check, score, select, decide"),
    Word(r"(hand|hands|handed|handing) over", "pass, return"),
    Word(
        r"(take|takes|took|taken|taking) over",
        "reuse, copy, inherit",
        except_in=("medians? (are|is) taken over",),
    ),
    Word(r"bends?|bent|bending", "map (scores), raise to a power (grey values)"),
    Word(r"forgiv(e|es|en|ing)", "remove the failure record"),
    Word(r"tells?|told|telling", "return, show, state, distinguish", except_in=("study.tell",)),
    Word(r"go(es)? on|going on|went on", "continue"),
    # Pronouns that make the reader search for their noun.
    Word(r"who(so)?ever|whom(so)?ever|who knows", "name the person or the function"),
    Word(r"(that|this|another|each|every|the other) one's", "name the thing"),
    Word(
        r"(is|are|was|were) no(?! (longer|more|less|better|different|fewer))",
        "is not a",
        except_in=("there (is|are|was|were) no",),
    ),
    # Messages and sentences that readers of the project stumbled over.
    Word(r"names a folder of results", "must be a folder name without '/'"),
    Word(r"no one diameter", "several diameters"),
    Word(r"truth picks nothing new", "labeler=truth only returns the given coordinates"),
    Word(r"micrograph's fault|would fare better", "an output cannot be written; stops the run"),
    Word(r"walk down a ranking", "greedy suppression: each remaining pick, best first, ..."),
    Word(r"comes? to lie on", "rotate about the centre so that ..."),
    Word(r"most steps of each", "maximum number of training steps"),
    Word(r"it did not, the next time", "remove a failure record after a successful retry"),
    Word(r"everything else are", "all other options are"),
    Word(r"are a line each", "are reported in one line each"),
    Word(r"not whole yet", "still being written"),
    Word(r"\d+ to come|\} to come", "N left to pick"),
    Word(r"that order counts which", "the order that gives a known mode is used"),
    Word(r"picks as fast as the files are read", "name the speed"),
    Word(r"browser of the last years", "current browser"),
    Word(r"cores are taken|waste their time on", "on a machine whose cores are busy"),
    Word(r"multiplied by the share that", "multiplied by the ratio of the two areas"),
    Word(r"(learning|cutting|labelling|reading|converting): \d+ done", "doing what to what"),
)

# Words in identifiers: `read_lesson`, `LessonPlan`, `_RIM`.
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")
_GAP = r"[\s#\"'*|]+f?[\"']?"


@cache
def _compiled(expression):
    # The start of the word is checked afterwards: such a search is several times as fast.
    return re.compile(rf"(?:{expression.replace(' ', _GAP)})\b")


def _matches(expression, text):
    found = _compiled(expression).finditer(text)
    return [one for one in found if not text[max(one.start() - 1, 0) : one.start()].isalnum()]


@cache
def _spread(text):
    """Write identifiers as words, in lower case; line breaks stay."""
    return _JOINT.sub(" ", text).lower()


@cache
def _names(source):
    """Identifiers of a Python source as words, one a line, and the line of each."""
    found = sorted(
        {
            (getattr(node, "lineno", 1), _spread(name))
            for node in ast.walk(ast.parse(source))
            for field in ("id", "attr", "name", "arg")
            if isinstance(name := getattr(node, field, None), str)
        }
    )
    return "\n".join(name for _, name in found), [line for line, _ in found]


def findings(text, python=False, words=WORDS):
    """Given-up words of a text: (line, word found, what to write)."""
    found = set()
    for word in words:
        part, lines = _spread(text), None
        if word.where == "names" and _matches(word.pattern, part):
            part, lines = _names(text) if python else ("", [])
        elif word.where == "names":
            continue
        stays = [match.span() for one in word.except_in for match in _matches(one, part)]
        for match in _matches(word.pattern, part):
            if not any(start <= match.start() < end for start, end in stays):
                at = part.count("\n", 0, match.start())
                found.add(
                    (lines[at] if lines else at + 1, " ".join(match[0].split()), word.instead)
                )
    return sorted(found)


def _files():
    folders = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")))
    for path in (*(ROOT / name for name in FILES), *folders):
        inside = path.relative_to(ROOT)
        if (
            path.is_file()
            and path.suffix in SUFFIXES
            and "__pycache__" not in inside.parts
            and inside.parts[:2] != ("deepcryopicker", "conf")  # a link to conf/
            and path != Path(__file__)
        ):
            yield inside.as_posix(), path


@cache
def all_findings():
    """Given-up words of the whole tree, by path."""
    return {
        name: found
        for name, path in _files()
        if (found := findings(path.read_text(encoding="utf-8"), path.suffix == ".py"))
    }


def test_given_up_words_stay_away():
    found = all_findings()
    messages = [
        f"{name}:{line}: {word!r}; write: {instead}"
        for name, lines in found.items()
        for line, word, instead in lines
    ]
    assert not messages, "\n".join(messages)


@pytest.mark.parametrize(
    "text",
    [
        "def read_lesson(): ...",
        "class LessonPlan: ...",
        "_RIM = 0.9",
        "picks.turns = 1",
        '"""Whoever picks."""',
        "# what a compressed file holds, who\n    # knows",
        'f"the CPU goes "\n"on without"',
        "A disc is no particle.",
        "two looks",
        "def look(): ...",
        "2 to come",
    ],
)
def test_a_given_up_word_is_found(text):
    assert findings(text, python=not text.startswith(("A ", "two", "2 ", 'f"')))


@pytest.mark.parametrize(
    "text",
    [
        "turns bright particles dark; it depends a lot on how a view looks like",
        "There is no such file, and it is no longer read.",
        "allotted, primary, evidently, rotell, unreachable, storeroom",
        "The medians are taken over all rows.",
    ],
)
def test_other_words_are_left_alone(text):
    assert findings(text) == []
