"""From an Airflow connection of type ``fastlabel`` to a :class:`~airflow_provider_fastlabel.client.FastLabelClient`."""
