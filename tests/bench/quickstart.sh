#!/bin/sh
# How long the quickstart's run takes, from the end of the build to its result: the whole process, eleven times.
#   sh tests/bench/quickstart.sh BUILD-FOLDER
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
for round in 1 2 3 4 5 6 7 8 9 10 11; do
    began=$(date +%s%N)
    "$1/core/knack" run examples/digits.json --force --out "$folder/run" >"$folder/out" 2>&1
    ended=$(date +%s%N)
    echo $(((ended - began) / 1000000))
done | sort -n | awk '{ ms[NR] = $1 } END { printf "min %d ms, median %d ms, max %d ms\n", ms[1], ms[6], ms[11] }'
grep 'ema (primary)' "$folder/out"
rm -r "$folder"
