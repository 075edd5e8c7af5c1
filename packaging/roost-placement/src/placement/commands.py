"""The commands `placement-manage` and `placement-status`."""

from placement.alone import refuse_both


def manage() -> int:
    """Run `placement-manage`; its exit status."""
    refuse_both()
    from roost.main import placement_manage  # noqa: PLC0415 - not before it is known that we are alone

    return placement_manage()


def status() -> int:
    """Run `placement-status`; its exit status."""
    refuse_both()
    from roost.main import placement_status  # noqa: PLC0415 - not before it is known that we are alone

    return placement_status()
