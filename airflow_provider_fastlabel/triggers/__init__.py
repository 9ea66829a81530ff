"""The waiting itself: what is asked, how the answer is judged, and how many waits share one question."""
