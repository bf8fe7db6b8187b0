#!/bin/sh
# check_drawings.sh SOURCE-FOLDER: the drawings of docs/drawings are what draw.py writes, and a page shows each of them.
set -eu
cd "$1"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 docs/drawings/draw.py "$place"
for drawing in docs/drawings/*.svg; do
    name=${drawing##*/}
    cmp "$drawing" "$place/$name"
    grep -q "(drawings/$name)" docs/*.md
    rm "$place/$name"
done
test -z "$(ls "$place")" # all that is written is committed
