# D-Bus: a session bus, calls, names, signals, activation of a service
# grade=medium group=servers time=90 memory=600
mkdir -p /usr/local/share/dbus-1/services; printf '[D-BUS Service]\nName=org.example.Act\nExec=/bin/sh -c "echo started >/tmp/started"\n' >/usr/local/share/dbus-1/services/org.example.Act.service
dbus-run-session -- sh -c '. /matrix/lib.sh; d() { dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus."$@"; }
d ListNames | grep -c string; d GetId | grep -c string; d NameHasOwner string:org.freedesktop.DBus | tail -n 1; d RequestName string:org.example.X uint32:0 | tail -n 1; d NoSuch 2>&1 | grep -o "UnknownMethod"; dbus-monitor --session "type=signal,interface=org.example.I" >mon 2>/dev/null & ready grep NameLost mon; dbus-send --session /a org.example.I.Sig string:hello int32:5 array:string:a,b; ready grep "int32 5" mon; grep -c "hello\|int32 5" mon
dbus-send --session --print-reply --reply-timeout=3000 --dest=org.example.Act / org.example.Act.M 2>&1 | grep -o "NoReply\|Spawn[.A-Za-z]*\|ChildExited\|ServiceUnknown" | head -n 1; cat started' 2>/dev/null; dbus-uuidgen | wc -c
