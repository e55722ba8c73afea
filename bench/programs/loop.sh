# A shell that starts programs.  usage: loop.sh TURNS
i=0
while [ $i -lt "$1" ]; do
    i=$((i + 1))
    x=$(expr $i \* 3)
    /usr/bin/true "$x"
    [ $((i % 10)) -ne 0 ] || echo "$x" | sed s/3/three/
done
