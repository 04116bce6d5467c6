"""How the organisation is built: units as a tree, the people and positions in them, and their 3D view.

Pages: templates/organisation; the scene: static/src/scene. Texts for readers: docs/structure.md.
"""
