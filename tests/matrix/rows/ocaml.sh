# ocaml: byte code and native compiler, exceptions, big data, threads, domains
# grade=hard group=runtimes time=200 memory=1500
cat >t.ml <<'M'
module M = Map.Make (String)
type e = Num of int | Add of e * e | Mul of e * e
let rec eval = function Num n -> n | Add (a, b) -> eval a + eval b | Mul (a, b) -> eval a * eval b
let rec build n = if n = 0 then Num 3 else if n mod 2 = 0 then Add (build (n - 1), build (n - 1)) else Mul (Num 2, build (n - 1))
exception Found of int
let () =
  Printf.printf "%d\n" (eval (build 25)); let m = ref M.empty in for i = 1 to 50000 do m := M.add (string_of_int (i * 7919 mod 10007)) i !m done; Printf.printf "%d %d\n" (M.cardinal !m) (M.fold (fun _ v a -> v + a) !m 0);
  (try List.iter (fun x -> if x * x > 500 then raise (Found x)) (List.init 100 Fun.id) with Found x -> print_int x; print_newline ()); Printf.printf "%.10f %h %s\n" (sqrt 2.) 0.1 (String.concat "," (List.rev [ "a"; "b" ]));
  let rec deep n = if n = 0 then 0 else 1 + deep (n - 1) in Printf.printf "%d\n" (deep 1000000); let a = Array.init 200000 (fun i -> i * 7919 mod 200003) in Array.sort compare a; Printf.printf "%d %d\n" a.(0) a.(199999); Gc.full_major (); Printf.printf "%b\n" (try ignore (1 / (Array.length Sys.argv - 1)); false with Division_by_zero -> true)
M
ocamlc -o b t.ml 2>/dev/null && ./b 2>&1; (ocamlopt -o n t.ml 2>/dev/null && ./n | md5sum) || (ocamlrun ./b | md5sum); echo 'let rec f n = if n < 2 then n else f (n-1) + f (n-2);; Printf.printf "%d\n" (f 22)' >i.ml; ocaml i.ml
