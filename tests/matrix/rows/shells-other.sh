# zsh, fish, ksh, mksh: globs, arrays, arithmetic, functions, pipelines
# grade=medium group=system time=60
touch f1.txt f2.txt f3.c
zsh -f -c 'print -l *.txt(On); a=(x y z); print $a[2] ${#a}; print $((2**10)) ${(U):-abc}; f() { print f$1 }; f 1; typeset -F 3 v=1.5; print $v; repeat 3 print -n r; print; sleep 0.1 & wait; print $?'
fish --no-config -c 'set l a b c; echo $l[2] (count $l); for i in (seq 3); echo -n $i; end; echo; string upper abc; math 2^10 + 1; function f; echo f$argv; end; f 1; echo a | read x; echo $x; false; or echo or'
ksh93 -c 'typeset -i n=5; print $((n * 2)); set -A a p q; print ${a[1]} ${#a[*]}; function f { typeset x=$1; print f$x; }; f 2; print $(print nested $(print deep)); for ((i=0;i<3;i++)); do print -n $i; done; print; sleep 0.1 & wait $!; print $?' 2>&1
mksh -c 'typeset -i16 n=255; print $n; set -A a p q; print ${a[1]}; print ${x:-default}; echo a b c | while read p q r; do print $r; done; time_() { :; }; time_; print $?'
