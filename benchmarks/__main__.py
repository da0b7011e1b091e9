"""Run the benchmarks: ``python -m benchmarks [--quick]``."""

from __future__ import annotations

import argparse
import os

from benchmarks import api, controlplane, grading


def main() -> None:
    """Print every figure; ``--quick`` leaves out what takes longer than a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one lesson only, and no ten thousand pods")
    options = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}\n")
    controlplane.report()
    print()
    api.report()
    print()
    grading.report(options.quick)
    if not options.quick:
        print()
        api.report_memory()
        print()
        controlplane.report_scale()


if __name__ == "__main__":
    main()
