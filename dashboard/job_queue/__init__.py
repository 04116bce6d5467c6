"""Jobs: their rows, queue, progress, log and timeline.

The runner that works them off is the package jobs/; the templates are in templates/job_queue/.
"""
