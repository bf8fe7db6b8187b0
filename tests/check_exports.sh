#!/bin/sh
# check_exports.sh BUILD: every plugin of a build folder exports its entry and nothing else, and libknack only names that begin with knack_.
set -eu
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
exit $wrong
