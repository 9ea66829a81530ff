"""Reasons for which an annotation is left out of an export, as they are counted."""

from __future__ import annotations

#: The annotation's type has no place in the format (counted as ``unsupported_type:<type>``).
UNSUPPORTED_TYPE = "unsupported_type"
#: The annotation's value is not one of the classes given.
UNKNOWN_CLASS = "unknown_class"
#: The annotation has no points (or keypoints) at all.
NO_POINTS = "no_points"
#: Narrower or lower than a millionth of a pixel, fewer than three corners, or no area.
DEGENERATE = "degenerate"
#: The outline leaves the image or meets its holes, and crosses itself too often to be cut.
TOO_TANGLED = "too_tangled"
#: Nothing of the shape lies inside the image.
OUTSIDE_IMAGE = "outside_image"
#: Not a shape at all (not numbers, NaN, an odd number of coordinates); only with ``on_error="skip"``.
MALFORMED = "malformed"
#: The format needs the image's size and the task has none.
NO_IMAGE_SIZE = "no_image_size"
#: The annotation needs pixels, and the task claims more of them than fit into memory.
IMAGE_TOO_LARGE = "image_too_large"
#: The format keeps areas as pixels, and the shape covers the centre of none.
NO_PIXELS = "no_pixels"
#: The annotation of a sequence names no image of it.
NO_SUCH_IMAGE = "no_such_image"
#: The annotation of a video is in a frame that its clip has not.
BEYOND_CLIP = "beyond_clip"
