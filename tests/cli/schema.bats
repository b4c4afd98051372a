#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What every command prints with --json is what output.schema.json says, key by key.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
    mkdir "$DIR/json"
    COUNT=0
}

teardown() {
    helpers_teardown
}

# printed NAME ARGUMENT...: keeps what a call prints, to be held against the schema of that name.
printed() {
    COUNT=$((COUNT + 1))
    "$XLPOLICY" --json "${@:2}" >"$DIR/json/$1.$COUNT" || [ $? -le 2 ] ||
        { echo "failed: ${*:2}" >&2; return 1; }
}

check() {
    /usr/bin/python3 tests/cli/schema.py "$@"
}

measured() {
    [ "$(ask_for status 'r["ticks"]')" -gt 2 ]
}

json_commands() {
    local command
    for command in $("$XLPOLICY" help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
        "$XLPOLICY" --json "$command" 2>&1 --socket "$DIR/none" -N </dev/null |
            grep -q -- '--json has no meaning here' || echo "$command"
    done
}

@test "each command's JSON, without a daemon and with one" {
    local host command
    for host in C1 M2 garbage-agent passthrough weights pause two-pools; do
        for command in list vcpu-list pcpu-list mem-list info status plan why get; do
            printed $command --host "sim:$SCENARIOS/$host.json" --ticks 3 --set adopt=1 $command
        done
    done
    printed simulate simulate "$SCENARIOS/C1.json"
    printed simulate simulate "$SCENARIOS/M2.json"
    "$XLPOLICY" --host "sim:$SCENARIOS/C1.json" record --for 4s "$DIR/c1.rec" 2>/dev/null
    printed replay replay "$DIR/c1.rec"
    printed replay replay "$DIR/c1.rec" --set adopt=1
    for host in gpu-no-flr sriov nvme-root hostile; do
        /usr/bin/python3 -B tests/pci/make_host.py "tests/pci/hosts/$host.toml" "$DIR/$host"
        printed pci-list pci-list --all --sysroot "$DIR/$host"
        printed pci-check pci-check --sysroot "$DIR/$host"
        for address in $(jq -r '.devices[].address' "$DIR/json/pci-list".*); do
            [ ! -e "$DIR/$host/sys/bus/pci/devices/$address" ] ||
                printed pci-info pci-info --sysroot "$DIR/$host" "$address"
        done
        printf 'pci = [ "01:00.0,permissive=yes", "ff:00.0" ]\n' >"$DIR/guest.cfg"
        printed pci-validate pci-validate --sysroot "$DIR/$host" "$DIR/guest.cfg"
    done
    printed config config check "$CONF"
    printed config config show "$CONF"

    start_daemon
    wait_for measured
    for command in list vcpu-list pcpu-list mem-list info status plan why get; do
        printed $command --socket "$SOCKET" $command
    done
    printed adopt --socket "$SOCKET" adopt --all
    printed set --socket "$SOCKET" set vm1 shares=2000 floor=256m
    printed get --socket "$SOCKET" get
    printed set --socket "$SOCKET" set vm1 --clear
    printed rebalance --socket "$SOCKET" -N rebalance
    printed rebalance --socket "$SOCKET" rebalance
    printed apply --socket "$SOCKET" apply --for 1h
    printed reserve --socket "$SOCKET" reserve 16m --for web9
    printed reserve --socket "$SOCKET" reserve 16m --wait
    printed mem-list --socket "$SOCKET" mem-list
    printed plan --socket "$SOCKET" plan
    printed unreserve --socket "$SOCKET" unreserve 2
    printed status --socket "$SOCKET" status
    for command in act advise pause; do printed $command --socket "$SOCKET" $command; done
    printed release --socket "$SOCKET" release vm2
    printed release --socket "$SOCKET" release --all
    printed history --socket "$SOCKET" history
    printed why --socket "$SOCKET" why --since 1h
    printed status --socket "$SOCKET" status
    for command in act advise pause 'adopt vm1' 'release vm1' 'set vm1 cpu=0' 'reserve 1m' 'unreserve 1' 'apply --for 1m'; do
        printed would_send --socket "$SOCKET" -N $command
    done

    for command in $(json_commands) would_send; do
        ls "$DIR/json/$command".* >/dev/null || { echo "never called here: $command" >&2; return 1; }
        check "$command" "$DIR/json/$command".*
    done
}

@test "the schema refuses what is not so" {
    "$XLPOLICY" --json --host "sim:$SCENARIOS/C1.json" list >"$DIR/list"
    check list "$DIR/list"
    for change in '.more = 1' '.domains[0].domid = -1' '.domains[1].state = "r"' 'del(.domains[2].managed)' \
        '.domains[3].actual_kib = 1.5' '.xlpolicy = 2'; do
        jq "$change" "$DIR/list" >"$DIR/wrong"
        run -1 check list "$DIR/wrong"
    done
}
