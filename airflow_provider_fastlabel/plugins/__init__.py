"""What Airflow's screens show of us beside their own: the "Dataset" tab of a task, served by Airflow's API server."""
