"""Reads an Airflow connection from an event loop, in a triggerer and in ``airflow dags test`` alike."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowNotFoundException, Connection
from asgiref.sync import sync_to_async

from airflow_provider_fastlabel.hooks.connection import ConnectionSettings, read_connection
from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook


async def read_settings(conn_id: str) -> ConnectionSettings:
    """Read the connection from an event loop.

    Before Airflow 3.3.2, which ``aextra_dejson`` tells, the asynchronous reading masks secrets by a synchronous call
    that raises ``DeadlockImminentError`` beside another trigger's; a thread has no such trouble there.

    From 3.3.2 on it is asked first, and a thread only where it finds nothing: ``airflow dags test`` and ``dag.test()``
    run triggers in a process whose asynchronous reading does not know the database.

    :param conn_id: id of the Airflow connection.
    :raises InvalidConnectionError: naming the field that is missing or wrong.
    :raises AirflowNotFoundException: when neither way finds such a connection.
    """
    if hasattr(Connection, "aextra_dejson"):
        try:
            connection = await FastLabelHook.aget_connection(conn_id)
        except AirflowNotFoundException:
            pass  # said below by the second way, if it finds none either
        else:
            return read_connection(connection, await connection.aextra_dejson())
    # The thread must be asgiref's, which knows the event loop that talks to Airflow's supervisor.
    return await sync_to_async(FastLabelHook(conn_id).settings)()
