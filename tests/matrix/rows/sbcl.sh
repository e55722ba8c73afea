# sbcl: its native compiler, bignums, conditions, closures, garbage collection, a saved core that runs
# grade=hard group=runtimes time=200 memory=2500
cat >t.lisp <<'L'
(defun fib (n) (declare (fixnum n) (optimize speed)) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (format t "~d ~d~%" (fib 25) (mod (expt 7 500) 1000007))
(handler-case (error "x ~a" 1) (error (e) (format t "caught ~a~%" e))) (handler-case (/ 1 0) (division-by-zero () (format t "div~%"))) (handler-case (car 5) (type-error () (format t "type~%"))) (defclass p () ((x :initarg :x :accessor px))) (defmethod sz ((o p)) (* 2 (px o))) (format t "~d~%" (sz (make-instance 'p :x 21)))
(let ((h (make-hash-table :test 'equal))) (dotimes (i 100000) (incf (gethash (mod (* i 7919) 1009) h 0))) (format t "~d~%" (hash-table-count h))) (format t "~,6f ~e ~r~%" (sqrt 2d0) 1d-300 42) (dotimes (i 200) (make-array 100000)) (gc :full t) (format t "~a~%" (sb-ext:process-exit-code (sb-ext:run-program "/bin/sh" '("-c" "exit 3"))))
L
sbcl --noinform --non-interactive --no-sysinit --no-userinit --load t.lisp; echo '(defun main () (format t "core ~a~%" (reduce (function +) (loop for i below 100 collect i)))) (sb-ext:save-lisp-and-die "c" :executable t :toplevel (lambda () (main) (sb-ext:exit :code 4)))' >s.lisp; sbcl --noinform --non-interactive --no-sysinit --no-userinit --load s.lisp >/dev/null 2>&1; ./c; echo $?
