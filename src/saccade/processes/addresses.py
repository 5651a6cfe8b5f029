"""addresses: which of this machine's addresses other machines can reach."""

from __future__ import annotations

import errno
import socket
import struct
import sys

SIOCGIFADDR = 0x8915  # Linux: the address of an interface


def is_ours(host: str) -> bool:
    """Whether `host` is this machine: whether one may listen there."""
    try:
        with socket.socket(_family(host)) as listener:
            listener.bind((host, 0))
    except OSError:
        return False
    return True


def taken(host: str, port: int) -> bool:
    """Whether somebody listens on a port of this machine already."""
    with socket.socket(_family(host)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def address_towards(host: str, port: int) -> str:
    """This machine's address on the way to `host`; nothing is sent.  Falls back to its name."""
    try:
        with socket.socket(_family(host), socket.SOCK_DGRAM) as probe:
            probe.connect((host, port or 9))
            return probe.getsockname()[0]
    except OSError:
        return socket.getfqdn()


def interface_of(address: str) -> str | None:
    """The network interface that has an IPv4 address; None where that is not found out."""
    if not sys.platform.startswith("linux"):
        return None
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            asked = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(any_socket.fileno(), SIOCGIFADDR, asked)
            except OSError:  # it has none
                continue
            if socket.inet_ntoa(answer[20:24]) == address:
                return name
    return None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
