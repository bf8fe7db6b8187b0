#!/bin/sh
# Opens reports of made-up comparisons in Chromium, without a window: no complaint of the browser, no request, every chart drawn, nothing
# that overlaps, is clipped or reaches beyond the page, on a phone and on a desk, light and dark, printed. Not among the tests of
# tests/run.sh, since it installs a browser. Pictures of all pages stay in build-release/report.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/setup.sh
need_packages $build_packages libcmocka-dev chromium fonts-dejavu-core python3 || exit 1
configure build-release -Dbuildtype=release && meson compile -C build-release make_report || exit 1
python3 tests/report/check.py "$(command -v chromium)" build-release/tests/compare/report/make_report build-release/report
