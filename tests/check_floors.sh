#!/bin/sh
# check_floors.sh CORE: every #include of a file in core/ goes to its own floor or to a lower one, and within core/compare to its own room or
# to a lower one.
set -eu
cd "$1"

# Bottom to top; names on one line stand side by side, and none of them stands on another.
floors='
base
tensor draw
plugin model data
train
compare
cli'
# "." are the files of core/compare that are in no room.
rooms='
statistics
plan
trials
store
grid
inference
schedule
preflight
analysis
report .'

find . -name '*.[ch]' | sort | xargs awk -v floors="$floors" -v rooms="$rooms" '
    function set_heights(text, height, list, names, lines, count, i, n, k) {
        count = split(text, lines, "\n")
        for (i = 1; i <= count; i++) {
            n = split(lines[i], names, " ")
            for (k = 1; k <= n; k++) height[names[k]] = i
        }
    }
    # The room of a path of compare/, "." for a file in none.
    function room_of(path, part) { return split(path, part, "/") > 2 ? part[2] : "." }
    function say(what) {
        print "core/" file ": " what
        wrong = 1
    }
    function check(height, from, to) {
        if (!(to in height)) say("includes \"" target "\", of a floor or room that this script does not know")
        else if (from != to && height[to] >= height[from])
            say("includes \"" target "\", but " (from == "." ? "core/compare itself" : from) " does not stand on " (to == "." ? "core/compare itself" : to))
    }
    BEGIN {
        set_heights(floors, floor)
        set_heights(rooms, room)
    }
    FNR == 1 {
        file = substr(FILENAME, 3)
        split(file, own, "/")
        if (!(own[1] in floor) || (own[1] == "compare" && !(room_of(file) in room))) say("is on a floor or in a room that this script does not know")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, quoted, "\"")
        target = quoted[2]
        if (split(target, other, "/") < 2) {
            say("includes \"" target "\" without its floor")
            next
        }
        if (own[1] != other[1] || own[1] != "compare") check(floor, own[1], other[1])
        else check(room, room_of(file), room_of(target))
    }
    END { exit wrong }'
