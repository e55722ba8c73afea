# guile, chicken, swi-prolog, tcl: small programs in each
# grade=medium group=runtimes time=200 memory=1500
guile-3.0 --no-auto-compile -c '(define (f n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2))))) (display (f 22)) (newline) (display (expt 3 200)) (newline) (display (call/cc (lambda (k) (for-each (lambda (x) (if (> x 2) (k x))) (list 1 2 3 4)) 0))) (newline) (display (catch #t (lambda () (car 5)) (lambda (k . a) k))) (newline) (use-modules (ice-9 threads)) (display (apply + (par-map (lambda (x) (* x x)) (iota 100)))) (newline)' 2>&1
csi -q -e '(define (l n a) (if (= n 0) a (l (- n 1) (+ a n)))) (print (l 1000000 0)) (print (string-append "chick" "en")) (print (/ 7.0 3))' 2>&1
swipl -q -g "use_module(library(lists)), numlist(1, 20000, L), sum_list(L, S), print(S), nl, findall(X, (between(1, 200, X), 0 is X mod 17), R), print(R), nl, length(Q, 3), print(Q), nl" -t halt 2>&1 | sed 's/_[0-9G]*/_/g'; swipl -q -g "catch(atom_length(_, _), error(E, _), (print(E), nl))" -t halt; swipl -q -g "X is 2 ** 100, print(X), nl" -t halt
tclsh <<'T'
proc fib n { expr {$n < 2 ? $n : [fib [expr {$n - 1}]] + [fib [expr {$n - 2}]]} }; puts [fib 18]; set d [dict create a 1 b 2]; puts [dict get $d b]; puts [lsort -integer {5 3 10 1}]; puts [catch {error boom} m]$m; puts [exec sh -c {echo child}]; puts [regsub -all {(\w)(\w)} abcd {\2\1}]; puts [expr {2 ** 100}]; after 50 {set ::x done}; vwait ::x; puts $x; puts [clock format 0 -gmt 1 -format %Y-%m-%d]
T
