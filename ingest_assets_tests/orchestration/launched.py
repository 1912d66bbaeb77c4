"""Jobs for the tests of launchers: what a run does is seen in the folder that its tag names."""

import os
import time
from pathlib import Path

import dagster as dg

FOLDER_TAG = "folder"


def folder_of(context: dg.OpExecutionContext) -> Path:
    return Path(context.run.tags[FOLDER_TAG])


@dg.op
def materialize(context: dg.OpExecutionContext) -> int:
    context.log_event(dg.AssetMaterialization("made", metadata={"process": os.getpid()}))
    return 1


@dg.op
def fail() -> None:
    raise dg.Failure("as it should")


@dg.op
def wait(context: dg.OpExecutionContext) -> None:
    """Until somebody interrupts it."""
    (folder_of(context) / "started").touch()
    try:
        while True:
            time.sleep(0.05)
    finally:
        (folder_of(context) / "interrupted").touch()


@dg.op
def persist(context: dg.OpExecutionContext) -> None:
    """Whatever anybody does."""
    (folder_of(context) / "started").touch()
    while True:
        try:
            while True:
                time.sleep(0.05)
        except BaseException:
            (folder_of(context) / "interrupted").touch()


@dg.job(executor_def=dg.in_process_executor)
def succeeding() -> None:
    materialize()


@dg.job(executor_def=dg.in_process_executor)
def failing() -> None:
    fail()


@dg.job(executor_def=dg.in_process_executor)
def waiting() -> None:
    wait()


@dg.job(executor_def=dg.in_process_executor)
def persisting() -> None:
    persist()


defs = dg.Definitions(jobs=[succeeding, failing, waiting, persisting])
