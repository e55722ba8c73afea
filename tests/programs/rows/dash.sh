# dash: a POSIX shell, scripts by shebang, pipelines
cat > s.sh <<'X'
#!/bin/dash
echo "script $0 with $# args: $*"
X
chmod +x s.sh
./s.sh a 'b c'
dash -c 'i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo $i; done | sort -r | tr "\n" " "; echo'
dash -c 'set -e; false; echo not reached'; echo "status $?"
printf '#!/usr/bin/env dash\necho via env\n' > e.sh; chmod +x e.sh; ./e.sh
