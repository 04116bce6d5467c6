"""What learners do with courses, positions and videos: the event log, and its present state per learner."""
