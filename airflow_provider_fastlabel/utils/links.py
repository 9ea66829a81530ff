"""Links of a task to FastLabel's application and to what it has published, on the task's page in Airflow.

A link is made by the task itself, before its work begins, and pushed to XCom as a whole address: it is there while the
task works or is deferred, after a failure, and for each mapped index; Airflow's API server only reads it. Which address
a page has says :mod:`~airflow_provider_fastlabel.hooks.pages`.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseOperatorLink, XCom

from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError
from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook, build_client
from airflow_provider_fastlabel.hooks.pages import CONSOLES, OUTPUT, asks_for, fill
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.utils.arguments import is_nothing
from airflow_provider_fastlabel.utils.task_memory import TaskMemory, fingerprint

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from airflow.providers.common.compat.sdk import TaskInstanceKey
    from airflow.sdk import Context

    Links = Collection[Any]
    """The links of a class of tasks; type checkers that do not see Airflow do not know its class of links."""

log: logging.Logger = logging.getLogger(__name__)

LOOKUP_TIMEOUT = (5.0, 10.0)
"""Connect and read timeout of the one call that a link may cost, in seconds."""

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST")
"""Environment variables that make the file system of an object store ask another server than the provider's."""


class FastLabelLink(BaseOperatorLink):
    """Base of the links.

    :cvar label: what its button says.
    :cvar page: the page it opens, one of :mod:`~airflow_provider_fastlabel.hooks.pages`.
    :cvar about: what must be known for it to make sense; one of them is enough.
    """

    label: ClassVar[str]
    page: ClassVar[str]
    about: ClassVar[tuple[str, ...]] = ("project",)

    @property
    def name(self) -> str:
        """What its button says."""
        return self.label

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the address that the task has pushed, empty when there is none; never raises, makes no call.

        :param operator: the task.
        :param ti_key: which try of it.
        """
        try:
            shown = getattr(operator, "links_shown", {}).get(self.xcom_key)
            if not shown and isinstance(operator, LinkedTask) and not operator.may_have_pushed(self):
                return ""  # Airflow's client logs an error for each XCom that is asked for and is not there
            key: Any = ti_key  # Airflow's own type of it does not fit what XCom wants
            address = shown or XCom.get_value(ti_key=key, key=self.xcom_key)
            is_web = isinstance(address, str) and urlsplit(address).scheme in ("http", "https")
        except Exception as error:
            log.debug("No link %r: %s", self.name, error)
            return ""
        return address if is_web else ""

    def address(self, pages: Mapping[str, str], facts: Mapping[str, Any]) -> str:
        """Return where the link leads, empty when that is not known.

        :param pages: addresses by page.
        :param facts: what is known of the task, by placeholder.
        """
        if self.page not in pages or all(is_nothing(facts.get(name)) for name in self.about):
            return ""
        return fill(pages[self.page], {name: value for name, value in facts.items() if name in self.facts()})

    def facts(self) -> Sequence[str]:
        """Return the placeholders that this link fills."""
        return (*self.about, "project", "project_id")


class FastLabelHomeLink(FastLabelLink):
    """Opens FastLabel's application, for tasks that are about no project."""

    label = "FastLabel"
    page = "home"
    about: ClassVar[tuple[str, ...]] = ("home",)


class FastLabelProjectLink(FastLabelLink):
    """Opens the project."""

    label = "FastLabel project"
    page = "project"


class FastLabelTasksLink(FastLabelLink):
    """Opens the list of the tasks that the task is about: by status and tags."""

    label = "FastLabel tasks"
    page = "tasks"

    def facts(self) -> Sequence[str]:
        """Return the placeholders that this link fills."""
        return ("project", "project_id", "task_id", "status", "tags")


class FastLabelImportLink(FastLabelLink):
    """Opens the import that the task has started or waits for."""

    label = "FastLabel import"
    page = "import"
    about: ClassVar[tuple[str, ...]] = ("history_id",)


class FastLabelModelJobLink(FastLabelLink):
    """Opens the job of a model that the task has started or waits for."""

    label = "FastLabel model job"
    page = "model_job"
    about: ClassVar[tuple[str, ...]] = ("job_id",)


class FastLabelOutputLink(FastLabelLink):
    """Opens what the task publishes: a dataset, or results."""

    label = "Published output"
    page = OUTPUT
    about: ClassVar[tuple[str, ...]] = ("output",)

    def facts(self) -> Sequence[str]:
        """Return the placeholders that this link fills."""
        return ("output", "bucket", "path", "project", "project_id")

    def address(self, pages: Mapping[str, str], facts: Mapping[str, Any]) -> str:
        """Return where the link leads; the store's own console where no address is given."""
        console = CONSOLES.get(str(facts.get("store")))
        return super().address({OUTPUT: console, **pages} if console else pages, facts)


HOME = FastLabelHomeLink()
PROJECT = FastLabelProjectLink()
TASKS = FastLabelTasksLink()
IMPORT = FastLabelImportLink()
MODEL_JOB = FastLabelModelJobLink()
PUBLISHED = FastLabelOutputLink()


class LinkedTask:
    """Base of operators and sensors with links.

    A link costs no call, but where the address needs the id of a project: that is looked up once, without a retry, and
    remembered on Airflow 3.3.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (PROJECT,)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project"}
    """Which attribute of the task is which placeholder."""

    fastlabel_conn_id: str
    _links_made = False
    """Whether this process knows what its links are made of."""

    @cached_property
    def hook(self) -> FastLabelHook:
        """The hook of this task's connection."""
        return FastLabelHook(fastlabel_conn_id=self.fastlabel_conn_id)

    @cached_property
    def links_shown(self) -> dict[str, str]:
        """The addresses that this process has pushed, by their XCom keys."""
        return {}

    @cached_property
    def _facts(self) -> dict[str, Any]:
        return {"home": True} | {name: getattr(self, own, None) for name, own in self.link_arguments.items()}

    def may_have_pushed(self, link: FastLabelLink) -> bool:
        """Tell whether a process before this one, which deferred, may have pushed the address of a link.

        :param link: the link, whose address this process has not pushed.
        """
        if self._links_made:
            return False
        try:
            return link.page in self.hook.pages()
        except (InvalidConnectionError, AirflowNotFoundException):
            return False

    def show_links(self, context: Context, **facts: Any) -> None:
        """Push the links that can be made of what is known now; those that stay as they are, are left.

        A connection that cannot be used has no links; the work itself says what is wrong with it.

        :param context: Airflow's task context.
        :param facts: what has become known, by placeholder.
        """
        self._facts.update(facts)
        self._links_made = True
        try:
            pages = self.hook.pages()
        except (InvalidConnectionError, AirflowNotFoundException) as error:
            log.debug("No links: %s", error)
            return
        self._look_up_project(context, pages)
        for link in self.operator_extra_links:
            address = link.address(pages, self._facts) if isinstance(link, FastLabelLink) else ""
            if address and self.links_shown.get(link.xcom_key) != address:
                context["ti"].xcom_push(key=link.xcom_key, value=address)
                self.links_shown[link.xcom_key] = address

    def _look_up_project(self, context: Context, pages: Mapping[str, str]) -> None:
        """Find the id of the project, if an address asks for it and it is not known."""
        project = self._facts.get("project")
        wanted = [pages.get(getattr(link, "page", ""), "") for link in self.operator_extra_links]
        if not isinstance(project, str) or is_nothing(project) or "project_id" in self._facts:
            return
        if not any(asks_for(pattern, "project_id") for pattern in wanted):
            return
        memory = TaskMemory(context, "fastlabel_project", fingerprint(self.fastlabel_conn_id, project))
        known = None
        try:
            known = memory.read().get("project_id")
            if not known and (known := self._ask_for_id(project)):
                memory.write(project_id=known)
        except Exception as error:  # whatever Airflow's store raises: the work goes on without its memory
            log.warning("The id of the project cannot be kept in Airflow's task state store: %s", error)
            known = known or self._ask_for_id(project)
        self._facts["project_id"] = known

    def _ask_for_id(self, project: str) -> str | None:
        """Ask FastLabel for the id of a project, once and not for long: without it the work goes on all the same."""
        from airflow_provider_fastlabel.client.exceptions import FastLabelException

        settings = replace(self.hook.settings(), remarks=())
        try:
            with build_client(settings, timeout=LOOKUP_TIMEOUT, max_retries=0) as client:
                found = client.find_project_by_slug(project)
        except (FastLabelException, InvalidConnectionError) as error:
            log.info("The links do not lead to the project itself, because its id could not be looked up: %s", error)
            return None
        return str(found["id"]) if found else None


def facts_of_output(place: Any, output: str) -> dict[str, Any]:
    """Return what a link to a published folder is made of.

    :param place: the opened place.
    :param output: as the task was given it.
    """
    if (local := local_path(place)) is not None:
        return {"output": output, "path": str(local.absolute()).strip("/")}
    bucket, _, path = str(place.path).strip("/").partition("/")
    store = None if _has_own_server(place) else place.protocol
    return {"output": f"{place.protocol}://{bucket}/{path}", "bucket": bucket, "path": path.strip("/"), "store": store}


def _has_own_server(place: Any) -> bool:
    """Tell whether an object store is on another server than its provider's, whose console does not know it."""
    options = place.fs.storage_options
    client = options.get("client_kwargs") or {}
    given = (options.get("endpoint_url"), client.get("endpoint_url"), getattr(place.fs, "endpoint_url", None))
    return any((*given, *map(os.environ.get, ENDPOINTS)))
