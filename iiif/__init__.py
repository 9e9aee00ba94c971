"""The IIIF Image API 3, level 2: any part of a picture in any size, for deep zoom and for other viewers."""
