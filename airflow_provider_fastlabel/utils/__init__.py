"""What operators, sensors and triggers share about Airflow: rendered arguments, errors, retries, memory, stores."""
