"""People of a workspace."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import TypedDict


class FunctionResourcePermissions(TypedDict):
    """The modules a user may use."""

    annotation: bool
    modelDev: bool
    dataset: bool


class WorkspaceUser(TypedDict):
    """A user of the workspace."""

    id: str
    userId: str
    userSlug: str
    userName: str
    userEmail: str
    role: str
    isExternal: bool
    functionResourcePermissions: FunctionResourcePermissions
    createdAt: str
    updatedAt: str
