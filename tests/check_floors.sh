#!/bin/sh
# check_floors.sh CORE: every #include "floor/..." of a file in core/ goes to its own floor or to one below it.
set -eu
cd "$1"

height() {
    case $1 in
    base) echo 0 ;;
    tensor) echo 1 ;;
    plugin | model | data) echo 2 ;;
    train) echo 3 ;;
    compare) echo 4 ;;
    cli) echo 5 ;;
    *) echo "core/$1 is no floor that this script knows" >&2 && exit 1 ;;
    esac
}

wrong=0
for file in $(find . -name '*.[ch]' | sort); do
    file=${file#./}
    floor=${file%%/*}
    own=$(height "$floor")
    for other in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file"); do
        case $other in
        */*) ;;
        *) echo "core/$file: includes \"$other\" without its floor" && wrong=1 && continue ;;
        esac
        target=${other%%/*}
        [ "$target" != "$floor" ] || continue
        below=$(height "$target")
        if [ "$below" -ge "$own" ]; then
            echo "core/$file: includes \"$other\", but $floor does not stand on $target"
            wrong=1
        fi
    done
done
exit $wrong
