"""The door to the Linux kernel for what Python has no function for: calls by number, and a process's own switches."""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char, c_int, c_long, c_size_t, c_ulong, c_void_p
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = c_long
_LIBC.mmap.restype = c_void_p
_LIBC.mmap.argtypes = (c_void_p, c_size_t, c_int, c_int, c_int, c_long)
_LIBC.munmap.argtypes = (c_void_p, c_size_t)
_FAILED_MAPPING = c_void_p(-1).value
_PRIVATE_ANONYMOUS, _SHARED = 0x22, 0x01
_READ = 1
NO_ACCESS, READ_EXECUTE = 0, 5


def system_call(number: int, *arguments: Any) -> int:
    """A system call by its number; whole numbers are passed at full width. OSError when the kernel refuses."""
    wide = [c_long(each) if isinstance(each, int) else each for each in arguments]
    return _checked(_LIBC.syscall(c_long(number), *wide))


def control(option: int, *values: Any) -> int:
    """`prctl`. OSError when the kernel refuses."""
    wide = [c_ulong(each) if isinstance(each, int) else each for each in values]
    return _checked(_LIBC.prctl(option, *wide, *[c_ulong(0)] * (4 - len(wide))))


def drop_capabilities(header: bytes, sets: bytes) -> None:
    """`capset`. OSError when the kernel refuses."""
    _checked(_LIBC.capset(header, sets))


def map_memory(size: int, protection: int) -> None:
    """Map fresh memory, and give it back at once. OSError when the kernel refuses."""
    address = _LIBC.mmap(None, size, protection, _PRIVATE_ANONYMOUS, -1, 0)
    if address == _FAILED_MAPPING:
        raise _error()
    _LIBC.munmap(address, size)


def map_file(descriptor: int, size: int) -> memoryview:
    """The first `size` bytes of a file, to be read where they lie, for good. OSError when the kernel refuses."""
    address = _LIBC.mmap(None, size, _READ, _SHARED, descriptor, 0)
    if address == _FAILED_MAPPING:
        raise _error()
    return memoryview((c_char * size).from_address(address)).cast("B")


def _checked(result: int) -> int:
    if result < 0:
        raise _error()
    return result


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
