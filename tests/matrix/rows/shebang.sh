# chains of #! lines, with arguments, relative and through PATH, argv[0] and exit codes
# grade=basic time=30
mkdir -p a/b && cd a || exit 1
printf '#!/bin/sh -e\necho "sh:$0:$*"\nexit 5\n' >one
printf '#!./one with argument\n' >two
printf '#!./two\n' >three
printf '#!/usr/bin/env perl\nprint "perl:$0:@ARGV\\n"; exit 3;\n' >four
printf '#!/usr/bin/env -S python3 -u -B\nimport sys; print("python:" + ":".join(sys.argv), sys.flags.dont_write_bytecode); sys.exit(4)\n' >five
printf '#!/nonexistent/interpreter\n' >six
printf 'echo "no line: $0 $1"\n' >seven
printf '#! /usr/bin/awk -f\nBEGIN { print "awk", ARGV[1]; exit 6 }\n' >eight
chmod +x one two three four five six seven eight
./one x y; echo $?
./two z; echo $?
./three; echo $?
PATH=$PWD:$PATH four p q; echo $?
./five 'a b' c; echo $?
./six 2>&1; echo $?
./seven s; echo $?
bash -c './seven t'; echo $?
./eight v; echo $?
cd b && ../one up; ../four up; echo $?
echo 'exec -a fancy /bin/sh -c "echo \$0"' | bash
(exec -a -login bash -c 'echo $0' 2>/dev/null) || bash -c 'exec -a -login sh -c "echo \$0"'
env -i /bin/sh -c 'echo "[$PATH]"; /usr/bin/env' | grep -v '^PWD=\|^SHLVL=\|^_=' | sort
find . -name nothing -o -type d -exec sh -c 'echo "$0 $1"' name {} \; | sort
