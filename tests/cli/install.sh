#!/bin/sh
# Installs into an empty folder, and uses only what lies there: the program, the package, the header files.
#   install.sh BUILD SOURCE PREFIX LIBDIR
set -eu
build=$1 source=$2 place=$(mktemp -d)
meson=$(sed -n 's/^ *command = \(.*\) --internal regenerate.*/\1/p' "$build/build.ninja" | head -n 1) # the one that configured
trap 'rm -rf "$place"' EXIT

say() { printf '\n== %s\n' "$*"; }

say "install into $place"
DESTDIR=$place $meson install -C "$build" --no-rebuild --quiet
cp -a "$place$3" "$place/moved" # the package works wherever it is
(cd "$build" && $meson --internal uninstall) # as `ninja uninstall` does
test -z "$(find "$place$3" ! -type d)"
prefix=$place/moved
libraries=$prefix/$4
export PATH="$prefix/bin:$PATH" PKG_CONFIG_PATH="$libraries/pkgconfig"
unset KNACK_PLUGIN_PATH LD_LIBRARY_PATH # the program finds its library by itself
test -e "$libraries/libknack.so.0"
test -e "$prefix/include/knack/plugin.h"
test "$(ls "$prefix"/share/man/man1/knack*.1 | wc -l)" -gt 8
test -e "$prefix/share/bash-completion/completions/knack"
test "$(command -v knack)" = "$prefix/bin/knack"

say "the program and its plugins"
cd "$place"
knack --version
knack plugins
knack plugins --json | grep -q "$libraries/knack/plugins/ema"
cp -r "$source/examples" examples
knack run examples/digits.json -q
test -s runs/digits/model.safetensors

say "the whole trick of docs/writing-a-trick.md, from its text alone"
# The fenced block of a language that holds a word.
block() { awk -v language="\`\`\`$1" -v word="$2" '
    $0 == language { inside = 1; text = ""; next }
    /^```/ { if (inside && index(text, word)) printf "%s", text; inside = 0 }
    inside { text = text $0 "\n" }' "$source/docs/writing-a-trick.md"; }
mkdir whole
(
    cd whole
    block c clip_open >clip.c
    block json clip.so >clip.json
    test "$(wc -l <clip.c)" -lt 60
    cp ../examples/digits.json .
    mkdir examples
    cp digits.json examples
    block sh clip.so >commands.sh
    sh -e commands.sh
    grep -q '"clip": {"norm"' runs/digits/metrics.jsonl
)

say "the plugin that was written out of tree"
$meson setup examples/out-of-tree/build examples/out-of-tree
$meson compile -C examples/out-of-tree/build
for manifest in examples/out-of-tree/build/*.json; do
    case $manifest in */compile_commands.json) continue ;; esac
    knack plugins --check "$manifest"
    name=$(basename "$manifest" .json)
    KNACK_PLUGIN_PATH=examples/out-of-tree/build knack run examples/digits.json -q --plugin "$name" --out runs/out-of-tree | grep "$name"
done
test -s runs/out-of-tree/model.safetensors

say "programs that embed knack"
export LD_LIBRARY_PATH="$libraries"
$meson setup examples/embed/build examples/embed
$meson compile -C examples/embed/build
row=$(printf '8 %.0s' $(seq 64))
examples/embed/build/predict runs/digits $row
examples/embed/build/predict runs/digits 1 2 3 2>message && exit 1
grep -q "^predict: a row has 3 numbers, this model takes 64$" message
echo "1,2,3" | examples/embed/build/predict runs/digits 2>message && exit 1
grep -q "^predict: a row has 3 numbers" message
echo "$row" | tr ' ' ',' | sed 's/,$//' | examples/embed/build/predict runs/digits
examples/embed/build/own_model examples/digits.json runs/own
test -s runs/own/model.safetensors
knack predict runs/own examples/digits.json 2>message && exit 1
grep -q "^knack: " message
