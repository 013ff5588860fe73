"""Programs that stand in for qemu-user, debootstrap and dpkg-deb: the "foreign" system's Python is this one."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

DEBOOTSTRAP = """
for root do case $root in /*) break;; esac; done
case "$*" in *--arch=armhf*) libraries=arm-linux-gnueabihf;; *) libraries=aarch64-linux-gnu;; esac
echo "debootstrap $*" >> {log}
test ! -e {log}.broken || {{ echo "E: no such mirror" >&2; exit 1; }}
mkdir -p "$root/var/cache/apt/archives" "$root/usr/lib/$libraries"
touch "$root/var/cache/apt/archives/python3.deb"
"""
DPKG = """
echo "dpkg-deb $*" >> {log}
mkdir -p "$3/usr/bin" "$3/usr/lib/arm-linux-gnueabihf/blas"
printf '#!/bin/sh\\nexec {python} "$@"\\n' > "$3/usr/bin/python3.11"
chmod +x "$3/usr/bin/python3.11"
touch "$3/usr/lib/arm-linux-gnueabihf/blas/libblas.so.3"
"""
QEMU = """
echo "$0 $*" >> {log}
test "$1 $3" = "-cpu -L" || exit 9
shift 4
exec "$@"
"""


def stand_ins(folder: Path) -> Path:
    """Write the programs into ``folder``; returns the file in which each call leaves a line."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    log.touch()
    programs = {"debootstrap": DEBOOTSTRAP, "dpkg-deb": DPKG, "fakeroot": '\nexec "$@"\n'}
    programs |= dict.fromkeys(("qemu-aarch64-static", "qemu-arm-static"), QEMU)
    for name, text in programs.items():
        path = folder / name
        path.write_text("#!/bin/sh" + text.format(log=log, python=sys.executable))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return log
