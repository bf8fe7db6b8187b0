#!/bin/bash
# The completion for bash, called as bash calls it: commands, options, choices, tricks, files and folders.
#   completion.sh SCRIPT
set -u
export LC_ALL=C
source "$1" || exit 1
knack=$KNACK_PROGRAM
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place" || exit 1
mkdir -p runs/digits comparisons 'two words'
touch config.json 'two words/a file.json' new.npy
failed=0

# expect "WHAT IS OFFERED, SORTED, BETWEEN |" WORD...: the last word is the one that is being completed.
expect() {
    local wanted=$1 offered
    shift
    COMP_WORDS=("$knack" "$@") COMP_CWORD=$#
    _knack "$knack" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    offered=$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd '|')
    [[ $offered == "$wanted" ]] && return
    echo "knack $*: offers $offered, not $wanted"
    failed=1
}

# All that --help tells of.
commands=$("$knack" --help | awk 'NF == 0 { part++ } part == 1 && NF { print $1 }')
expect "$(sort <<<"$commands" | paste -sd '|')" ''
for command in $commands; do
    options=$("$knack" "$command" --help | sed -n 's/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p')
    expect "$(sort <<<"$options" | paste -sd '|')" "$command" --
done

expect 'report|resume|run' r
expect '--help|--version' --
expect '' fabricate
expect '--quiet' resume runs/digits --q
expect '--trace' run config.json --force --set a=1 --t

# Choices, each of which --help names
while read -r command word kind choices; do
    [[ $kind == choice ]] || continue
    line=$("$knack" "$command" --help | grep -e "^  $word ")
    for choice in $choices; do
        [[ $line == *$choice* ]] && continue
        echo "knack $command --help: $word does not tell of $choice"
        failed=1
    done
done <<<"$_knack_words"
expect 'ablation|factorial|fraction|one|screen' compare config.json --design ''
expect 'factorial|fraction' compare --design f
expect 'factorial|fraction' compare --design = f
expect 'ablation|factorial|fraction|one|screen' compare --design =
expect 'test|train' eval runs/digits --part t
expect 'confirmation' compare --role c

# Tricks
tricks=$("$knack" plugins --json | sed -n 's/.*"name": "\(.*\)",/\1/p' | sort | paste -sd '|')
[[ $tricks == *mixup* ]] || failed=1
expect "$tricks" plugins ''
expect 'mixup' run config.json --plugin mix
expect 'mixup' compare config.json --tricks mix
expect 'ema,mixup' compare config.json --tricks ema,mix
expect "ema,${tricks//|/|ema,}" compare --tricks ema,

# Files and folders
expect 'comparisons|config.json|new.npy|runs|two words' run ''
expect 'config.json' run conf
expect 'two words/a file.json' run 'two words/a'
expect 'comparisons|runs|two words' resume ''
expect 'runs/digits' run config.json --out runs/
expect 'comparisons' report runs/digits c
expect 'new.npy' predict runs/digits n
expect 'new.npy' predict -o out.csv runs/digits n
expect 'new.npy' predict -- runs/digits n
expect 'comparisons|config.json' predict runs/digits --out = co

# Nothing to offer
expect '' run config.json ''
expect '' run config.json --set ''
expect '' run --set a = b
expect '' compare --seeds ''
expect '' eval runs/digits --nonsense ''
exit $failed
