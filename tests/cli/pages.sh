#!/bin/sh
# The manual: a page for every command of `knack --help`, which tells all that the command's --help tells, in roff without a warning.
#   pages.sh FOLDER
set -eu
export LC_ALL=C
cd "$1"
knack=$KNACK_PROGRAM
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# The words of a page, without fonts and escapes, on one line; and those of a --help.
plain() { sed -e 's/^\\&//; s/\\f[BIR]//g; s/\\-/-/g; s/\\(aq/'"'"'/g; s/\\(ga/`/g; s/\\(ha/^/g; s/\\(ti/~/g; s/\\e/\\/g' "$1" | words; }
words() { tr -s ' \n' '  '; }

# tells PAGE TEXT
tells() {
    case $(cat "$place/page") in
    *"$2"*) checked=$((checked + 1)) ;;
    *) echo "$1 does not say: $2" && exit 1 ;;
    esac
}

checked=0
$knack --help >"$place/help"
# The first paragraph is of usage, the second one lists the commands.
for command in $(awk 'NF == 0 { part++ } part == 1 && NF { print $1 }' "$place/help"); do
    page=knack-$command.1
    plain "$page" >"$place/page"
    $knack "$command" --help >"$place/help-of"
    tells "$page" "$(head -n 1 "$place/help-of")"
    tells "$page" "$(sed -n 's/^example: //p' "$place/help-of")"
    # Of "  -q, --quiet  no progress" the words before two blanks, and those after.
    sed -n 's/^  \([^ ].*\)$/\1/p' "$place/help-of" >"$place/lines"
    while read -r line; do
        tells "$page" "$(printf '%s' "${line%%  *} ${line#*  }" | words)"
    done <"$place/lines"
    plain knack.1 >"$place/page"
    tells knack.1 "knack-$command (1) $(sed -n "s/^  $command  *//p" "$place/help")"
done
for word in --version --help 130 KNACK_PLUGIN_PATH KNACK_LEDGER; do
    tells knack.1 "$word $(sed -n "s/^  $word  *//p" "$place/help")"
done
test "$checked" -gt 80
test "$(ls knack*.1 | wc -l)" -eq $(($(awk 'NF == 0 { part++ } part == 1 && NF' "$place/help" | wc -l) + 1))

for page in knack*.1; do
    if command -v groff >/dev/null; then groff -man -ww -z -Tutf8 "$page" 2>>"$place/complaints"; fi
    if command -v mandoc >/dev/null; then mandoc -Tlint -W warning "$page" | grep -v 'missing date' >>"$place/complaints" || true; fi
done
cat "$place/complaints"
test ! -s "$place/complaints"
echo "$checked texts found"
