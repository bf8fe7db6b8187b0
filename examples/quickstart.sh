#!/bin/sh
# From a fresh clone to a verdict: installs missing packages, builds, and compares seven tricks on the digits that knack carries with it.
set -eu
cd "$(dirname "$0")/.."
. tools/setup.sh
need_packages $build_packages

[ -f build/build.ninja ] || configure build -Dtests=false
meson compile -C build
# Unless told otherwise it has a ledger of its own: to try this is not to compare.
export KNACK_LEDGER="${KNACK_LEDGER:-comparisons/quickstart-ledger.jsonl}"
echo "== examples/compare-quickstart.json"
cat examples/compare-quickstart.json
echo "== build/core/knack compare examples/compare-quickstart.json --out comparisons/quickstart"
build/core/knack compare examples/compare-quickstart.json --out comparisons/quickstart
echo
echo "next: build/core/knack compare examples/compare-cost.json          the example that README.md explains"
echo "      build/core/knack run examples/digits.json --plugin mixup     trains one network"
echo "      build/core/knack plugins                                     the tricks that there are"
