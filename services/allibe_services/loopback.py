"""Hosts that are this machine, whose word nobody can change on its way."""

import ipaddress


def is_loopback_host(host: str) -> bool:
    """Tell whether a URL's host is this machine, by name or as an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
