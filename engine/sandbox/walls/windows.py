"""A job object: Windows limits the worker's memory and time, and lets it start no process.

Written without a Windows machine at hand: untested. Files and the network are stopped by the first wall only.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import weakref
from typing import Any

from engine.sandbox.layer import Layer
from engine.sandbox.limits import WorkerLimits
from engine.sandbox.walls.proof import confirmed

_EXTENDED_LIMITS = 9
_FLAGS = 0x2 | 0x8 | 0x100 | 0x400 | 0x2000
"""Processor time, active processes, memory of the process, no dialog after a crash, and all killed on closing."""
_TICKS_A_SECOND = 10_000_000


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("active_processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority_class", ctypes.c_uint32),
        ("scheduling_class", ctypes.c_uint32),
        ("input_and_output", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


def start_in_a_job(
    command: list[str], folder: str, connection: socket.socket, limits: WorkerLimits
) -> subprocess.Popen[bytes]:
    """Start a worker in a job of its own, which ends with us, and hand it its end of the socket. OSError."""
    interpreter = getattr(
        sys, "_base_executable", sys.executable
    )  # that of an environment starts another process
    process = subprocess.Popen(
        [interpreter, *command[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"SYSTEMROOT": os.environ.get("SYSTEMROOT", "")},  # without it there are no sockets
    )
    if sys.platform == "win32" and process.stdin is not None:
        _confine(process, limits)
        with process.stdin as stdin:
            stdin.write(connection.share(process.pid))
    return process


def _confine(process: subprocess.Popen[bytes], limits: WorkerLimits) -> None:
    windows = _windows()
    job = windows.CreateJobObjectW(None, None)
    if not job:
        raise _error()
    weakref.finalize(process, windows.CloseHandle, job)
    wanted = _Limits(
        process_time=limits.cpu_seconds * _TICKS_A_SECOND,
        flags=_FLAGS,
        active_processes=1,
        process_memory=limits.memory_bytes,
    )
    size = ctypes.sizeof(wanted)
    if not windows.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(wanted), size):
        raise _error()
    handle: Any = getattr(process, "_handle")  # noqa: B009 - it is there on Windows only
    if not windows.AssignProcessToJobObject(job, ctypes.c_void_p(int(handle))):
        raise _error()


def job_around_us() -> Layer:
    """The job that the host put this process into, read back."""
    found = _Limits()
    windows = _windows()
    size = ctypes.sizeof(found)
    if not windows.QueryInformationJobObject(None, _EXTENDED_LIMITS, ctypes.byref(found), size, None):
        return Layer("job-object", stands=False, said="this process is in no job")
    stands = found.flags & _FLAGS == _FLAGS and found.active_processes == 1
    return confirmed("job-object", "its limits were read back from the system", stands=stands)


def _windows() -> Any:
    if sys.platform != "win32":
        raise OSError("there are job objects on Windows only")
    library = ctypes.WinDLL("kernel32", use_last_error=True)
    library.CreateJobObjectW.restype = ctypes.c_void_p
    library.CreateJobObjectW.argtypes = (ctypes.c_void_p, ctypes.c_wchar_p)
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    library.SetInformationJobObject.argtypes = (pointer, ctypes.c_int, pointer, number)
    library.QueryInformationJobObject.argtypes = (pointer, ctypes.c_int, pointer, number, pointer)
    library.AssignProcessToJobObject.argtypes = (pointer, pointer)
    library.CloseHandle.argtypes = (pointer,)
    return library


def _error() -> OSError:
    if sys.platform != "win32":
        return OSError()
    return ctypes.WinError(ctypes.get_last_error())
