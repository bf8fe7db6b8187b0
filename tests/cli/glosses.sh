#!/bin/sh
# examples/make_glosses.py and examples/encoder.json, as their comments say to run them, on a dictionary of 60 definitions.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/examples"
cp "$KNACK_TEST_EXAMPLES/make_glosses.py" "$KNACK_TEST_EXAMPLES/encoder.json" "$place/examples"
cd "$place"

{
    echo "  1 This text stands for a licence, which is no definition | as its indentation says"
    for i in $(seq 20); do # address, part, kind, and what the rest of a line has
        echo "0000$i 05 n 01 beast 0 000 | an animal with $i Legs; \"it has legs\""
        echo "0000$i 20 n 01 shrub 0 000 | a plant with $i leaves; it has roots"
        echo "0000$i 18 n 01 scholar 0 000 | someone who's writing $i books"
    done
} >data.noun
python3 examples/make_glosses.py glosses data.noun >said
cat said
# The first and every tenth of 60 are for tests.
grep -q '^54 rows to train on, 6 to test; .* classes: 0 animal (20), 1 person (20), 2 plant (20)$' said
# 128 bytes of NumPy's header and 32 ids of two bytes a row.
test "$(wc -c <glosses/train-ids.npy)" -eq $((128 + 54 * 64))
test "$(wc -c <glosses/test-classes.npy)" -eq $((128 + 6))
python3 examples/make_glosses.py glosses absent 2>message && exit 1
grep -q '^absent is missing; its package: apt-get install wordnet-base$' message

$KNACK_PROGRAM run examples/encoder.json --set train.epochs=30 --set train.batch=9 --out runs/glosses -q >said
grep '^raw (primary) *1.0000 .* 1.0000 ' said # such texts are easily told apart
$KNACK_PROGRAM predict runs/glosses glosses/test-ids.npy >classes.csv
test "$(wc -l <classes.csv)" -eq 7
for text in "$(seq -s, 7990 8021)" "$(yes 0 | head -32 | paste -sd,)"; do echo "$text"; done >wrong.csv
$KNACK_PROGRAM predict runs/glosses wrong.csv 2>message && exit 1
cat message
grep -q '^knack: wrong.csv: row 0 (the first is 0), value 10: 8000 is no token id, which are whole numbers from 0 to 7999; ' message
sed -i 1d wrong.csv
$KNACK_PROGRAM predict runs/glosses wrong.csv 2>message && exit 1
cat message
grep -q '^knack: wrong.csv: row 0 (the first is 0) has no token but padding (id 0)' message
$KNACK_PROGRAM run examples/encoder.json --set train.epochs=1 --set train.batch=9 --out runs/attacked -q \
    --plugin '{ "name": "fgm", "layer": "embedding", "epsilon": 0.05 }' >said
grep '^fgm .*gradient 6 ' said
