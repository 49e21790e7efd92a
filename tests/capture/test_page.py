"""The camera's page in a real browser, with a fake camera that shows a rendered head.

The looking is a stand-in that answers at once: what it is asked is part of what is tested.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scalptrack.capture.coaching import Hint, Placed
from scalptrack.capture.filing import Filing
from scalptrack.capture.looking import Judgement, Sight
from scalptrack.capture.page import capture_routes
from scalptrack.capture.reference import CaptureReference
from scalptrack.capture.session import CaptureSession
from scalptrack.guide import draw_outline
from scalptrack.images import encode_transparent_png, read_photograph
from scalptrack.records import CaptureInfo, Finding, ImageArray, Severity
from scalptrack.serving import LocalServer
from scalptrack.single import Opened
from tests.builders import disc, segmentation_of
from tests.report.test_browser import BROWSER, NAMES

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright isn't installed: pip install 'scalptrack[test]'"
)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"no browser found on the path (looked for {', '.join(NAMES)})"
)

CAMERA = (960, 720)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
BLURRED = Finding("blurred", Severity.ERROR, 1.2, 0.75, "% of head width", "Hold still.")
CLOSER = Hint("too_far", "Come closer.")
LIGHT = Hint("underexposed", "More light.", serious=True)
GOOD = Sight((), True, 640)
MOMENT = datetime.fromisoformat("2026-04-12T09:30:05")


@dataclass
class Watcher:
    """Answers what the test sets, and remembers what it was asked."""

    sight: Sight = GOOD
    blurred: list[bool] = field(default_factory=list)
    frames: list[tuple[int, int, int]] = field(default_factory=list)
    photographs: list[ImageArray] = field(default_factory=list)

    def watch(self, frame: ImageArray, camera_side_px: int) -> Sight:
        self.frames.append((frame.shape[1], frame.shape[0], camera_side_px))
        return self.sight

    def judge(self, path: Path) -> Judgement:
        image, _ = read_photograph(path)
        self.photographs.append(image)
        bad = bool(self.blurred) and self.blurred.pop(0)
        hints = (Hint("blurred", "Hold still: the picture is blurred.", True),) if bad else ()
        height, width = image.shape[:2]
        return Judgement((BLURRED,) if bad else (), hints, None, width, height)


@dataclass
class Visit:
    """A page that is open, and what is behind it."""

    page: object
    session: CaptureSession
    watcher: Watcher
    photos: Path
    ended: threading.Thread
    complaints: list[str]
    strangers: list[str]

    def advice(self, state: str) -> str:
        self.page.wait_for_selector(f"#advice[data-state={state}]")
        return self.page.inner_text("#advice")


@pytest.fixture(scope="module")
def picture(samples) -> ImageArray:
    """A rendered head as the fake camera shows it."""
    with Image.open(samples / "subject-03" / "vertex" / "2024-06-03.jpg") as image:
        shown = image.convert("RGB").resize((540, 720))
    wide = Image.new("RGB", CAMERA, (120, 120, 120))
    wide.paste(shown, (210, 0))
    return np.asarray(wide)


@pytest.fixture(scope="module")
def chromium(picture, tmp_path_factory) -> Iterator[object]:
    film = tmp_path_factory.mktemp("camera") / "head.mjpeg"
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95, subsampling=2)
    film.write_bytes(buffer.getvalue() * 2)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    flags.append(f"--use-file-for-fake-video-capture={film}")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reference() -> CaptureReference:
    segmentation = segmentation_of(np.zeros((240, 180)), disc(240, 80)[:, 30:210])
    _, outline = draw_outline(
        Opened(np.full((240, 180, 3), 90, np.uint8), CaptureInfo(), segmentation)
    )
    return CaptureReference(
        name="anna/vertex/2026-01-10.jpg",
        visit_date=date(2026, 1, 10),
        side=None,
        placed=Placed(90, 120, 160, 180, 240),
        outline_png=encode_transparent_png(outline),
    )


@pytest.fixture
def visit(chromium, reference, tmp_path) -> Iterator[Visit]:
    watcher = Watcher()
    session = CaptureSession(
        Filing(tmp_path, "anna", "vertex", date(2026, 4, 12)),
        watcher,
        wanted=2,
        max_megapixels=50.0,
        now=lambda: MOMENT,
    )
    server = LocalServer(capture_routes(session, reference, no_reference=None))
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    page = chromium.new_page(viewport=DESKTOP)
    page.set_default_timeout(120_000)
    visit = Visit(page, session, watcher, tmp_path, thread, [], [])
    page.on("console", lambda message: visit.complaints.append(message.text))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    ours = (server.url, "blob:", "data:")
    page.on(
        "request",
        lambda request: request.url.startswith(ours) or visit.strangers.append(request.url),
    )
    page.goto(server.url)
    page.wait_for_selector("#steps li")
    yield visit
    page.close()
    server.stop()
    thread.join(10)
    assert visit.complaints == []
    assert visit.strangers == []


def _take(visit: Visit) -> str:
    visit.page.click("#shutter")
    visit.page.wait_for_selector("#retake:visible")
    return visit.page.inner_text("#advice")


def test_two_photographs_are_taken_with_combing_between_and_filed(visit, picture):
    page = visit.page
    assert page.inner_text("#steps") == "1 of 2\n2 of 2"
    page.click("#start")
    assert visit.advice("good") == "Good: as in the first photograph. Hold still and take it."
    assert _take(visit) == "This one is good."
    assert page.inner_text("#note").startswith("960 × 720 pixels, ")
    assert list(visit.photos.rglob("*.jpg")) == []
    page.click("#keep")
    page.wait_for_selector("#combed:visible")
    assert page.inner_text("#say") == "Now comb the hair anew, as before."
    page.click("#combed")
    visit.advice("good")
    _take(visit)
    page.click("#keep")
    page.wait_for_selector("#done:visible")
    files = sorted(each.relative_to(visit.photos).as_posix() for each in visit.photos.rglob("*.*"))
    assert files == ["anna/vertex/2026-04-12_1.jpg", "anna/vertex/2026-04-12_2.jpg"]
    assert page.inner_text("#files ul").splitlines() == files
    taken, capture = read_photograph(visit.photos / files[0])
    assert capture.taken_at == MOMENT
    assert taken.shape == (720, 960, 3)
    # The rendered head, through two JPEGs and the camera's own colours.
    assert np.abs(taken.astype(int) - picture).mean() < 8
    page.click("#done")
    visit.ended.join(20)
    assert not visit.ended.is_alive()
    # The server may have ended before the page has read its last answer. (No wait_for_function: the
    # page's policy forbids the evaluation that it repeats until it is true.)
    page.locator("#say", has_text="Finished. You can close this page.").wait_for()


def test_advice_follows_the_frames_and_their_size_is_the_one_that_was_asked_for(visit):
    visit.watcher.sight = Sight((LIGHT, CLOSER), False, 700)
    visit.page.click("#start")
    assert visit.advice("bad") == "More light.\n\nCome closer."
    visit.watcher.sight = Sight((CLOSER,), False, 700)
    assert visit.advice("change") == "Come closer."
    visit.watcher.sight = Sight((), False, 700)
    assert visit.advice("good") == "Good. Hold still and take it."
    assert visit.watcher.frames[0] == (800, 600, 960)
    assert set(visit.watcher.frames[1:]) == {(700, 525, 960)}


def test_a_bad_photograph_is_to_be_taken_again_and_is_not_filed(visit):
    visit.watcher.blurred[:] = [True, False]
    visit.page.click("#start")
    visit.advice("good")
    words = "This one can't be measured: take it again.\n\nHold still: the picture is blurred."
    assert _take(visit) == words
    assert visit.page.inner_text("#keep") == "Keep it nevertheless"
    visit.page.click("#retake")
    visit.advice("good")
    assert list(visit.photos.rglob("*.jpg")) == []
    assert _take(visit) == "This one is good."
    assert visit.session.retaken == 1


def test_a_page_that_is_loaded_again_goes_on_where_it_was(visit):
    visit.page.click("#start")
    visit.advice("good")
    _take(visit)
    visit.page.reload()
    visit.page.wait_for_selector("#keep:visible")
    assert visit.page.evaluate("document.getElementById('picture').naturalWidth") == 960
    visit.page.click("#keep")
    visit.page.wait_for_selector("#combed:visible")
    visit.page.click("#combed")
    assert visit.page.inner_text("#say") == "Start the camera again."


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_outline_lies_on_the_camera_and_nothing_is_cut_off(visit, size):
    page = visit.page
    page.set_viewport_size(size)
    page.click("#start")
    visit.advice("good")
    boxes = [page.locator(each).bounding_box() for each in ("#video", "#outline")]
    assert boxes[0] == boxes[1]
    # Fitted into the camera's frame, not into the space around it.
    assert boxes[0]["width"] / boxes[0]["height"] == pytest.approx(CAMERA[0] / CAMERA[1], rel=0.01)
    assert boxes[0]["width"] > 0.6 * min(size["width"], 1000)
    assert page.evaluate("getComputedStyle(document.getElementById('outline')).objectFit") == (
        "contain"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    button = page.locator("#shutter").bounding_box()
    assert button["y"] + button["height"] <= size["height"]
    assert button["height"] >= 44
    page.uncheck("#show")
    assert not page.locator("#outline").is_visible()
