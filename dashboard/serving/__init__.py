"""The model service: models and their versions, deployments, predictions, monitoring, training.

The runtimes are jobs/engines/scoring; templates are in templates/serving.
"""
