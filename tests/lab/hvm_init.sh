#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-only
# Process 1 of an HVM guest: lists its PCI devices, pings QEMU's gateway through a network card of its
# own if it has one, and waits. Xen's request to reboot (xl reboot) is the kernel's to follow.

export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec >/dev/ttyS0 2>&1

echo
for device in /sys/bus/pci/devices/*; do
    echo "LAB device $(cat "$device/vendor") $(cat "$device/device") $(cat "$device/class")"
done

for module in /modules/*; do
    insmod "$module"
done
card=
for interface in /sys/class/net/*; do
    [ -e "$interface/device" ] && card=${interface##*/}
done
if [ -n "$card" ]; then
    ip link set lo up
    ip link set "$card" up
    ip addr add 10.0.2.15/24 dev "$card"
    tries=30
    until ping -c 1 -W 2 10.0.2.2 >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || break
        sleep 1
    done
    grep "$card" /proc/interrupts | sed 's/^/LAB interrupt /'
    if ping -c 3 -W 5 10.0.2.2; then echo "LAB ping OK"; else echo "LAB ping failed"; fi
fi
echo "LAB ready"
while :; do sleep 3600; done
