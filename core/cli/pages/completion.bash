
# The lines above that are of a command: what is its, without its name.
_knack_of() {
    local command rest
    while read -r command rest; do
        [[ $command != "$1" ]] || echo "$rest"
    done <<<"$_knack_words"
}

# The options of a command, or the commands: _knack_offer COMMAND PATTERN
_knack_offer() {
    local word rest
    _knack_of "$1" | while read -r word rest; do
        [[ $word != $2 ]] || echo "$word"
    done
}

# Kind and choices of a command's option, or of its operand by number: _knack_kind COMMAND OPTION|NUMBER
_knack_kind() {
    local word rest count=0
    _knack_of "$1" | while read -r word rest; do
        [[ $word == -* ]] || word=$((++count))
        [[ $word != "$2" ]] || echo "$rest"
    done
}

# The tricks that a program finds.
_knack_tricks() {
    "$1" plugins --json 2>/dev/null | sed -n 's/^ *"name": "\([^"]*\)",$/\1/p'
}

_knack() {
    local program=$1 now=${COMP_WORDS[COMP_CWORD]} command=knack option= operand=1 only_operands= i word kind choices before
    COMPREPLY=()
    # What the words before the cursor leave open. Bash breaks --out=DIR and KEY=VALUE into three words.
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == '=' ]]; then
            [[ $option ]] || ((i++))
        elif [[ $option ]]; then
            option=
        elif [[ $only_operands ]]; then
            ((operand++))
        elif [[ $word == -- ]]; then
            only_operands=1
        elif [[ $word == -* ]]; then
            read -r kind choices < <(_knack_kind "$command" "$word")
            [[ -z $kind || $kind == flag ]] || option=$word
        elif [[ $command == knack ]]; then
            command=$word
        else
            ((operand++))
        fi
    done
    ((i == COMP_CWORD)) || return # behind KEY=
    if [[ $now == '=' ]]; then
        [[ $option ]] || return
        now=
    fi
    if [[ $now == -* && -z $option$only_operands ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_knack_offer "$command" '-*')" -- "$now")
        return
    fi
    if [[ $command == knack ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_knack_offer knack '[!-]*')" -- "$now")
        return
    fi
    read -r kind choices < <(_knack_kind "$command" "${option:-$operand}")
    case $kind in
    choice) mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$now") ;;
    trick) mapfile -t COMPREPLY < <(compgen -W "$(_knack_tricks "$program")" -- "$now") ;;
    tricks)
        before=${now%"${now##*,}"} # of "ema,mi" what is there already
        mapfile -t COMPREPLY < <(compgen -P "$before" -W "$(_knack_tricks "$program")" -- "${now##*,}")
        ;;
    file)
        compopt -o filenames 2>/dev/null # refused where no completion is going on, as in tests
        mapfile -t COMPREPLY < <(compgen -f -- "$now")
        ;;
    folder)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$now")
        ;;
    esac
}
complete -F _knack knack
