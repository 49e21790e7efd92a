"""Runs a study in children that kill themselves, until one of them reaches the end.

Called as a program, because a fork has to be made before any thread is: ``FOLDER KILLS``. A child
counts the function calls that Python makes and sends itself SIGKILL at one of them, so that the
places where it dies lie anywhere: in the middle of a transaction, of a file, of a photograph.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main(folder: Path, kills: int) -> None:
    from study.fake_pipeline import HereExecutor, fake_registration, fakes

    from scalptrack.study.running import run_study
    from scalptrack.study.store import StudyStore

    def child(limit: int) -> int:
        """Exit code of a run that may make so many calls; negative when it was killed."""
        process = os.fork()
        if process:
            return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        calls = 0

        def count(_frame, event, _argument):
            nonlocal calls
            calls += event == "call"
            if calls == limit:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        with fakes(), fake_registration():
            run_study(StudyStore(folder), executor=HereExecutor())
        os._exit(0)

    # What a first opening imports is done here, so that the children die in their own work.
    StudyStore(folder).close()
    done = 0
    limit = 600
    while done < kills:
        if child(limit) == 0:
            break
        done += 1
        # The next one gets a little further, wherever this one died.
        limit += 997
    last = child(-1)
    sys.stdout.write(f"{done} {last}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
