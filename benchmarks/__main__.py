"""Run the benchmarks: ``python -m benchmarks [--quick]``."""

from __future__ import annotations

import argparse

from benchmarks import controlplane


def main() -> None:
    """Print every figure; ``--quick`` leaves out what takes longer than a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the ten thousand pods")
    options = parser.parse_args()
    controlplane.report()
    if not options.quick:
        controlplane.report_scale()


if __name__ == "__main__":
    main()
