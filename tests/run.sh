#!/bin/sh
# Builds and tests everything twice: as it is shipped, and with sanitizers in the double build. The last line counts the tests of both.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/setup.sh
need_packages $test_packages || exit 1

passed=0
failed=0

count() { # count RESULT LOG
    grep -c "\"result\": \"$1\"" "$2"
}

# check FOLDER OPTION...: a build that fails counts as one failed test.
check() {
    folder=$1
    echo
    echo "== $folder"
    log=$folder/meson-logs/testlog.json
    if ! { configure "$@" --werror && rm -f "$log" && meson compile -C "$folder"; }; then
        failed=$((failed + 1))
        return
    fi
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 3
    ended=$?
    all=$(grep -c '"result":' "$log")
    good=$(($(count OK "$log") + $(count EXPECTEDFAIL "$log")))
    skipped=$(count SKIP "$log")
    bad=$((all - good - skipped))
    [ "$skipped" -eq 0 ] || echo "$skipped skipped"
    [ "$ended" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
}

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export OMP_WAIT_POLICY=passive # threads that spin at barriers would hold up the tests beside them
CC=gcc check build-release -Dbuildtype=release
CC=clang check build-double -Dbuildtype=debugoptimized -Dreal=double -Db_sanitize=address,undefined -Db_lundef=false

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
