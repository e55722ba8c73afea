# bash: arrays, arithmetic, here-documents, traps, job control words, process substitution
uname -m
declare -A m=([one]=1 [two]=2 [three]=3)
for k in one two three; do echo "$k=${m[$k]}"; done
echo $(( 2**40 + 17 % 5 )) $((16#ff)) "${BASH_VERSION%%.*}"
f() { local i=$1; [ "$i" -le 1 ] && echo 1 && return; echo $(( i * $(f $((i - 1))) )); }
f 10
diff <(seq 1 5) <(seq 1 6) | tail -n 1
trap 'echo got usr1' USR1
kill -USR1 $$
(trap 'echo child exit' EXIT; exit 3); echo "status $?"
sleep 0.1 & p=$!
wait $p; echo "waited $?"
bash -c 'kill -SEGV $$' 2>/dev/null; echo "segv $?"
read -r a b <<< "hello world again"; echo "$b"
printf '%s|%5.2f|%x\n' text 3.14159 255
x=abcdef; echo "${x:2:3} ${x/cd/XX} ${x^^} ${#x}"
[[ foo123 =~ ^[a-z]+([0-9]+)$ ]] && echo "${BASH_REMATCH[1]}"
