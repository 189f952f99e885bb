#!/bin/sh
# Within the guest, where the host's files are read-only: plugs in simulated phones and reads them. Each check is a line.
#
#   guest.sh ROOT       ROOT is the checkout, with a program that was built with the feature `usb`
ROOT=$1
PRELOADED=$ROOT/target/debug/preloaded
SHARED=$ROOT/../shared
HERE=/tmp/guest
export HOME=/tmp/home TMPDIR=/tmp LC_ALL=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin PRELOADED_ID=plain
export ADB_LOCAL_TRANSPORT_MAX_PORT=5553
mkdir -p $HOME
passed=0
failed=0

check() { # TITLE, then a command that must succeed
    title=$1
    shift
    if "$@" >/tmp/check.log 2>&1; then
        passed=$((passed + 1))
        echo "ok      $title"
    else
        failed=$((failed + 1))
        echo "FAILED  $title"
        sed 's/^/    /' /tmp/check.log | cut -c1-300 | tail -n 15
    fi
}

# A daemon, and a phone that carries its words: NUMBER SERIAL [options of the daemon]
gadget() {
    number=$1 serial=$2
    shift 2
    python3 $SHARED/tools/adbd_sim.py --port 4700$number --profile /tmp/profile "$@" >/tmp/daemon$number.log 2>&1 &
    phone=/sys/kernel/config/usb_gadget/phone$number
    mkdir $phone $phone/strings/0x409
    echo 0x18d1 >$phone/idVendor
    echo 0x4ee7 >$phone/idProduct
    echo $serial >$phone/strings/0x409/serialnumber
    mkdir $phone/configs/c.1 $phone/functions/ffs.adb$number
    ln -s $phone/functions/ffs.adb$number $phone/configs/c.1/
    mkdir -p /tmp/ffs$number
    mount -t functionfs adb$number /tmp/ffs$number
    python3 $HERE/phone.py /tmp/ffs$number 4700$number $phone/UDC >/tmp/phone$number.log 2>&1 &
    until grep -q ready /tmp/phone$number.log; do sleep 0.1; done
    plug $number
}
plug() {
    echo dummy_udc.$1 >/sys/kernel/config/usb_gadget/phone$1/UDC
    sleep 2
}
unplug() {
    echo >/sys/kernel/config/usb_gadget/phone$1/UDC
    sleep 1
}
exits() { # CODE, then a command
    code=$1
    shift
    "$@"
    test $? -eq "$code" || { echo "expected exit code $code of: $*"; return 1; }
}
says() { # WORDS, CODE, then a command
    words=$1
    shift
    exits "$@" >/tmp/said 2>&1
    result=$?
    cat /tmp/said
    grep -q "$words" /tmp/said && return $result
}
# What was read, but for the name and time of reading.
inventory() {
    "$PRELOADED" scan "$1" 2>/tmp/scan.log | python3 -c '
import json, sys
read = json.load(sys.stdin)
read["target"]["name"] = read["target"]["collected_at"] = ""
print(json.dumps(read, indent=1))' >$2 && test -s $2
}
same() {
    inventory "$1" /tmp/one.json && inventory "$2" /tmp/other.json && cmp /tmp/one.json /tmp/other.json &&
        grep -c '"name"' /tmp/one.json
}

mount -t configfs none /sys/kernel/config
mkdir /tmp/profile
cp $SHARED/data/captures/pixel-aosp10/*.txt /tmp/profile/
cp $HERE/profile.json /tmp/profile/

check "without a phone, that is said" says "no phone with USB debugging on" 75 $PRELOADED scan usb:
gadget 0 TWIN
check "the kernel has the phone as its first device" grep -q TWIN /sys/bus/usb/devices/1-1/serial
check "a phone on a cable gives the inventory that it gives over TCP" same usb: tcp:127.0.0.1:47000
check "by its serial number" inventory usb:TWIN /tmp/one.json
check "by its port" inventory usb:1-1 /tmp/one.json
check "a serial number that no phone has" says "there are usb:1-1" 75 $PRELOADED scan usb:OTHER

check "adb lists the same phone" sh -c 'adb devices -l | tee /dev/stderr | grep -q "^TWIN .*usb:1-1 "'
check "adb and this program read the same properties" sh -c 'adb -s TWIN shell getprop | cmp - /tmp/profile/getprop.txt'
check "while its server runs, the phone is busy and that is said" says "adb kill-server" 75 $PRELOADED scan usb:1-1
check "behind the server it is the same phone" same adb:usb:1-1 tcp:127.0.0.1:47000
adb kill-server
sleep 1
check "after the server it is free again" same usb:1-1 tcp:127.0.0.1:47000

# Killed at many moments: the phone may hold the middle of an answer, or a stream that nobody closes.
killed() {
    again=0
    for tenths in 4 6 8 10 12 14; do
        timeout -s KILL $((tenths / 10)).$((tenths % 10)) $PRELOADED scan usb:1-1 >/dev/null 2>&1
        # One that was killed between a header and its payload leaves a phone that goes away and comes back: exit code 75.
        inventory usb:1-1 /tmp/one.json || { again=$((again + 1)); sleep 2; inventory usb:1-1 /tmp/one.json; } ||
            { cat /tmp/scan.log; return 1; }
    done
    echo "$again of 6 had to be asked again" >/tmp/again
    inventory tcp:127.0.0.1:47000 /tmp/other.json && cmp /tmp/one.json /tmp/other.json
}
check "after six runs that were killed amid an answer, each next one reads the phone" killed

echo "        $(cat /tmp/again)"
gadget 1 TWIN
ports=$(cd /sys/bus/usb/devices && grep -l TWIN */serial | cut -d/ -f1 | tr '\n' ' ')
echo "        two phones of one serial number at: $ports"
second=$(echo $ports | cut -d' ' -f2)
check "two phones of one serial number are told apart" says "name one of usb:1-1, usb:$second" 75 $PRELOADED scan usb:TWIN
check "each is read by its port" same usb:$second usb:1-1
check "and both at once" sh -c "mkdir /tmp/both && $PRELOADED scan usb: -o /tmp/both/ && ls /tmp/both | wc -l | grep -qx 2"

pulled() {
    $PRELOADED scan usb:$second >/tmp/pulled.json 2>/tmp/pulled.log &
    run=$!
    sleep 0.7
    unplug 1
    wait $run
    code=$?
    cat /tmp/pulled.log
    test $code -eq 75 && grep -q "gone\|any more" /tmp/pulled.log
}
check "a cable that is pulled amid reading ends in exit code 75" pulled
plug 1
check "plugged in again it is read" same usb:$second usb:1-1
unplug 1

# Keys.
unplug 0
gadget 2 GUARDED --auth known -v
check "a phone that asks for a key, where there is none" says "there is none at" 75 env HOME=/tmp/nobody $PRELOADED scan usb:GUARDED
check "a key is made by adb" sh -c 'mkdir -p $HOME/.android && adb keygen $HOME/.android/adbkey'
check "a phone that knows the key is read" same usb:GUARDED usb:GUARDED
unplug 2
gadget 3 STRANGER --auth never -v
check "a phone that does not know it is told to be connected with adb" says "does not know the one at" 75 $PRELOADED scan usb:STRANGER
check "the public key was never offered" sh -c '! grep -h "public key offered" /tmp/daemon2.log /tmp/daemon3.log'
check "nothing that was sent would have made a phone hang" sh -c '! grep -H WRONG /tmp/phone?.log'
echo "usb: $passed passed, $failed failed"
