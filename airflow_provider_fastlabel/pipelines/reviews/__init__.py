"""Labels that are suspicious go back to the people who drew them."""
