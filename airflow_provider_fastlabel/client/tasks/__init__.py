"""Calls on tasks, one module per family of kinds."""

from __future__ import annotations

from airflow_provider_fastlabel.client.tasks.audio import AudioTasks
from airflow_provider_fastlabel.client.tasks.classification import ImageClassificationTasks
from airflow_provider_fastlabel.client.tasks.common import CommonTasks
from airflow_provider_fastlabel.client.tasks.image import ImageTasks
from airflow_provider_fastlabel.client.tasks.other import OtherTasks
from airflow_provider_fastlabel.client.tasks.pcd import PcdTasks
from airflow_provider_fastlabel.client.tasks.text import TextTasks
from airflow_provider_fastlabel.client.tasks.video import VideoTasks


class Tasks(ImageTasks, ImageClassificationTasks, VideoTasks, TextTasks, AudioTasks, PcdTasks, OtherTasks, CommonTasks):
    """All calls on tasks."""
