# A shell that starts none.  usage: shell.sh TURNS
i=0 s=0
while [ $i -lt "$1" ]; do
    i=$((i + 1))
    case $((i % 5)) in 0) s=$((s + i)) ;; 1 | 2) s=$((s ^ i)) ;; *) s=$((s - 1)) ;; esac
    w=word$i
    [ "${w%7}" = "$w" ] || s=$((s + 1))
done
echo $s
