#!/bin/sh
# check_docs.sh SOURCE-FOLDER: lines of Markdown have at most 120 characters, but for tables and code; every relative link leads to a file
# that is there; and README.md has less than 150 lines.
set -eu
cd "$1"

# docs/measured/speed.md is written by tests/bench/speed.sh; the others are not folded yet.
skip='docs/measured/speed.md docs/measured/tricks.md docs/measured/validation*.md'
wrong=0
[ "$(wc -l <README.md)" -lt 150 ] || { echo "README.md: 150 lines or more" && wrong=1; }
for page in README.md CHANGELOG.md $(find docs -name '*.md' | sort); do
    folder=$(dirname "$page")
    for link in $(sed -n 's/`[^`]*`//g; s/](\([^)]*\))/\n](\1)\n/gp' "$page" | sed -n 's/^](\([^)#]*\).*$/\1/p'); do
        case $link in
        *://*) ;;
        *) [ -e "$folder/$link" ] || { echo "$page: links to $link, which is not there" && wrong=1; } ;;
        esac
    done
    for pattern in $skip; do
        case $page in $pattern) continue 2 ;; esac
    done
    # Bytes that go on a character of UTF-8 are not counted.
    LC_ALL=C awk -v page="$page" '
        /^ *```/ { code = !code; next }
        code || /^\|/ || /^    / { next }
        { line = $0; gsub(/[\200-\277]/, "", line) }
        length(line) > 120 { print page ":" NR ": " length(line) " characters"; wrong = 1 }
        END { exit wrong }' "$page" || wrong=1
done
# Each comparison of tests/bench/effects has its rows, which effects.py writes.
for file in tests/bench/effects/*.json; do
    sed -n 's/^    "\([^"]*\)": {.*/\1/p' "$file" | while read -r arm; do
        grep -qF "| $arm" docs/measured/tricks.md || { echo "$file: \"$arm\" has no row in docs/measured/tricks.md" && exit 1; }
    done || wrong=1
done
exit $wrong
