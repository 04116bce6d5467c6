"""Analyses: mutation tables that people upload, the check of them, runs and what comes out.

The mathematics is in jobs/engines/clonal, the pages' markup in templates/analyses.
"""
