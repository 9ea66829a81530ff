"""LeRobot data sets become robotics tasks."""
