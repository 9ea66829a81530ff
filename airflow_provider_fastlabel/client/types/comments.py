"""Comments on tasks and their messages."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import NotRequired, TypedDict


class Thread(TypedDict):
    """One message of a comment."""

    id: str
    text: str
    createdAt: str
    updatedAt: str


class CommentBase(TypedDict):
    """A comment without its messages."""

    id: str
    taskId: str
    contentId: str | None
    type: str
    isResolved: bool
    points: list[float]
    scale: float
    frame: int  # 1-based in sequences and clips, else 0
    status: str
    priority: int
    taskAnnotationId: NotRequired[str | None]
    issueCategoryId: NotRequired[str | None]
    color: NotRequired[str | None]
    createdAt: str
    updatedAt: str


class Comment(CommentBase):
    """A comment on a task with its messages."""

    threads: list[Thread]


class CommentThread(Thread):
    """A message as the list of a whole project shows it."""

    comment: CommentBase
