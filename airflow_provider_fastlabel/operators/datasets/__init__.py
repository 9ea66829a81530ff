"""What is done with data sets that exports have published."""
