from dataclasses import replace

import cv2
import numpy as np
import pytest

from scalptrack.quality import check_quality
from scalptrack.quality.check import BLURRED
from scalptrack.quality.focus import blur_in, measure_blur
from scalptrack.quality.framing import cut_off_percent
from scalptrack.quality.light import left_right_stops, skin_hue_deg
from scalptrack.quality.subject import head_width_px, subject_of
from scalptrack.records import CaptureInfo, Grid, RegionClass, Segmentation, Severity

SKIN, HAIR = np.array([200, 150, 125.0]), np.array([50, 35, 25.0])
DARK_SKIN, BLACK_HAIR = np.array([95, 62, 48.0]), np.array([22, 18, 17.0])

SLIGHT_PERCENT = 0.38
"""Defocus between the two limits of ``blurred``: strands look a third sharper than they are."""


class Scene:
    """A head from above, with strands of hair or bald, and its exact segmentation.

    ``head_px`` is the head's width; the wall is a plain or a striped one.
    """

    def __init__(
        self,
        *,
        head_px=420,
        size=(700, 600),
        centre=None,
        bald=False,
        dark=False,
        stripes=False,
        combed=False,
    ):
        rng = np.random.default_rng(3)
        height, width = size
        y, x = np.mgrid[:height, :width].astype(np.float64)
        cx, cy = centre or (width / 2, height / 2)
        radius = np.hypot((x - cx) / (head_px / 2), (y - cy) / (head_px / 2 * 1.2))
        self.head = radius < 1
        shade = np.sqrt(np.clip(1.05 - radius**2 * 0.6, 0.2, 1))[..., None]
        skin, colour = (DARK_SKIN, BLACK_HAIR) if dark else (SKIN, HAIR)
        strands = np.zeros(size, np.uint8)
        if not bald:
            for _ in range(60 if combed else 2500):
                angle, distance = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0.2, 1))
                start = np.array([cx, cy]) + distance * head_px / 2 * np.array(
                    [np.cos(angle), 1.2 * np.sin(angle)]
                )
                turn = angle + rng.normal(0, 0.5)
                end = start + 0.06 * head_px * np.array([np.cos(turn), np.sin(turn)])
                if combed:  # From one side to the other: no strand ends on the scalp.
                    start[0], end = cx - head_px, np.array([cx + head_px, start[1]])
                cv2.line(strands, start.astype(int).tolist(), end.astype(int).tolist(), 255, 1)
        self.fraction = np.where(self.head, strands / 255.0, 0).astype(np.float32)
        wall = np.full((height, width, 3), 175.0)
        if stripes:
            wall[:, (np.arange(width) // 9) % 2 == 0] = 90
        mix = self.fraction[..., None]
        self.picture = np.where(
            self.head[..., None], shade * ((1 - mix) * skin + mix * colour), wall
        )
        self.rng = rng

    def photograph(self, *, sigma=0.7, shake=0, gain=1.0, noise=2.0, add=0.0):
        picture = cv2.GaussianBlur(self.picture, (0, 0), sigma)
        if shake:
            picture = cv2.blur(picture, (shake, 1))
        picture = picture * gain + add + self.rng.normal(0, noise, picture.shape)
        return np.clip(picture, 0, 255).astype(np.uint8)

    def segmentation(self, image=None, *, step=1.5):
        height, width = self.head.shape
        size = (int(width / step), int(height / step))
        grid = Grid((step - 1) / 2, (step - 1) / 2, step, *size)
        head = cv2.resize(self.head.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        fraction = cv2.resize(self.fraction, size, interpolation=cv2.INTER_AREA)
        classes = np.where(fraction > 0.5, RegionClass.HAIR, RegionClass.SCALP_SKIN)
        picture = self.photograph() if image is None else image
        return Segmentation(
            grid=grid,
            photograph_shape=(height, width),
            hair_fraction=fraction,
            classes=np.where(head, classes, RegionClass.BACKGROUND).astype(np.uint8),
            scalp=head,
            incidence_cosine=np.ones_like(fraction),
            glare=(cv2.resize(picture, size, interpolation=cv2.INTER_AREA) >= 250).all(axis=2),
            method="truth",
        )

    def findings(self, image, capture=CaptureInfo()):  # noqa: B008 - frozen
        quality = check_quality(image, self.segmentation(image), capture)
        return {each.code: each.severity for each in quality.findings}


@pytest.fixture(scope="module")
def haired():
    return Scene(head_px=520, size=(800, 700))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("noise", [1, 6])
def test_a_good_photograph_has_no_findings(dark, noise):
    scene = Scene(head_px=520, size=(800, 700), dark=dark)
    image = scene.photograph(noise=noise)
    assert scene.findings(image) == {}
    assert check_quality(image, scene.segmentation(image), CaptureInfo()).usable


@pytest.mark.parametrize("percent", [0.3, 0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("noise", [1, 3])
def test_known_blur_is_recovered(haired, percent, noise):
    image = haired.photograph(sigma=percent * 5.20, noise=noise)
    blur = measure_blur(subject_of(image, haired.segmentation()))
    assert blur.strongest_percent == pytest.approx(percent, rel=0.4)
    assert blur.weakest_percent == pytest.approx(percent, rel=0.5)


@pytest.mark.parametrize("noise", [1, 5])
def test_a_sharp_photograph_measures_less_than_one_that_is_slightly_out_of_focus(haired, noise):
    sharp, soft = (
        measure_blur(subject_of(haired.photograph(sigma=sigma, noise=noise), haired.segmentation()))
        for sigma in (0.7, 0.25 * 5.2)
    )
    assert sharp.strongest_percent < 0.1
    assert soft.strongest_percent > 0.12


def test_noise_doesnt_hide_blur():
    scene = Scene(dark=True)
    image = scene.photograph(sigma=1.5 * 4.2, noise=8)
    blur = measure_blur(subject_of(image, scene.segmentation()))
    assert blur.strongest_percent == pytest.approx(1.5, abs=0.25)


def test_blur_doesnt_depend_on_the_cameras_resolution():
    values = []
    for head_px in (420, 1260):
        scale = head_px / 420
        scene = Scene(head_px=420)
        picture = scene.photograph(sigma=0.8 * 4.2, noise=0.5)
        if scale > 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        region = cv2.resize(scene.head.astype(np.uint8), picture.shape[1::-1]) > 0
        values.append(blur_in(picture, region, head_px=head_px).strongest_percent)
    assert values[1] == pytest.approx(values[0], rel=0.1)


def test_strong_blur_is_an_error_and_slight_blur_is_a_warning(haired):
    assert haired.findings(haired.photograph(sigma=2.0 * 5.2)) == {"blurred": Severity.ERROR}
    slightly = haired.photograph(sigma=SLIGHT_PERCENT / 100 * 520)
    assert haired.findings(slightly) == {"blurred": Severity.WARNING}
    quality = check_quality(
        haired.photograph(sigma=2.0 * 5.2), haired.segmentation(), CaptureInfo()
    )
    (finding,) = quality.findings
    assert not quality.usable
    assert finding.value > finding.limit == BLURRED.error
    assert finding.advice == "Hold the phone still, tap on the scalp to focus, and retake."


def test_a_shaken_photograph_is_blurred_in_one_direction(haired):
    image = haired.photograph(shake=81)
    blur = measure_blur(subject_of(image, haired.segmentation()))
    assert blur.strongest_percent > 1.4
    assert blur.weakest_percent < 0.2
    assert haired.findings(image)["blurred"] is Severity.ERROR
    assert haired.findings(haired.photograph(shake=41))["blurred"] is Severity.ERROR
    assert "blurred" not in haired.findings(haired.photograph(shake=3))


def test_hair_that_is_combed_one_way_is_not_shaken():
    scene = Scene(head_px=520, size=(800, 700), combed=True)
    assert scene.findings(scene.photograph()) == {}
    assert scene.findings(scene.photograph(shake=41))["blurred"] is Severity.ERROR


def test_a_sharp_wall_doesnt_make_a_blurred_scalp_sharp():
    scene = Scene(stripes=True)
    soft, sharp = scene.photograph(sigma=9), scene.photograph()
    image = np.where(scene.head[..., None], soft, sharp)
    assert scene.findings(image)["blurred"] is Severity.ERROR


def test_a_smooth_bald_scalp_is_not_blurred():
    scene = Scene(bald=True, head_px=520, size=(800, 700))
    assert scene.findings(scene.photograph()) == {}
    assert scene.findings(scene.photograph(noise=6)) == {}
    assert scene.findings(scene.photograph(sigma=10))["blurred"] is Severity.ERROR


def test_exposure(haired):
    assert haired.findings(haired.photograph(gain=0.12))["underexposed"] is Severity.ERROR
    assert haired.findings(haired.photograph(gain=0.24))["underexposed"] is Severity.WARNING
    assert haired.findings(haired.photograph(gain=3.0))["overexposed"] is Severity.ERROR
    bright = haired.findings(haired.photograph(gain=1.8))
    assert bright.get("overexposed") is Severity.WARNING


def test_glare_is_an_error_from_a_quarter_of_the_scalp(haired):
    findings = {}
    for radius in (0, 80, 180):
        image = haired.photograph()
        cv2.circle(image, (350, 400), radius, (255, 255, 255), -1 if radius else 1)
        findings[radius] = haired.findings(image).get("glare")
    assert findings == {0: None, 80: Severity.WARNING, 180: Severity.ERROR}


@pytest.mark.parametrize(
    ("head_px", "severity"), [(150, Severity.ERROR), (300, Severity.WARNING), (520, None)]
)
def test_resolution(head_px, severity):
    scene = Scene(head_px=head_px, size=(int(head_px * 1.5), int(head_px * 1.4)))
    image = scene.photograph()
    assert scene.findings(image).get("low_resolution") is severity
    assert head_width_px(scene.segmentation(image)) == pytest.approx(head_px, rel=0.02)


def test_head_cut_off():
    scene = Scene(head_px=520, size=(800, 700), centre=(120, 400))
    assert cut_off_percent(scene.segmentation()) > 50
    assert scene.findings(scene.photograph())["head_cut_off"] is Severity.WARNING
    whole = Scene(head_px=520, size=(800, 700)).segmentation()
    assert cut_off_percent(whole) == 0


def test_a_frame_that_scalp_fills_is_too_near():
    scene = Scene(head_px=900, size=(600, 600))
    assert cut_off_percent(scene.segmentation()) > 300
    assert scene.findings(scene.photograph())["head_cut_off"] is Severity.ERROR


def test_a_grid_beyond_the_frame_doesnt_hide_that_the_head_is_cut_off():
    scene = Scene(head_px=520, size=(800, 700), centre=(120, 400))
    inner = scene.segmentation()
    pad = 50
    outer = Segmentation(
        grid=Grid(
            inner.grid.x0_px - pad * inner.grid.step_px,
            inner.grid.y0_px,
            inner.grid.step_px,
            inner.grid.width + pad,
            inner.grid.height,
        ),
        photograph_shape=inner.photograph_shape,
        **{
            name: np.pad(getattr(inner, name), ((0, 0), (pad, 0)))
            for name in ("hair_fraction", "classes", "scalp", "incidence_cosine", "glare")
        },
        method="truth",
    )
    assert cut_off_percent(outer) == pytest.approx(cut_off_percent(inner), rel=0.05)


def test_hard_light_is_measured_in_stops(haired):
    ramp = 2.0 ** (np.linspace(-1.5, 1.5, 700) / 2.2)
    image = np.clip(haired.photograph(gain=0.6) * ramp[None, :, None], 0, 255).astype(np.uint8)
    subject = subject_of(image, haired.segmentation())
    # The outer thirds of a head of 520 px lie about 340 px apart: half of three stops.
    assert left_right_stops(subject) == pytest.approx(1.45, abs=0.3)
    even = subject_of(haired.photograph(), haired.segmentation())
    assert left_right_stops(even) < 0.1
    steep = np.clip(haired.photograph(gain=0.6) * ramp[None, :, None] ** 1.6, 0, 255)
    assert "hard_light" in haired.findings(steep.astype(np.uint8))


@pytest.mark.parametrize("cast", [(0.6, 0.9, 1.4), (0.7, 1.25, 0.8), (1.0, 0.7, 1.4)])
def test_coloured_light_is_found(haired, cast):
    image = np.clip(haired.photograph() * np.array(cast), 0, 255).astype(np.uint8)
    assert haired.findings(image).get("colour_cast") is Severity.WARNING


@pytest.mark.parametrize("dark", [False, True])
def test_skin_has_the_hue_of_skin(dark):
    scene = Scene(dark=dark)
    hue = skin_hue_deg(subject_of(scene.photograph(), scene.segmentation()))
    assert 35 < hue < 65


def test_a_grey_photograph_has_no_colour_cast(haired):
    grey = cv2.cvtColor(haired.photograph(), cv2.COLOR_RGB2GRAY)
    assert "colour_cast" not in haired.findings(np.repeat(grey[..., None], 3, axis=2))


def test_haze_is_low_contrast(haired):
    image = haired.photograph(gain=0.15, add=130, noise=1)
    assert haired.findings(image)["low_contrast"] is Severity.WARNING


def test_an_ultra_wide_lens_is_a_warning(haired):
    image = haired.photograph()
    assert "wide_angle" in haired.findings(image, CaptureInfo(focal_length_35mm=13))
    assert "wide_angle" not in haired.findings(image, CaptureInfo(focal_length_35mm=26))


def test_without_a_head_the_whole_picture_may_tell_why(haired):
    quality = check_quality(haired.photograph(sigma=12), None, CaptureInfo())
    assert [each.code for each in quality.findings][:2] == ["blurred", "no_head"]
    assert not quality.usable
    dark = check_quality(haired.photograph(gain=0.05), None, CaptureInfo())
    assert dark.findings[0].code == "underexposed"


@pytest.mark.parametrize("shape", [(64, 64, 3), (64, 900, 3)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_nothing_has_no_head(shape, level):
    quality = check_quality(np.full(shape, level, np.uint8), None, CaptureInfo())
    assert "no_head" in {each.code for each in quality.findings}
    assert all(np.isfinite([each.value, each.limit]).all() for each in quality.findings)


def test_errors_come_first_and_advice_is_one_sentence(haired):
    image = haired.photograph(sigma=10, gain=0.1)
    findings = check_quality(image, None, CaptureInfo(focal_length_35mm=13)).findings
    severities = [each.severity is Severity.ERROR for each in findings]
    assert severities == sorted(severities, reverse=True)
    assert all(each.advice.endswith(".") and each.advice.count(". ") == 0 for each in findings)
    assert len({each.code for each in findings}) == len(findings) >= 3


@pytest.mark.parametrize(
    ("doubt", "severity"), [(0.02, None), (0.12, Severity.WARNING), (0.3, Severity.ERROR)]
)
def test_doubt_about_hair_on_the_measured_scalp_is_a_finding(haired, doubt, severity):
    image = haired.photograph()
    seen = haired.segmentation(image)
    # The steep border is not measured: what is thought of it must not matter.
    steep = np.zeros_like(seen.scalp)
    steep[:, : steep.shape[1] // 2] = True
    made = replace(
        seen,
        doubt=np.where(steep, 0.9, doubt).astype(np.float32),
        incidence_cosine=np.where(steep, 0.3, 1.0).astype(np.float32),
    )
    found = [
        (each.code, each.severity, each.value)
        for each in check_quality(image, made, CaptureInfo()).findings
    ]
    assert found == ([("hair_like_scalp", severity, 100 * doubt)] if severity else [])


def test_a_sharp_face_doesnt_make_a_blurred_scalp_sharp(haired):
    scalp = np.zeros_like(haired.head)
    scalp[: haired.head.shape[0] // 2] = haired.head[: haired.head.shape[0] // 2]
    soft, sharp = haired.photograph(sigma=0.8 * 5.2), haired.photograph()
    image = np.where(scalp[..., None], soft, sharp)
    whole = haired.segmentation(image)
    size = whole.scalp.shape[::-1]
    above = cv2.resize(scalp.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    seen = replace(whole, scalp=above)
    quality = check_quality(image, seen, CaptureInfo())
    assert {each.code: each.severity for each in quality.findings}["blurred"] is Severity.ERROR
    assert measure_blur(subject_of(image, seen)).strongest_percent == pytest.approx(0.8, rel=0.4)


def test_pixels_of_a_small_head_are_not_taken_for_blur():
    scene = Scene(head_px=150, size=(260, 220))
    assert scene.findings(scene.photograph(sigma=1.5))["low_resolution"] is Severity.ERROR
    assert "blurred" not in scene.findings(scene.photograph(sigma=1.5))
