# bash: jobs, traps, coprocesses, process substitution, here-documents, pipe status, subshell storms
# grade=basic time=60
bash <<'B'
. /matrix/lib.sh
set -o pipefail
false | true | (exit 3); echo "${PIPESTATUS[@]}"
trap 'echo usr1' USR1; kill -USR1 $BASHPID; sleep 0.1
(trap 'echo bye; exit 9' TERM; : >trapped; sleep 5 & wait $!) & ready test -e trapped; kill $!; wait $!; echo $?
coproc { while read -r l; do echo "<$l>"; done; }; echo hello >&${COPROC[1]}; read -r a <&${COPROC[0]}; echo $a; eval "exec ${COPROC[1]}>&-"
diff <(seq 1 5) <(seq 2 6); cat <<X | tr a-z A-Z
here $((6 * 7)) ${BASH_VERSION%%.*}
X
n=0; for i in {1..300}; do n=$((n + $(echo $i))); done; echo $n
for i in {1..20}; do sleep 0.05 & done; wait
ulimit -n 64; ulimit -n; (ulimit -c 0; ulimit -c)
mkfifo f; seq 1 1000 >f & sum=0; while read -r x; do sum=$((sum + x)); done <f; echo $sum
printf '%s\n' {c,a,b}{2,1} | sort | xargs -n 2 -P 3 echo | sort
set -m; sleep 0.2 & fg >/dev/null; echo fg $?
( (kill -STOP $BASHPID; echo continued) & p=$!; ready grep '^State:.T' /proc/$p/status; kill -CONT $p; wait $p )
echo $(( 2**62 + 5 )) $(( -7 / 2 )) $(( -7 % 3 )); printf '%q %x %.3f\n' 'a b' 255 3.14159
declare -A m=([x]=1 [y]=2); echo ${#m[@]} ${m[y]}; [[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo ${BASH_REMATCH[2]}
B
dash -c 'trap "echo exit" EXIT; f() { echo f$#; }; f a b; set -- x y; shift; echo $1; (exit 4); echo $?'
busybox sh -c 'for i in 1 2 3; do echo $i; done | busybox awk "{ s += \$1 } END { print s }"'
