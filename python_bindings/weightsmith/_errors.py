"""What goes wrong, by kind; messages are those of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from weightsmith._results import Verification


class Error(Exception):
    """Any error of weightsmith. `advice` says what to do about it, or is empty; `status` is the exit status with
    which the command line ends."""

    status = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}\n{self.advice}" if self.advice else message


class Problem(NamedTuple):
    """One thing that is wrong in the text of a recipe. Lines and columns count from 1; 0 where there is no place."""

    file: str
    line: int
    column: int
    message: str
    advice: str


class RecipeError(Error):
    """A recipe, or an argument, that says something that cannot be. `problems` are all that were found in the text of
    a recipe; `file`, `line` and `column` those of the first."""

    status = 2
    problems: tuple[Problem, ...] = ()

    @property
    def file(self) -> str | None:
        return self.problems[0].file if self.problems else None

    @property
    def line(self) -> int | None:
        return self.problems[0].line if self.problems else None

    @property
    def column(self) -> int | None:
        return self.problems[0].column if self.problems else None


class OutputExistsError(RecipeError, FileExistsError):
    """The output exists already, and overwriting it was not asked for."""


class MismatchError(Error):
    """What was asked for does not fit the files."""

    status = 3


class FormatError(Error):
    """An input file is malformed, or missing: then it is a MissingFileError."""

    status = 4


class MissingFileError(FormatError, FileNotFoundError):
    """There is no such input file."""


class HashError(Error):
    """A file is not the one whose hash was given."""

    status = 5


class ResourceError(Error):
    """It would not fit in memory or on disk."""

    status = 6


class VerifyError(Error):
    """A check that was asked for said no. `verification`: what `verify` found."""

    status = 7
    verification: Verification | None = None


class NoEffectError(Error):
    """Something that should have an effect has none."""

    status = 8


_BY_STATUS = {
    kind.status: kind
    for kind in (RecipeError, MismatchError, FormatError, HashError, ResourceError, VerifyError, NoEffectError)
}


def make(
    status: int, message: str, advice: str, problems: list[tuple[str, int, int, str, str]], missing: bool
) -> Error:
    # Files that a recipe names are reported with their places in it, among other problems.
    missing = missing or (status == 4 and bool(problems) and all("no such file" in row[3] for row in problems))
    kind = MissingFileError if missing else _BY_STATUS.get(status, Error)
    error = kind(message, advice)
    if isinstance(error, RecipeError):
        error.problems = tuple(Problem(*problem) for problem in problems)
    return error


class RecipeWarning(UserWarning):
    """Something in a recipe, or in what it would do, that may not be what was meant."""
