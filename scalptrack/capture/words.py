"""Words of the camera page's own script, in the language of the page."""

from __future__ import annotations

from scalptrack.translation import tr


def page_words() -> dict[str, str]:
    """Words by the names that the script knows them by; ``{name}`` is filled in by the script."""
    return {
        "camera_numbered": tr("Camera {number}"),
        "camera_forbidden": tr(
            "The browser doesn't let this page use the camera: allow it beside the address, and "
            "try again."
        ),
        "camera_missing": tr("There is no camera: plug one in, and try again."),
        "camera_busy": tr("Another program uses the camera: close it, and try again."),
        "camera_failed": tr("The camera doesn't start ({cause})."),
        "camera_gone": tr("The camera was unplugged or switched off."),
        "start_again": tr("Start the camera again."),
        "stop_timer": tr("Stop the timer"),
        "take": tr("Take the photograph"),
        "finish_now": tr("Finish now"),
        "finish_empty": tr("Finish without a photograph"),
        "step": tr("{number} of {all}"),
        "step_filed": tr("{number} of {all}, filed"),
        "no_answer": tr("The program doesn't answer: was it ended in the terminal?"),
        "looking": tr("Looking …"),
        "taking": tr("Taking it: hold still …"),
        "looking_at_it": tr("Looking at it …"),
        "good_compared": tr("Good: as in the first photograph. Hold still and take it."),
        "good": tr("Good. Hold still and take it."),
        "keep": tr("Keep"),
        "keep_nevertheless": tr("Keep it nevertheless"),
        "unusable": tr("This one can't be measured: take it again."),
        "better": tr("It can be measured. It would be better so:"),
        "usable": tr("This one is good."),
        "of_camera": tr("{width} × {height} pixels, photograph of the camera."),
        "of_video": tr("{width} × {height} pixels, frame of the video."),
        "all_filed": tr("All photographs of this visit are filed."),
        "comb": tr("Now comb the hair anew, as before."),
        "comb_why": tr(
            "Move away, comb, and come back: two photographs that were taken independently tell "
            "how exact the measurement is."
        ),
        "finished": tr("Finished. You can close this page."),
    }
