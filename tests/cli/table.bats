#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The table of commands is the only list of them: help, the manual page and the shell's completion
# say what it says.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
    MAN=docs/man/xlpolicy.pod
    HOST="sim:$SCENARIOS/C1.json"
}

# In the table's order.
commands() {
    "$XLPOLICY" help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# The manual's headings of commands, one a line.
man_items() {
    sed -n '/^=head1 COMMANDS/,/^=head1 EXIT/s/^=item //p' "$MAN"
}

# complete WORD...: the answer on one line. The last word is the one to complete.
complete_words() {
    "$XLPOLICY" complete -- "$@" | paste -sd ' '
}

answers() {
    local answer
    answer=$(complete_words "${@:2}")
    [ "$answer" = "$1" ] || { echo "${*:2}: $answer" >&2; return 1; }
}

# What bash would offer for this line: the script as installed, and the binary as "xlpolicy".
bash_offers() {
    ln -sf "$XLPOLICY" "$DIR/xlpolicy"
    PATH=$DIR:$PATH bash -c '
        . tools/xlpolicy.bash
        compopt() { printf "(%s) " "$*"; }
        COMP_LINE=$1 COMP_POINT=${#1}
        _xlpolicy
        printf "%s\n" "${COMPREPLY[*]}"' - "$1"
}

offers() {
    local answer
    answer=$(bash_offers "$2")
    [ "$answer" = "$1" ] || { echo "$2: $answer" >&2; return 1; }
}

@test "the manual page has every command of the table, and no other" {
    diff <(commands | sort) <(man_items | grep -o 'B<[a-z][a-z-]*' | sed 's/B<//' | sort -u)
}

@test "the manual page has every option of each command, and of all" {
    local option items
    for command in $(commands); do
        items=$(man_items | grep -F "B<$command" || true)
        for option in $("$XLPOLICY" help "$command" | sed -n 's/^ .*\(--[a-z-]*\).*/\1/p'); do
            [[ $items == *"B<$option>"* ]] || { echo "$command $option" >&2; return 1; }
        done
    done
    for option in $("$XLPOLICY" help | sed -n 's/^ .*\(--[a-z-]*\).*/\1/p'); do
        sed -n '/^=head1 OPTIONS/,/^=head1 COMMANDS/p' "$MAN" | grep -q "^=item .*B<$option>" ||
            { echo "$option" >&2; return 1; }
    done
}

@test "the manual page shows a command's arguments as its usage does" {
    local words word
    for command in $(commands); do
        words=$("$XLPOLICY" help "$command" | sed -n '1{s/^Usage: xlpolicy [a-z-]* *//;s/^.OPTION[].]*//;p}')
        for word in $(grep -oE '[A-Z]{3,}' <<<"$words"); do
            man_items | grep -F "B<$command" | grep -qF "I<$word>" ||
                { echo "$command: $word" >&2; return 1; }
        done
    done
}

@test "complete: commands, options and their values, from the table" {
    [ "$(complete_words '')" = "words $(commands | paste -sd ' ')" ]
    answers 'words vcpu-list' vc
    answers 'words --trace --ticks' simulate --t
    answers 'words --since --socket --set' history --s
    answers 'words daemon xen sim: replay:' --host ''
    answers 'words sim:' --host s
    answers 'files' --host sim:x
    answers 'files' simulate ''
    answers 'files' simulate --svg ''
    answers 'files' pci-list --sysroot ''
    answers 'words check show' config ''
    answers 'files' config show ''
    answers 'words' config show x ''
    answers 'words rebalance release reserve replay record' help re
    answers 'words cpu_uneven_pct= cpu_uneven_ticks=' --set cpu_u
    answers 'words' nonsense ''
}

@test "complete: the names of domains, from the host that the line names" {
    answers 'words Domain-0 vm1 vm2 vm3 vm4 vm5 vm6 vm7 vm8' --host "$HOST" why ''
    answers 'words vm3' why --host "$HOST" vm3
    answers 'words' --host "$HOST" why vm1 ''
    start_daemon
    wait_for looked_at
    answers 'words vm1 vm2 vm3 vm4 vm5 vm6 vm7 vm8' "--socket=$SOCKET" adopt --all v
    stop_daemon
    answers 'words' --host daemon --socket "$SOCKET" adopt v
}

looked_at() {
    [ "$(complete_words --socket "$SOCKET" adopt vm)" != words ]
}

teardown() {
    helpers_teardown
}

@test "bash: what it completes is the rest of a word" {
    offers 'vcpu-list' 'xlpolicy vc'
    offers 'vm4' "xlpolicy --host $HOST why vm4"
    offers '(-o nospace) sim:' 'xlpolicy --host s'
    offers '(-o nospace) sim:' 'xlpolicy --host=s'
    offers '(-o default) ' 'xlpolicy --host sim:tests/'
    offers '(-o default) ' 'xlpolicy record '
    offers '(-o nospace) tick_ms=' 'xlpolicy --set tick'
}

@test "the completion is installed where bash looks for it" {
    make -s install DESTDIR="$DIR/root" PREFIX=/usr >/dev/null
    cmp tools/xlpolicy.bash "$DIR/root/usr/share/bash-completion/completions/xlpolicy"
    make -s uninstall DESTDIR="$DIR/root" PREFIX=/usr
    [ ! -e "$DIR/root/usr/share/bash-completion/completions/xlpolicy" ]
}
