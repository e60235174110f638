"""Parameters of a page: read from the page itself, and checked before anything runs.

A page declares its parameters in the cell tagged ``parameters``, one a line::

    # %% tags=["parameters"] quick={"grid": 12}
    grid: int = 64  # cells along each axis [2 .. 512]
    device: str = "auto"  # where torch computes {auto, cpu, cuda, mps}
    weights: str = ""  # a file of one's own {file}

The comment says what the parameter means. A range ``[low .. high]``, both ends included, or a set
of choices ``{a, b}`` at its end is a rule; so is ``{file}``, a path or nothing, which is made
absolute, because pages run in a folder of their own. `quick` holds the small settings of a trial
build.
"""

import ast
import io
import json
import math
import numbers
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .._arrays import unknown

Value = int | float | str | bool
"""What a parameter can be."""

TYPES: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
"""The types that a parameter can have."""

_NOUNS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
_KINDS = {int: numbers.Integral, float: numbers.Real, str: str, bool: bool}
_NUMBER = r"-?(?:\d[\d_]*\.?\d*(?:e[+-]?\d+)?|inf)"
_RANGE = re.compile(rf"\[\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*\]\s*$", re.IGNORECASE)
_FILE = "{file}"
_CHOICES = re.compile(r"\{([^{}]+)\}\s*$")
_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a page.

    Parameters
    ----------
    name, type, default
        As annotated and assigned in the page.
    comment
        What it means, without the rule.
    low, high
        Smallest and largest value, both allowed; None where there is no limit.
    choices
        The values allowed; empty where any value of the type is.
    is_file
        Whether it is the path of a file that is there, or empty.
    """

    name: str
    type: type
    default: Value
    comment: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] = ()
    is_file: bool = False

    @property
    def rule(self) -> str:
        """The values allowed, in words.

        >>> Parameter("grid", int, 64, low=2, high=512).rule
        'a whole number from 2 to 512'
        """
        noun = _NOUNS[self.type]
        if self.is_file:
            return "a file that is there, or empty"
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        if self.low is not None:
            return f"{noun} from {self.low:.15g} to {self.high:.15g}"
        return noun

    def check(self, value: Any) -> Value:
        """Return `value` in the parameter's type, or raise ``ValueError`` with one sentence.

        A whole number is taken for a float parameter; nothing else is converted.

        >>> Parameter("kurtosis", float, 3.0, low=1, high=100).check(4)
        4.0
        >>> Parameter("grid", int, 64, low=2, high=512).check(1)
        Traceback (most recent call last):
        ...
        ValueError: grid must be a whole number from 2 to 512; got 1
        """
        if not self._allows(value):
            raise ValueError(f"{self.name} must be {self.rule}; got {value!r:.60}")
        return str(Path(value).absolute()) if self.is_file and value else self.type(value)

    def _allows(self, value: Any) -> bool:
        is_bool = isinstance(value, bool)
        if not isinstance(value, _KINDS[self.type]) or is_bool != (self.type is bool):
            return False
        if self.is_file:
            return value == "" or _is_file(value)
        if self.choices:
            return self.type(value) in self.choices
        if isinstance(value, str) or is_bool:
            return True
        return not math.isnan(value) and (self.low is None or self.low <= value <= self.high)

    def parse(self, text: str) -> Value:
        """Read a value typed on a command line, and check it.

        >>> Parameter("kurtosis", float, 3.0).parse("1e2")
        100.0
        >>> Parameter("sampled", bool, True).parse("no")
        False
        """
        try:
            value = _read_text(self.type, text)
        except ValueError:
            value = text
        return self.check(value)


def _is_file(path: str) -> bool:
    try:
        return Path(path).exists() and not Path(path).is_dir()
    except (OSError, ValueError):  # too long, or with a character that no path has
        return False


def _read_text(type_: type, text: str) -> Value:
    if type_ is bool:
        words = {"true": True, "yes": True, "false": False, "no": False}
        if text.strip().lower() not in words:
            raise ValueError(text)
        return words[text.strip().lower()]
    return type_(text)


@dataclass(frozen=True)
class ParameterCell:
    """The parameters of a page by name, and the small settings of a trial build."""

    parameters: dict[str, Parameter]
    quick: dict[str, Value]

    @property
    def defaults(self) -> dict[str, Value]:
        """The settings of the published book."""
        return {name: parameter.default for name, parameter in self.parameters.items()}

    def check(self, values: Mapping[str, Any], *, text: bool = False) -> dict[str, Value]:
        """Return `values` checked and in the types of the parameters.

        Parameters
        ----------
        values
            Value by name; parameters that are left out keep their defaults.
        text
            Read strings as if typed on a command line: ``"5"`` for a whole number.

        Raises
        ------
        ValueError
            For an unknown name (the nearest known ones are named) or a value that breaks the rule.
        """
        checked = {}
        for name, value in values.items():
            if name not in self.parameters:
                raise ValueError(unknown("parameter", name, self.parameters))
            parameter = self.parameters[name]
            use = parameter.parse if text and isinstance(value, str) else parameter.check
            checked[name] = use(value)
        return checked


def parse_parameters(source: str) -> dict[str, Parameter]:
    """Read the parameters declared in the source of a parameter cell.

    >>> grid = parse_parameters("grid: int = 64  # cells along each axis [2 .. 512]")["grid"]
    >>> grid.default, grid.low, grid.high, grid.comment
    (64, 2.0, 512.0, 'cells along each axis')

    Raises
    ------
    ValueError
        For a line that is not ``name: type = value``, or a default that breaks its own rule.
    """
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    parameters = {}
    for node in ast.parse(source).body:
        line = ast.get_source_segment(source, node)
        if not (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.annotation, ast.Name)
            and node.annotation.id in TYPES
            and node.value is not None
        ):
            raise ValueError(
                f"a parameter is declared as 'name: type = value' with a type out of "
                f"{', '.join(TYPES)}; got {line!r}"
            )
        try:
            default = ast.literal_eval(node.value)
        except ValueError:
            raise ValueError(f"the default of a parameter is a plain value; got {line!r}") from None
        lines = range(node.lineno, node.end_lineno + 1)
        comment = " ".join(comments[line] for line in lines if line in comments)
        parameter = _parameter(node.target.id, TYPES[node.annotation.id], default, comment)
        parameter.check(default)
        parameters[parameter.name] = parameter
    return parameters


def _parameter(name: str, type_: type, default: Value, comment: str) -> Parameter:
    if match := _RANGE.search(comment):
        low, high = float(match[1]), float(match[2])
        return Parameter(name, type_, default, comment[: match.start()].strip(), low, high)
    if type_ is str and comment.endswith(_FILE):
        return Parameter(name, type_, default, comment.removesuffix(_FILE).strip(), is_file=True)
    if match := _CHOICES.search(comment):
        choices = tuple(_read_text(type_, word.strip(" '\"")) for word in match[1].split(","))
        return Parameter(name, type_, default, comment[: match.start()].strip(), choices=choices)
    return Parameter(name, type_, default, comment)


def read_parameters(page: Path) -> ParameterCell:
    """Read the parameter cell of the page whose py:percent source is the file `page`.

    A page without such a cell has no parameters.
    """
    parts = _CELL.split(Path(page).read_text(encoding="utf-8"))
    for header, cell in zip(parts[1::2], parts[2::2], strict=True):
        metadata = _cell_metadata(header)
        if "parameters" in metadata.get("tags", ()):
            try:
                found = ParameterCell(parse_parameters(cell), {})
                return replace(found, quick=found.check(metadata.get("quick", {})))
            except (SyntaxError, ValueError) as error:
                raise ValueError(f"parameter cell of {Path(page).name}: {error}") from None
    return ParameterCell({}, {})


def _cell_metadata(header: str) -> dict[str, Any]:
    """Read the ``key=json`` pairs of a py:percent cell header.

    >>> _cell_metadata(' tags=["parameters"] quick={"grid": 12}')
    {'tags': ['parameters'], 'quick': {'grid': 12}}
    """
    metadata, decoder, position = {}, json.JSONDecoder(), 0
    while match := re.compile(r"\s*(?:\[\w+\]\s*)?([\w.-]+)=").match(header, position):
        metadata[match[1]], position = decoder.raw_decode(header, match.end())
    return metadata
