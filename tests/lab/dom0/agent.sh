#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
#
# Runs commands for the test that sits at the other end of the second serial port.
#
# Asked "NONCE SECONDS COMMAND", on one line with COMMAND in base64, it answers a line "NONCE STATUS
# LENGTH WAY" and LENGTH bytes: what the command wrote to its standard output and error. They follow
# the line if WAY is "serial"; if they are many, WAY is "drive" and they are at the start of the
# second drive, since the emulated port is as slow as a real one. A command that takes longer than
# SECONDS is killed with its process group, and its status is 137.

# shellcheck source=tests/lab/dom0/profile
. /etc/profile
cd /run/lab || exit 1

stty raw -echo
printf '\nagent %s\n' "$(cat boot)"
while read -r nonce seconds command; do
    # A line that noise or a cut connection has spoilt is not worth an answer.
    [ -n "$command" ] || continue
    # The shell's process group is its own; its number is needed to kill what it started.
    {
        echo "echo \$\$ >group"
        echo "cd /root"
        printf '%s' "$command" | base64 -d
    } >script
    timeout -s KILL "$seconds" setsid sh script </dev/null >output 2>&1
    status=$?
    [ "$status" -ne 137 ] || kill -KILL -"$(cat group)" 2>/dev/null
    length=$(wc -c <output)
    if [ "$length" -le 1000 ]; then
        printf '\n%s %d %d serial\n' "$nonce" "$status" "$length"
        cat output
    else
        dd if=output of=/dev/vdb bs=64k conv=fsync 2>/dev/null
        printf '\n%s %d %d drive\n' "$nonce" "$status" "$length"
    fi
done
