"""The labelling loop on one machine: a real Airflow, the embedded emulator, real photographs."""
