"""Calls on tasks, one module per family of kinds."""

from __future__ import annotations

from airflow_provider_fastlabel.client.resources.tasks.audio import AudioTasks
from airflow_provider_fastlabel.client.resources.tasks.classification import ImageClassificationTasks
from airflow_provider_fastlabel.client.resources.tasks.common import CommonTasks
from airflow_provider_fastlabel.client.resources.tasks.image import ImageTasks
from airflow_provider_fastlabel.client.resources.tasks.other import OtherTasks
from airflow_provider_fastlabel.client.resources.tasks.pcd import PcdTasks
from airflow_provider_fastlabel.client.resources.tasks.text import TextTasks
from airflow_provider_fastlabel.client.resources.tasks.video import VideoTasks


class Tasks(ImageTasks, ImageClassificationTasks, VideoTasks, TextTasks, AudioTasks, PcdTasks, OtherTasks, CommonTasks):
    """All calls on tasks."""
