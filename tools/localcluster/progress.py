"""Progress lines on standard error, so that nothing slow is silent."""

import contextlib
import sys
import threading
import time

# A step that lasts longer than this says so; then again after twice the time, up to the second.
FIRST_SECONDS, LAST_SECONDS = 5.0, 30.0

_print_lock = threading.Lock()


def say(text):
    """Prints one line; safe from several threads."""
    with _print_lock:
        print(text, file=sys.stderr, flush=True)


def duration(seconds):
    """42.3 -> '42 s', 3.24 -> '3.2 s', 192 -> '3 min 12 s'."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


@contextlib.contextmanager
def step(text, detail=lambda: ""):
    """Runs a with-block as one named step.

    Prints the name with its duration at the end, and now and then while it still runs, with
    whatever detail() says about how far it is.
    """
    started = time.monotonic()
    done = threading.Event()

    def tick():
        pause = FIRST_SECONDS
        while not done.wait(pause):
            pause = min(2 * pause, LAST_SECONDS)
            more = detail()
            more = f", {more}" if more else ""
            say(f"  ... {text}: {duration(time.monotonic() - started)}{more}")

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    except BaseException:
        say(f"  failed: {text} ({duration(time.monotonic() - started)})")
        raise
    finally:
        done.set()
        ticker.join()
    say(f"  {text}: {duration(time.monotonic() - started)}")
