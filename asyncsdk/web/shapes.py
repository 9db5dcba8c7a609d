"""What the JSON interface takes and gives, as FastAPI documents it: models made of our values."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from attrs import fields_dict, has
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from asyncsdk.models import Group
from asyncsdk.sources.questions import Question
from asyncsdk.validators import MOST
from asyncsdk.web.job import Choices, Job, JobProgress, Undo
from asyncsdk.web.reading import ColumnView, Inspection, ListView
from asyncsdk.web.results import ResultPage, RowResult
from asyncsdk.workflow.samples import Sample

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

T = TypeVar("T")

_NAMES: dict[type, str] = {
    JobProgress: "Progress",
    ColumnView: "Column",
    ListView: "List",
    RowResult: "Row",
}
"""What some values are called here; others by their own name."""
_SAID: dict[type, dict[str, Any]] = {
    Choices: {
        "columns": Annotated[dict[str, str], Field(examples=[{"phone": "Mobil", "a": "Anrede"}])],
        "sheet": Annotated[list[str], Field(description="Names of sheets; `*` for all.")],
        "skip_lines": Annotated[int, Field(ge=0)],
        "normalize": Annotated[str | None, Field(description="A region.", examples=["DE"])],
    },
    Job: {"created": Moment, "started": Moment | None, "ended": Moment | None},
    Sample: {"place": Annotated[str, Field(description="The same in words, as errors say it.")]},
    Question: {
        "about": Annotated[
            str,
            Field(description="`phone`: a column, `country`: a column, `sheet`: a sheet."),
        ]
    },
    Inspection: {"ready": bool},
    ResultPage: {"next": Annotated[int | None, Field(description="The offset of the next page.")]},
}
"""Fields of which more is said than their type, and properties that are given like fields."""
_UNSAID: dict[type, set[str]] = {Job: {"tries"}}
"""Fields that are nobody's business."""
_TAKEN = {Choices}
"""Values that are taken, not only given: what has a default may be left out."""


class _Shape(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(
        from_attributes=True, validate_default=True, extra="forbid"
    )

    @classmethod
    def of(cls, value: object) -> Self:
        """This value, as it is given."""
        return cls.model_validate(value)

    def value(self, kind: type[T]) -> T:
        """The value that it stands for."""
        return msgspec.convert(self.model_dump(), kind)


@cache
def _shape(value: type) -> Any:
    """The model of a value: its fields have the same names, and those of its types."""
    known = fields_dict(value)
    hints = {name: hint for name, hint in get_type_hints(value).items() if name in known}
    said = {name: _shaped(hint) for name, hint in hints.items()} | _SAID.get(value, {})
    spec = {
        name: (kind, _default(known[name].default) if value in _TAKEN else ...)
        for name, kind in said.items()
        if name not in _UNSAID.get(value, ())
    }
    name = f"{_NAMES.get(value, value.__name__)}Shape"
    return create_model(  # type: ignore[call-overload]
        name,
        __base__=_Shape,
        __doc__=(value.__doc__ or "").partition("\n")[0],
        __module__=__name__,
        **spec,
    )


def _shaped(hint: Any) -> Any:
    """A type of ours as JSON has it: models for values, lists for tuples."""
    if isinstance(hint, type) and has(hint):
        return _shape(hint)
    origin, inner = get_origin(hint), tuple(map(_shaped, get_args(hint)))
    if origin is tuple:
        return GenericAlias(list, inner[:1])
    if origin is dict:
        return GenericAlias(dict, inner)
    return reduce(or_, inner) if origin in {Union, UnionType} else hint


def _default(value: Any) -> Any:
    return value.factory() if hasattr(value, "factory") else value


if TYPE_CHECKING:

    class ChoicesShape(_Shape):
        """See `Choices`."""

    class InspectionShape(_Shape):
        """See `Inspection`."""

    class JobShape(_Shape):
        """See `Job`."""

    class ResultPageShape(_Shape):
        """See `ResultPage`."""

    class UndoShape(_Shape):
        """See `Undo`."""

else:
    ChoicesShape, InspectionShape, JobShape, ResultPageShape, UndoShape = map(
        _shape, (Choices, Inspection, Job, ResultPage, Undo)
    )


class ProblemShape(BaseModel):
    """Why a request was refused (RFC 9457)."""

    title: str
    status: int
    detail: str


class Change(BaseModel):
    """What is chosen for a job; what is left out stays as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    choices: ChoicesShape | None = None
    group_id: int | None = Field(default=None, ge=1, le=MOST)
    group_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="Made at the start, if it is not there.",
    )


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
