"""What the catalogue tells domains above it, which it does not know."""

from blinker import Signal

video_downloaded = Signal()
"""Sent with `user_id`, `item_id` and `video_id` when a learner downloads a video."""
