"""Courses, positions, the courses that lead to a position, and training videos.

Templates are in templates/catalogue; what looks into a video file is jobs/engines/video.
"""
