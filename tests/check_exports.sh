#!/bin/sh
# check_exports.sh BUILD: every plugin of a build folder exports its entry and nothing else, and libknack only names that begin with knack_,
# among them each function that the public headers declare.
set -eu
headers=$(cd "$(dirname "$0")/../include/knack" && pwd)
cd "$1"

# What nm prints of a library's defined dynamic symbols is "ADDRESS TYPE NAME@@VERSION"; type A is the version's own name.
exports() {
    nm --dynamic --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }'
}

wrong=0
plugins=$(find plugins -name '*.so' | sort)
[ -n "$plugins" ] || { echo "no plugin is built in $1/plugins" && exit 1; }
for plugin in $plugins; do
    names=$(exports "$plugin")
    if [ "$names" != knack_plugin_entry ]; then
        echo "$plugin: expected the one symbol knack_plugin_entry, exports:" $names
        wrong=1
    fi
done
strange=$(exports core/libknack.so | grep -v '^knack_' || true)
if [ -n "$strange" ]; then
    echo "core/libknack.so: exports names without knack_:" $strange
    wrong=1
fi
# "KNACK_API TYPE NAME(...": the name before the first parenthesis; but a plugin's entry is the plugin's to define.
exported=$(exports core/libknack.so)
declared=$(sed -n 's/^KNACK_API [^(]*\(knack_[a-z0-9_]*\)(.*/\1/p' "$headers"/*.h | grep -v '^knack_plugin_entry$')
[ "$(echo "$declared" | wc -l)" -eq "$(grep -h '^KNACK_API' "$headers"/*.h | grep -vc knack_plugin_entry)" ] ||
    { echo "$headers: some KNACK_API does not begin a line with its function's name" && exit 1; }
for name in $declared; do
    echo "$exported" | grep -qx "$name" && continue
    echo "core/libknack.so: does not export $name, which $headers declares"
    wrong=1
done
exit $wrong
