"""Reads: the tree, the scene that everybody sees, one learner's way through it, the measures of analysts."""
