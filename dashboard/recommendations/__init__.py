"""Recommendations: training runs, lists with reasons, offline evaluation and its charts.

The mathematics is jobs/engines/collaborative_filtering; templates are in templates/recommendations.
"""
