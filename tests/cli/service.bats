#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xlpolicyd as a service: in which order a host starts and stops it, and what systemd makes of its unit.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
}

# lsb_script NAME HEADER-LINE...: an init script of that name that does nothing.
lsb_script() {
    local path=$DIR/etc/init.d/$1 line
    {
        printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n' "$1"
        shift
        for line; do printf '# %s\n' "$line"; done
        printf '# Short-Description: test\n### END INIT INFO\n'
    } >"$path"
    chmod +x "$path"
}

# Debian's own, with what the headers of its Xen 4.17 say.
debian_scripts() {
    mkdir -p "$DIR"/etc/init.d "$DIR"/etc/rc{S,0,1,2,3,4,5,6}.d
    lsb_script xen 'Required-Start: $syslog $remote_fs' 'Required-Stop: $syslog $remote_fs' \
        'X-Start-Before: xendomains libvirtd' 'X-Stop-After: xendomains libvirtd' \
        'Default-Start: 2 3 4 5' 'Default-Stop: 0 1 6'
    lsb_script xendomains 'Required-Start: $syslog $network $remote_fs xen' \
        'Required-Stop: $syslog $network $remote_fs xen' \
        'Default-Start: 2 3 4 5' 'Default-Stop: 0 1 6'
}

# order RUNLEVEL: the scripts as that runlevel runs them.
order() {
    ls "$DIR/etc/rc$1.d" | sed 's/^[SK][0-9]*//' | xargs
}

@test "it starts after Xen and before the guests, and ends after them" {
    debian_scripts
    cp daemon/init/xlpolicyd "$DIR/etc/init.d"
    chmod +x "$DIR/etc/init.d/xlpolicyd"
    for script in xendomains xlpolicyd xen; do
        run -0 /sbin/insserv --force --path "$DIR/etc/init.d" "$script"
    done
    [ "$(order 2)" = 'xen xlpolicyd xendomains' ]
    [ "$(order 5)" = 'xen xlpolicyd xendomains' ]
    [ "$(order 0)" = 'xendomains xlpolicyd xen' ]
    [ "$(order 6)" = 'xendomains xlpolicyd xen' ]
}

@test "systemd knows every word of the units" {
    for unit in daemon/init/xlpolicyd tools/guest-agent/xlpolicy-guest-agent; do
        name=$(basename "$unit").service
        # Programs that are there, whatever is installed.
        sed -E 's#^ExecStart=[^ ]+#ExecStart=/bin/true#; s#^(ExecReload=)kill#\1/bin/kill#' \
            "$unit.service" >"$DIR/$name"
        run -0 systemd-analyze verify --man=no "$DIR/$name"
        [ -z "$output" ] || { echo "$output" >&2; return 1; }
    done
}

@test "the unit waits for the daemon to be ready, and watches over it" {
    grep -qx 'Type=notify' daemon/init/xlpolicyd.service
    # Longer than the longest tick, which is when it reports.
    local longest_s
    longest_s=$(sed -n 's/.*"tick_ms", .*, \([0-9]*\)000, .*/\1/p' libxlpolicy/policy.c)
    [ "$(sed -n 's/^WatchdogSec=//p' daemon/init/xlpolicyd.service)" -gt "$((2 * longest_s))" ]
}

@test "each setting of the unit that takes something away tells why" {
    # A comment stands above each, or each group of at most four.
    run -0 awk '/^\[Service\]/ { service = 1 } /^\[Install\]/ { service = 0 }
                !service { next }
                /^#/ { told = 6 }
                /^$/ { told = 0 }
                told > 0 { told-- }
                /^(No|Private|Protect|Restrict|Capability|DevicePolicy|Memory|SystemCall|Lock|UMask)/ && !told {
                    print "no reason: " $0 }' daemon/init/xlpolicyd.service
    [ -z "$output" ] || { echo "$output" >&2; return 1; }
}
