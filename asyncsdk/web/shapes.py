"""What the JSON interface takes and gives, as FastAPI documents it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from asyncsdk.config import Duplicates, Existing
from asyncsdk.models import Group
from asyncsdk.validators import MOST
from asyncsdk.web.job import Choices, Job, JobState
from asyncsdk.web.reading import Inspection
from asyncsdk.web.results import ResultPage

__all__ = [
    "Change",
    "ChoicesShape",
    "GroupShape",
    "InspectionShape",
    "JobShape",
    "ProblemShape",
    "ResultPageShape",
    "UndoShape",
]


def _moment(value: object) -> object:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, float) else value


Moment = Annotated[datetime, BeforeValidator(_moment)]


class _Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True, extra="forbid")

    @classmethod
    def of(cls, value: object) -> Self:
        """This value, as it is given."""
        return cls.model_validate(msgspec.to_builtins(value))


class ProblemShape(BaseModel):
    """Why a request was refused (RFC 9457)."""

    title: str
    status: int
    detail: str


class ChoicesShape(_Shape):
    """How a list is read, and what is sent of it; what is left out is as found."""

    columns: dict[str, str] = Field(default={}, examples=[{"phone": "Mobil", "a": "Anrede"}])
    country: str | None = None
    sheet: list[str] = Field(default=[], description="Names of sheets; `*` for all.")
    hidden: Literal["skip", "send"] = "skip"
    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip_lines: int = Field(default=0, ge=0)
    normalize: str | None = Field(default=None, description="A region.", examples=["DE"])
    bare: Literal["national", "international"] | None = None
    mobile_only: bool = False
    duplicates: Duplicates = "send"
    existing: Existing = "send"
    send_unknown: bool = False

    def choices(self) -> Choices:
        """The value that they stand for."""
        return msgspec.convert(self.model_dump(), Choices)


class Change(BaseModel):
    """What is chosen for a job; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    choices: ChoicesShape | None = None
    group_id: int | None = Field(default=None, ge=1, le=MOST)
    group_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="Made at the start, if it is not there.",
    )


class CountShape(_Shape):
    """So many rows of one kind."""

    text: str
    count: int
    outcome: str


class DoubtShape(_Shape):
    """Something that looks wrong with numbers that are sent as they are."""

    text: str
    count: int
    line: int


class CheckShape(_Shape):
    """What a check found."""

    rows: int
    would_be_sent: int
    invalid: int
    skipped: int
    doubtful: int
    requests: int
    bytes: int
    seconds_at_least: float
    survey: dict[str, int] | None
    countries: dict[str, int]
    reasons: list[CountShape]
    doubts: list[DoubtShape]


class ProgressShape(_Shape):
    """How far an upload is."""

    read: int
    total: int | None
    created: int
    invalid: int
    failed: int
    skipped: int
    unknown: int
    in_flight: int
    requests: int
    retries: int
    throttled: float
    elapsed: float
    rate: float
    paused: float
    paused_by: str
    phase: str
    sought: int
    found: int | None
    seconds_left: float | None
    complete: bool


class UndoShape(_Shape):
    """The account of deleting what a job created."""

    total: int
    deleted: int
    gone: int
    failed: int
    without_id: int
    seconds_at_least: float
    reasons: list[CountShape]


class JobShape(_Shape):
    """One list on its way into a group."""

    id: str
    owner: str
    name: str
    size: int
    created: Moment
    state: JobState
    version: int
    group_id: int | None
    group_name: str
    choices: ChoicesShape
    check: CheckShape | None
    progress: ProgressShape | None
    undo: UndoShape | None
    reason: str
    started: Moment | None
    ended: Moment | None
    waits_for: str

    @classmethod
    def of(cls, value: object) -> Self:
        """A job, as it is given."""
        assert isinstance(value, Job)
        plain = msgspec.to_builtins(value)
        del plain["tries"]  # nobody's business
        return cls.model_validate(plain)


class ColumnShape(_Shape):
    """A column of a list."""

    name: str
    title: str
    cells: list[str]


class ChosenShape(_Shape):
    """From where a field is read."""

    field: str
    column: str
    reason: str


class SampleShape(_Shape):
    """A row as it would be sent."""

    line: int
    place: str = Field(description="The same in words, as errors say it.")
    phone: str
    submitted: str
    fields: dict[str, str]


class ListShape(_Shape):
    """One list of a file: a sheet, or the whole."""

    name: str
    columns: list[ColumnShape]
    chosen: list[ChosenShape]
    notes: list[str]
    samples: list[SampleShape]


class OptionShape(_Shape):
    """An answer to a question."""

    answer: str
    about: str
    sample: list[str]


class QuestionShape(_Shape):
    """What must be chosen before a list is sent."""

    about: str = Field(description="`phone`: a column, `country`: a column, `sheet`: a sheet.")
    text: str
    options: list[OptionShape]
    path: str | None


class InspectionShape(_Shape):
    """What a list has, read with the choices of its job."""

    ready: bool
    lists: list[ListShape]
    questions: list[QuestionShape]
    problem: str
    noted: dict[str, Any]

    @classmethod
    def of(cls, value: object) -> Self:
        """An inspection, as it is given."""
        assert isinstance(value, Inspection)
        return cls.model_validate(msgspec.to_builtins(value) | {"ready": value.ready})


class GroupShape(BaseModel):
    """A group."""

    id: int
    name: str
    count: int | None
    columns: dict[str, str] = Field(description="What it calls the columns: names to fields.")

    @classmethod
    def of(cls, group: Group) -> Self:
        """A group, as it is given."""
        return cls(id=group.id, name=group.name, count=group.count_items, columns=group.columns)


class RowShape(_Shape):
    """What became of one row."""

    index: int
    phone: str
    number: str | None
    outcome: str
    delivery: str
    status: int | None
    reason: str
    attempts: int
    id: int | None
    line: int | None
    list: str


class ResultPageShape(_Shape):
    """Some of the rows that met one fate."""

    total: int
    rows: list[RowShape]
    next: int | None = Field(description="The offset of the next page.")

    @classmethod
    def of(cls, value: object) -> Self:
        """A page, as it is given."""
        assert isinstance(value, ResultPage)
        return super().of(value)
