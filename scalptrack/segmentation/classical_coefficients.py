"""The fixed numbers of the classical method: one logistic score with, one without known skin.

Thirty-six numbers in all, fitted by ``lab/benchmarks/classical_coefficients.py`` to 210 pictures of
the fast renderer (seeds from 90,000,000 and 91,000,000); everything else about a photograph is
measured in the photograph itself. Each row: feature (see `classical_features.FEATURES`), mean and
SD that standardise it, weight in the log-odds of hair.
"""

Table = tuple[tuple[str, float, float, float], ...]

SKIN_KNOWN: Table = (
    ("fine_texture", -2.811, 1.128, 0.463),
    ("texture", -2.657, 0.985, 0.181),
    ("chroma_texture", -3.604, 1.005, -0.279),
    ("coherence", 0.468, 0.260, 0.267),
    ("luminance", -0.188, 1.006, -0.656),
    ("red", -0.091, 0.332, -0.335),
    ("blue", 0.067, 0.278, -0.459),
    ("smooth_luminance", -0.186, 0.987, -0.401),
    ("chroma_distance", 0.299, 0.332, 0.904),
    ("luminance_distance", 0.738, 0.709, 0.925),
    ("skin_distance", 3.004, 1.669, 0.656),
    ("texture_over_skin", 1.046, 0.933, 0.018),
    ("chroma_texture_over_skin", 0.362, 0.817, -0.355),
    ("coarse_texture_over_skin", 0.325, 0.949, 0.143),
    ("smooth_luminance_distance", 0.726, 0.695, -0.688),
    ("dark_strands", 0.109, 0.197, 0.124),
    ("light_strands", 0.110, 0.193, -0.115),
    ("intercept", 0.000, 1.000, 0.146),
)
SKIN_UNKNOWN: Table = (
    ("fine_texture", -2.802, 1.127, 0.042),
    ("texture", -2.654, 0.983, 0.243),
    ("chroma_texture", -3.620, 1.004, 0.045),
    ("coherence", 0.478, 0.260, 0.395),
    ("luminance", -0.544, 0.595, -0.499),
    ("red", -0.142, 0.379, -0.597),
    ("blue", 0.159, 0.315, -0.164),
    ("smooth_luminance", -0.542, 0.564, -0.258),
    ("chroma_distance", 0.438, 0.311, 0.517),
    ("luminance_distance", 0.581, 0.559, -0.026),
    ("skin_distance", 2.113, 0.870, 0.094),
    ("texture_over_skin", 0.846, 0.983, 0.243),
    ("chroma_texture_over_skin", 0.080, 1.004, 0.045),
    ("coarse_texture_over_skin", 0.254, 0.819, -0.193),
    ("smooth_luminance_distance", 0.569, 0.538, -0.280),
    ("dark_strands", 0.111, 0.209, 0.137),
    ("light_strands", 0.111, 0.194, -0.076),
    ("intercept", 0.000, 1.000, 0.098),
)
