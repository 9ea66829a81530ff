"""Decorators that make tasks of Python functions, registered with Airflow by ``provider_info``."""
