"""Users of the workspace and the modules they may use."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import paging, required, texts
from airflow_provider_fastlabel.client.exceptions import FastLabelException, FastLabelInvalidException
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.settling import require_ours
from airflow_provider_fastlabel.client.http.shapes import a_list
from airflow_provider_fastlabel.client.resources.resource import Resource, present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_fastlabel.client.types import WorkspaceUser

PAGE = 20
"""Users per call: FastLabel documents this default and no maximum."""
MODULES = {"annotation": "annotation", "modelDev": "model-dev", "dataset": "dataset"}
"""The modules a user can be given, and how each is written in an address."""


class WorkspaceUsers(Resource):
    """The calls on users."""

    def get_workspace_users(
        self, keyword: str | None = None, offset: int | None = None, limit: int | None = PAGE
    ) -> list[WorkspaceUser]:
        """Return users of the workspace.

        :param keyword: search term.
        :param offset: position of the first user, from 0.
        :param limit: users per call.
        """
        params = present({"keyword": keyword}) | paging(offset, limit)
        return self._transport.get("workspaces-users", params, shape=a_list)

    def iter_workspace_users(self, keyword: str | None = None) -> Iterator[WorkspaceUser]:
        """Yield all users of the workspace.

        :param keyword: search term.
        """
        return iterate("workspaces-users", lambda offset, limit: self.get_workspace_users(keyword, offset, limit), PAGE)

    def create_workspace_user(self, name: str, email: str, language: str, role: str) -> dict[str, Any]:
        """Add a user to the workspace. If the answer is lost, the user is looked up by email.

        :param name: shown name.
        :param email: email address.
        :param language: ``en`` or ``ja``.
        :param role: ``member`` or ``owner``.
        :raises Conflict: the user was there already.
        """

        def settle(is_ours: Callable[[object], bool]) -> Any:
            for user in self.iter_workspace_users(email):
                if user.get("userEmail") == email:
                    require_ours(f"user {email}", user, is_ours)
                    return user
            return None

        body = required(name=name, email=email, language=language, role=role)
        return self._transport.post("workspaces-users/internal-users", body, settle=settle)

    def update_workspace_user(self, email: str, role: str) -> dict[str, Any] | None:
        """Change the role of a user.

        :param email: email address of the user.
        :param role: ``member``, ``owner``, or ``none`` to remove the user from the workspace.
        :returns: the user; ``None`` if the answer to a removal was lost and the user is gone.
        """
        body = required(email=email, role=role)
        return self._transport.put("workspaces-users/internal-users", body, removes=role == "none")

    def delete_workspace_user(self, email: str) -> None:
        """Remove a user from the workspace.

        :param email: email address of the user.
        """
        self.update_workspace_user(email, "none")

    def create_workspace_user_module_permissions(self, email: str, modules: str | Sequence[str]) -> list[Any]:
        """Let a user use modules. One call per module; if one fails, a note on the error names those granted before.

        :param email: email address of the user.
        :param modules: ``annotation``, ``modelDev`` or ``dataset``, or several of them.
        :returns: FastLabel's answer per module.
        :raises FastLabelInvalidException: (422) for an unknown module, before any call.
        """

        def grant(module: str) -> Any:
            path = f"function-resource-permissions/{MODULES[module]}/internal-users"
            return self._transport.post(path, required(email=email), idempotent=True)

        return _for_each_module(modules, grant, "granted")

    def delete_workspace_user_module_permissions(self, email: str, modules: str | Sequence[str]) -> None:
        """Take modules from a user. One call per module; if one fails, a note on the error names those taken before.

        :param email: email address of the user.
        :param modules: ``annotation``, ``modelDev`` or ``dataset``, or several of them.
        :raises FastLabelInvalidException: (422) for an unknown module, before any call.
        """

        def revoke(module: str) -> None:
            self._transport.delete("function-resource-permissions", required(email=email) | {"resource": module})

        _for_each_module(modules, revoke, "revoked")


def _for_each_module(modules: str | Sequence[str], act: Callable[[str], Any], done_word: str) -> list[Any]:
    """Check all modules, then act on one after the other."""
    wanted = [modules] if isinstance(modules, str) else texts("modules", modules) or []
    if unknown := [module for module in wanted if module not in MODULES]:
        raise FastLabelInvalidException(
            f"Unknown module {', '.join(map(repr, unknown))}: use {', '.join(MODULES)}. Nothing was changed.", 422
        )
    answers: list[Any] = []
    for module in wanted:
        try:
            answers.append(act(module))
        except FastLabelException as error:
            error.add_note(
                f"Module {module} failed; {done_word} before it: {', '.join(wanted[: len(answers)]) or 'none'}."
            )
            raise
    return answers
