# systemd-nspawn boots a command in a tree of this machine's programs
# grade=brutal group=system time=120 memory=800
systemd-id128 new >/etc/machine-id
mkdir -p r/usr r/etc r/tmp r/proc r/sys r/dev r/run r/root r/var; for l in bin sbin lib; do ln -s usr/$l r/$l; done; [ ! -d /usr/lib64 ] || ln -s usr/lib64 r/lib64; cp /etc/passwd /etc/group r/etc/; cp /usr/lib/os-release r/etc/os-release; mount --bind /usr r/usr
mount -t cgroup2 c /sys/fs/cgroup 2>/dev/null; SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q --register=no --keep-unit -D r --as-pid2 /bin/sh -c 'echo inside $$; uname -n; id -u; exit 6' 2>&1 || echo $?
