#!/bin/sh
# From a fresh clone to a trained model: installs the packages that are missing, builds, and trains on the data set that comes along.
set -eu
cd "$(dirname "$0")/.."
. tools/setup.sh
need_packages $build_packages

[ -f build/build.ninja ] || configure build -Dtests=false
meson compile -C build
echo "== examples/digits.json"
cat examples/digits.json
echo "== build/core/knack run examples/digits.json --force --out runs/quickstart"
build/core/knack run examples/digits.json --force --out runs/quickstart
echo
echo "next: build/core/knack run examples/digits.json --plugin mixup"
echo "      build/core/knack plugins        the tricks that there are"
