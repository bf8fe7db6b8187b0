#!/bin/sh
# How well two trials at once use two cores: 20 trials of the cnn on 5,000 images of Fashion-MNIST, 2 epochs, one thread each, with --jobs 1 and
# --jobs 2 in turn, five times. The whole command is timed: data, checks, the serial measurement of cost, trials, report.
#   sh tests/bench/efficiency.sh BUILD-FOLDER [ROUNDS]
set -eu
cd "$(dirname "$0")/../.."
rounds=${2:-5}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export KNACK_LEDGER="$folder/ledger.jsonl"
cat >"$folder/cnn.json" <<'JSON'
{ "data": { "source": "fashion-mnist", "limit": 5000 },
  "model": { "type": "cnn", "channels": [32, 64], "hidden": [128], "dropout": 0.25 },
  "train": { "epochs": 2, "batch": 128 } }
JSON

# seconds JOBS ROUND
seconds() {
    began=$(date +%s%N)
    "$1/core/knack" compare "$folder/cnn.json" --tricks label-smoothing --seeds 10 --jobs "$2" --out "$folder/$2-$3" -q >"$folder/table"
    ended=$(date +%s%N)
    rm -r "$folder/$2-$3"
    awk -v ns=$((ended - began)) 'BEGIN { printf "%.2f", ns / 1e9 }'
}

round=1
while [ "$round" -le "$rounds" ]; do
    one=$(seconds "$1" 1 "$round")
    two=$(seconds "$1" 2 "$round")
    awk -v one="$one" -v two="$two" -v round="$round" \
        'BEGIN { printf "round %d: one job %.2f s, two jobs %.2f s, ratio %.3f\n", round, one, two, two / one }' | tee -a "$folder/rounds"
    round=$((round + 1))
done
sed 's/.*ratio //' "$folder/rounds" | sort -n | awk '{ r[NR] = $1 } END { printf "median ratio %.3f\n", r[int((NR + 1) / 2)] }'
