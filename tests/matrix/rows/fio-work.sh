# fio: verified writes by several engines and jobs at once
# grade=hard group=system time=120 memory=800 engines="qemu auto bt"
for e in psync sync pvsync mmap posixaio; do fio --name=$e --directory=/tmp --size=2m --bs=4k --rw=randrw --ioengine=$e --numjobs=2 --group_reporting --verify=crc32c --verify_fatal=1 --output=log --output-format=json --thread >/dev/null 2>err && echo "$e $(python3 -c 'import json; j = json.load(open("log"))["jobs"][0]; print(j["error"], j["write"]["total_ios"] > 300, j["read"]["io_bytes"] >= j["write"]["io_bytes"])')" || { echo "$e failed"; tail -n 3 err >&2; }; done
