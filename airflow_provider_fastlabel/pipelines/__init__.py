"""The work, without Airflow: what an operator does once its arguments are rendered."""
