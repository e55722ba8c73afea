# messages of coreutils carry the name by which a program was called; links and multi-call programs too
# grade=basic time=30
ls /nonexistent 2>&1; /bin/ls /nonexistent 2>&1; (cd /usr/bin && ./ls /nonexistent) 2>&1
cat nofile 2>&1; cp 2>&1; mkdir /proc/x 2>&1; rm -r / 2>&1; chmod 9 x 2>&1; test 1 -eq a 2>&1; expr 1 + 2>&1
ln -s /usr/bin/false lie; ./lie --version | head -n 1; ln -s /bin/busybox uname2; ./uname2 2>&1 | head -n 1
ln -s /bin/busybox basename; ./basename /x/y; cp /usr/bin/cat mycat; ./mycat nofile 2>&1; chmod -x mycat; ./mycat 2>&1; echo $?
perl -e 'exec {"/usr/bin/cat"} "othername", "nofile"' 2>&1
python3 -c 'import os; os.execv("/usr/bin/sort", ["pyname", "nofile"])' 2>&1
perl -e 'print "$^X\n"'; python3 -c 'import sys; print(sys.executable)'
env --argv0=chosen cat nofile 2>&1
timeout 0.2 sleep 5; echo $?; b=$(nice); echo $(($(nice -n 3 sh -c nice) - (b > 16 ? 16 : b))); nohup sh -c 'echo nohup' </dev/null 2>/dev/null | cat
stdbuf -o0 echo buffered; printf '%s\n' "$(readlink /proc/self/exe)"; cat /proc/self/comm; tr '\0' ' ' </proc/self/cmdline; echo
