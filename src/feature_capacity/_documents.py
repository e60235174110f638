"""Files of settings, YAML or JSON: read in bounded time and memory, or refused in one sentence.

Size and depth are bounded before anything is built, with aliases counted as often as they are
used; a key that is given twice is refused, since one of its two values would be lost.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 10**6
_MOST_CHARACTERS = 4 * 10**6  # of all values, with every alias written out
_DEEPEST = 50
_FAULTS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


# libyaml's is ten times as fast as PyYAML's own.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that is there twice, and values that are not what their tag says."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[Any, int] = {}
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            try:
                if key in lines:
                    raise yaml.YAMLError(
                        f"the key {key!r:.60} is given twice, in line {lines[key]} and in line "
                        f"{line}; leave one out"
                    )
            except TypeError:
                raise yaml.YAMLError(f"line {line} has a key that is a list or mapping") from None
            lines[key] = line
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except _FAULTS:
            kind = node.tag.removeprefix("tag:yaml.org,2002:")
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f"line {line}: {node.value!r:.60} is no {kind:.60}") from None


def read_document(file: Path, what: str) -> Any:
    """The content of a file: JSON where its name ends so, otherwise YAML.

    Parameters
    ----------
    file : Path
    what : str
        What the file is, for messages: "parameter file".

    Raises
    ------
    ValueError
        In one sentence with the file's name: for a file that is not there, too large, nested too
        deeply or damaged, and for a key that is given twice.
    """
    return parse_document(read_bounded(file, what), file)


def read_bounded(file: Path, what: str) -> bytes:
    """The bytes of a file of settings; errors are those of :func:`read_document`."""
    try:
        if not file.is_file():
            raise ValueError(f"there is no {what} {file}")
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the {what} {file} cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise ValueError(f"the {what} {file} is larger than {_MOST_BYTES:,} bytes; make it smaller")
    return content


def parse_document(content: bytes, file: Path) -> Any:
    """What a file holds that has been read; errors are those of :func:`read_document`."""
    as_json = file.suffix.lower() == ".json"
    try:
        text = content.decode("utf-8")
        _bound(text)
        return _json(text) if as_json else yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, *_FAULTS) as error:
        kind = "JSON" if as_json else "YAML"
        raise ValueError(f"{file} cannot be read as {kind}: {_sentence(error)}") from None


def _json(text: str) -> Any:
    twice = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        content = dict(found)
        twice = twice or len(content) < len(found)
        return content

    content = json.loads(text, object_pairs_hook=pairs)
    if twice:  # JSON is YAML, apart from tabs; that reader says in which lines
        yaml.load(text.replace("\t", " "), Loader=_Loader)
        raise ValueError("a key is given twice; leave one out")
    return content


def _bound(text: str) -> None:
    """Refuse what is nested too deeply, or too large, once its aliases are written out."""
    anchored: dict[str | None, tuple[int, int]] = {}  # size and height of what has a name
    opened: list[tuple[str | None, int, int]] = [(None, 0, 0)]  # name, and the same so far
    try:
        for event in yaml.parse(text.replace("\t", " "), Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append((event.anchor, 1, 1))
                size, height = 0, 0
            elif isinstance(event, yaml.CollectionEndEvent):
                name, size, height = opened.pop()
                anchored[name] = size, height
            elif isinstance(event, yaml.ScalarEvent):
                size, height = 1 + len(event.value), 0
                anchored[event.anchor] = size, height
            elif isinstance(event, yaml.AliasEvent):
                if any(name == event.anchor for name, _, _ in opened):
                    raise ValueError(f"the alias {event.anchor!r:.60} refers to itself")
                size, height = anchored.get(event.anchor, (1, 0))
            else:
                continue
            name, before, high = opened[-1]
            opened[-1] = name, before + size, max(high, height + 1)
            if len(opened) + height > _DEEPEST:
                raise ValueError(f"it is nested more than {_DEEPEST} deep")
            if sum(size for _, size, _ in opened) > _MOST_CHARACTERS:
                raise ValueError(
                    f"it holds more than {_MOST_CHARACTERS:,} characters, with aliases written out"
                )
    except yaml.YAMLError:
        return  # what reads the content says what is wrong, in its own words


def _sentence(error: BaseException) -> str:
    """One line with the place, of at most 300 characters."""
    place = getattr(error, "problem_mark", None)
    text = getattr(error, "problem", None) or str(error) or type(error).__name__
    text = " ".join(str(text).split())[:300]
    return f"{text} (line {place.line + 1})" if place and "line" not in text else text
