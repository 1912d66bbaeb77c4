"""The one place that changes how Dagster behaves in a process."""

import warnings

from ingest_assets.composition import key_patterns
from ingest_assets.orchestration.dagster_internals.daemon_loops import (
    launch_what_there_is_room_for,
    look_every_second,
    replace_dead_code_servers,
)
from ingest_assets.orchestration.dagster_internals.error_texts import TELLING, withhold_messages
from ingest_assets.posix.guarded_process import guard_process
from ingest_assets.posix.log_lines import follow_the_setting

NOISE = "Parameter `owners` of initializer"


def install() -> None:
    """Change Dagster in this process, permanently. Calling it again changes nothing more.

    It replaces or adds:

    - `SerializableErrorInfo.from_traceback`, from which Dagster gets what it keeps, sends and prints about an
      exception: the messages of most exceptions are withheld (`error_texts`).
    - The process's log records, `sys.excepthook`, `sys.unraisablehook` and `threading.excepthook`, for the same reason
      (`posix.guarded_process`); Python's warnings go to the log, which is JSON if INGEST_LOG_FORMAT says so.
    - A filter for a warning about one of Dagster's own defaults, which it raises whenever a sensor's Dagster jobs get
      resources.
    - In the daemon, the pause between two looks at the sensors, which is one second, the check of its code servers,
      which replaces dead ones at once, and the choice of runs to launch, which asks launchers for their room
      (`daemon_loops`).

    The definitions, the classes that `dagster.yaml` names, the warm server and `prepare_instance` call this. Every
    process that uses Dagster starts with one of them.
    """
    warnings.filterwarnings("ignore", message=NOISE)
    guard_process(key_patterns(), *TELLING)
    follow_the_setting()
    withhold_messages()
    look_every_second()
    replace_dead_code_servers()
    launch_what_there_is_room_for()
