#!/bin/sh
# How long the quickstart's comparison takes, from the end of the build to its report: the whole process, seven times.
#   sh tests/bench/quickstart.sh BUILD-FOLDER
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export KNACK_LEDGER="$folder/ledger.jsonl"
for round in 1 2 3 4 5 6 7; do
    began=$(date +%s%N)
    "$1/core/knack" compare examples/compare-quickstart.json --out "$folder/$round" -q >"$folder/out"
    ended=$(date +%s%N)
    echo $(((ended - began) / 1000000))
done | sort -n | awk '{ ms[NR] = $1 } END { printf "min %d ms, median %d ms, max %d ms\n", ms[1], ms[4], ms[7] }'
