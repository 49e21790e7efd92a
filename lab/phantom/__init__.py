"""The phantom: rendered heads whose visible hair is known exactly, pixel by pixel.

Everything but :mod:`lab.phantom.scene` is plain NumPy and SciPy; only that module
imports ``bpy`` (Blender 4.5 as a Python module, Python 3.11), and only when it renders.

Frame of the head: origin at the centre of the cranium, +x to the subject's right,
+y to the front (nose), +z up; centimetres everywhere.
"""
